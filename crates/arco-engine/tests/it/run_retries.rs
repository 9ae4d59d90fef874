//! Runs that failed are done again by the leader: once, and by whoever leads when it is due.

use std::time::Duration;

use arco_core::RunId;
use arco_core::run_retries::RunRetries;
use arco_engine::Engine;
use arco_flow::state::{Retried, RunStatus};
use arco_testkit::{ManifestBuilder, World, asset};

use crate::support::*;

async fn retrying(world: &World, max_retries: u32) -> (Engine, arco_testkit::ScriptedHost) {
    let (engine, host) = ready(world, &chain()).await;
    let retries = RunRetries {
        max_retries,
        ..RunRetries::default()
    };
    let set = engine.set_run_retries("client:anna", "req_1", retries);
    set.await.expect("it is set");
    (engine, host)
}

fn retried(engine: &Engine, run: RunId) -> Option<Retried> {
    let view = engine.view();
    view.state
        .run(run)
        .expect("the run is known")
        .retried
        .clone()
}

async fn retry_of(engine: &Engine, run: RunId) -> RunId {
    until(engine, "the retry is made", |view| {
        let known = view.state.run(run).and_then(|run| run.retried.as_ref());
        known.is_some_and(|retried| retried.by.is_some())
    })
    .await;
    retried(engine, run)
        .and_then(|retried| retried.by)
        .expect("it is there")
}

#[tokio::test(start_paused = true)]
async fn the_leader_makes_the_retry_and_says_who_did() {
    let world = World::new();
    let (engine, mut host) = retrying(&world, 1).await;
    let first = run(&engine, "key:a or key:b").await;
    let held = lease(&mut host, &engine).await;
    succeed(&mut host, &engine, &held).await;
    let held = lease(&mut host, &engine).await;
    fail(&mut host, &engine, held.attempt, UserCode).await;
    assert_eq!(run_status(&engine, first), RunStatus::Failure);
    let retry = retry_of(&engine, first).await;
    let view = engine.view();
    let made = view.state.run(retry).expect("the retry is known");
    assert_eq!(made.principal, "controller:run_retries");
    assert_eq!(made.rerun.as_ref().and_then(|rerun| rerun.retry), Some(1));
    assert_eq!(made.counts.total(), 1, "a succeeded, and is not done again");
    let held = lease(&mut host, &engine).await;
    succeed(&mut host, &engine, &held).await;
    assert_eq!(run_status(&engine, retry), RunStatus::Success);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(engine.view().state.runs.len(), 2, "once");
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_is_made_by_the_process_that_leads_next() {
    let world = World::new();
    let (engine, mut host) = retrying(&world, 1).await;
    let first = run(&engine, "a").await;
    let held = lease(&mut host, &engine).await;
    // The end of the run is committed, and this process gets no further.
    fail(&mut host, &engine, held.attempt, UserCode).await;
    assert_eq!(retried(&engine, first).map(|owed| owed.by), Some(None));
    engine.shutdown().await;
    let next = world.engine().await;
    let retry = retry_of(&next, first).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let view = next.view();
    assert_eq!(view.state.runs.len(), 2, "once, whoever leads");
    assert_eq!(view.state.lineages[&first].len(), 1);
    assert!(view.state.lineages[&first].contains(&retry));
    let replayed = arco_testkit::replay::replay(&world.store).await;
    assert_eq!(replayed.hash(), view.state.hash());
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_cannot_be_planned_is_dropped_with_the_reason() {
    let world = World::new();
    let (engine, mut host) = retrying(&world, 3).await;
    let first = run(&engine, "c").await;
    let held = lease(&mut host, &engine).await;
    // Between lease and end the asset is taken out of the code.
    let without = ManifestBuilder::new("main").asset(asset("a"));
    arco_testkit::world::deploy(&engine, &without).await;
    fail(&mut host, &engine, held.attempt, UserCode).await;
    until(&engine, "the retry is dropped", |view| {
        view.state.retries_owed.is_empty()
    })
    .await;
    let dropped = retried(&engine, first).and_then(|retried| retried.dropped);
    let reason = dropped.expect("a reason is kept");
    assert!(reason.contains("step `c`"), "{reason}");
    assert_eq!(engine.view().state.runs.len(), 1);
    let view = engine.view();
    let tags = &view.state.run(first).expect("it is known").tags;
    assert_eq!(tags["dagster/will_retry"], "false");
}
