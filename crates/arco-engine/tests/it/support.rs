//! Words the tests share.

use arco_core::event::RawEvent;
use arco_core::{AttemptId, RunId};
use arco_engine::{Engine, LeasePlan};
use arco_flow::command::Reported;
use arco_flow::state::{RunStatus, TaskStatus};
use arco_testkit::host::{failed, succeeds};
use arco_testkit::world::{self, deploy};
use arco_testkit::{ManifestBuilder, ScriptedHost, World, asset};

pub(crate) use arco_core::event::FailureClass::{self, UserCode};
pub(crate) use arco_engine::EngineError;

/// a → b → c.
pub(crate) fn chain() -> ManifestBuilder {
    ManifestBuilder::new("main")
        .asset(asset("a"))
        .asset(asset("b").needs("a"))
        .asset(asset("c").needs("b"))
}

/// An engine with a manifest and a host for it.
pub(crate) async fn ready(world: &World, manifest: &ManifestBuilder) -> (Engine, ScriptedHost) {
    let engine = world.engine().await;
    deploy(&engine, manifest).await;
    let host = world.host(&engine, "main").await;
    (engine, host)
}

pub(crate) async fn run(engine: &Engine, selection: &str) -> RunId {
    world::run(engine, world::ask(selection)).await.run
}

pub(crate) fn run_status(engine: &Engine, run: RunId) -> RunStatus {
    engine
        .view()
        .state
        .run(run)
        .expect("the run is known")
        .status
}

/// Status of every task of a run, in order.
pub(crate) fn tasks(engine: &Engine, run: RunId) -> Vec<TaskStatus> {
    let view = engine.view();
    let run = view.state.run(run).expect("the run is known");
    run.tasks.iter().map(|task| task.status).collect()
}

/// The one lease that there is.
pub(crate) async fn lease(host: &mut ScriptedHost, engine: &Engine) -> LeasePlan {
    let mut leases = host.ask(engine, 1).await.expect("the host is heard");
    leases.pop().expect("there is work")
}

/// Carries out one task well.
pub(crate) async fn succeed(host: &mut ScriptedHost, engine: &Engine, lease: &LeasePlan) {
    let said = succeeds(lease)
        .into_iter()
        .map(|said| (lease.attempt, said))
        .collect();
    let work = host
        .exchange(engine, said, 0)
        .await
        .expect("the host is heard");
    assert!(work.refused.is_empty(), "{:?}", work.refused);
}

/// Fails one attempt.
pub(crate) async fn fail(
    host: &mut ScriptedHost,
    engine: &Engine,
    attempt: AttemptId,
    class: FailureClass,
) {
    let said = vec![(attempt, Reported::Started), (attempt, failed(class))];
    let work = host
        .exchange(engine, said, 0)
        .await
        .expect("the host is heard");
    assert!(work.refused.is_empty(), "{:?}", work.refused);
}

/// Kinds of all events, in order, without those about leadership, hosts and definitions.
pub(crate) async fn story(engine: &Engine) -> Vec<String> {
    let apart = ["lease.", "host.", "fold.", "definitions."];
    let all = world::kinds(engine).await;
    all.into_iter()
        .map(|(_, kind)| kind)
        .filter(|kind| !apart.iter().any(|prefix| kind.starts_with(prefix)))
        .collect()
}

/// All events of a kind.
pub(crate) async fn events(engine: &Engine, kind: &str) -> Vec<RawEvent> {
    let all = engine
        .read_events(Default::default(), usize::MAX)
        .await
        .expect("the log reads");
    all.into_iter()
        .map(|(_, event)| event)
        .filter(|event| event.kind == kind)
        .collect()
}

/// Waits until `holds` for the committed state.
pub(crate) async fn until(engine: &Engine, what: &str, holds: impl Fn(&arco_engine::View) -> bool) {
    let mut views = engine.commits();
    let seen = views.wait_for(|view| holds(view));
    let bound = std::time::Duration::from_secs(600);
    tokio::time::timeout(bound, seen)
        .await
        .unwrap_or_else(|_| panic!("it does not happen that {what}"))
        .expect("the engine is there");
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(answer: Result<T, EngineError>) -> &'static str {
    answer.expect_err("it is refused").code()
}
