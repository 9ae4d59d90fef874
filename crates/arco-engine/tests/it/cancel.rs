//! A run that is asked to stop, in each state it can be in.

use arco_flow::command::{Command, Reported};
use arco_flow::state::{RunStatus, TaskStatus};
use arco_testkit::{ManifestBuilder, World, asset};

use crate::support::*;

async fn cancel(engine: &arco_engine::Engine, run: arco_core::RunId) {
    let asked = engine
        .submit("client:test", "cancel", Command::CancelRun(run))
        .await;
    asked.expect("a known run can be asked to stop");
}

#[tokio::test(start_paused = true)]
async fn a_queued_run_is_over_at_once() {
    let (engine, mut host) = ready(&World::new(), &chain()).await;
    let id = run(&engine, "*").await;
    cancel(&engine, id).await;
    assert_eq!(run_status(&engine, id), RunStatus::Canceled);
    assert_eq!(tasks(&engine, id), [TaskStatus::Cancelled; 3]);
    assert!(
        host.ask(&engine, 1)
            .await
            .expect("the host is heard")
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_held_task_stays_held_until_its_host_has_stopped_it() {
    for started in [false, true] {
        let (engine, mut host) = ready(&World::new(), &chain()).await;
        let id = run(&engine, "*").await;
        let held = lease(&mut host, &engine).await;
        if started {
            host.say(&engine, held.attempt, Reported::Started)
                .await
                .expect("it is heard");
        }
        cancel(&engine, id).await;
        assert_eq!(run_status(&engine, id), RunStatus::Canceling);
        let now = if started {
            TaskStatus::Running
        } else {
            TaskStatus::Leased
        };
        assert_eq!(
            tasks(&engine, id),
            [now, TaskStatus::Cancelled, TaskStatus::Cancelled]
        );
        let told = host.heartbeat(&engine).await.expect("the host is heard");
        assert_eq!(told.cancels, [held.attempt]);
        let told = host.ask_for_orders(&engine).await;
        assert_eq!(told, [held.attempt]);
        host.say(&engine, held.attempt, Reported::Cancelled)
            .await
            .expect("the host is heard");
        assert_eq!(run_status(&engine, id), RunStatus::Canceled);
        assert_eq!(tasks(&engine, id), [TaskStatus::Cancelled; 3]);
        assert!(engine.view().state.hosts[&host.id].attempts.is_empty());
        assert!(
            host.heartbeat(&engine)
                .await
                .expect("it is heard")
                .cancels
                .is_empty()
        );
    }
}

trait Orders {
    async fn ask_for_orders(&mut self, engine: &arco_engine::Engine) -> Vec<arco_core::AttemptId>;
}

impl Orders for arco_testkit::ScriptedHost {
    async fn ask_for_orders(&mut self, engine: &arco_engine::Engine) -> Vec<arco_core::AttemptId> {
        self.exchange(engine, Vec::new(), 0)
            .await
            .expect("the host is heard")
            .cancels
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_task_that_ends_otherwise_keeps_its_own_end() {
    let ends = [
        (Reported::Succeeded, TaskStatus::Succeeded),
        (arco_testkit::host::failed(UserCode), TaskStatus::Failed),
        (Reported::Released, TaskStatus::Cancelled),
        (Reported::Cancelled, TaskStatus::Cancelled),
    ];
    for (end, status) in ends {
        let manifest = ManifestBuilder::new("main")
            .asset(asset("a").retries(3, 0))
            .asset(asset("b").needs("a"));
        let (engine, mut host) = ready(&World::new(), &manifest).await;
        let id = run(&engine, "*").await;
        let held = lease(&mut host, &engine).await;
        cancel(&engine, id).await;
        host.say(&engine, held.attempt, end.clone())
            .await
            .expect("the host is heard");
        assert_eq!(
            tasks(&engine, id),
            [status, TaskStatus::Cancelled],
            "{end:?}"
        );
        assert_eq!(run_status(&engine, id), RunStatus::Canceled, "{end:?}");
        assert!(
            engine.view().state.retrying.is_empty(),
            "nothing is tried again"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_its_next_try_is_not_tried_again() {
    let world = World::new();
    let manifest = ManifestBuilder::new("main").asset(asset("a").retries(3, 1_000));
    let (engine, mut host) = ready(&world, &manifest).await;
    let id = run(&engine, "*").await;
    let held = lease(&mut host, &engine).await;
    fail(&mut host, &engine, held.attempt, UserCode).await;
    cancel(&engine, id).await;
    assert_eq!(run_status(&engine, id), RunStatus::Canceled);
    world.clock.advance(std::time::Duration::from_secs(2));
    assert!(
        host.ask(&engine, 1)
            .await
            .expect("the host is heard")
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_host_ends_a_run_that_is_being_stopped() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    let id = run(&engine, "*").await;
    lease(&mut host, &engine).await;
    cancel(&engine, id).await;
    world.clock.advance(std::time::Duration::from_secs(17));
    until(&engine, "the run is over", |view| {
        view.state.active_runs.is_empty()
    })
    .await;
    assert_eq!(run_status(&engine, id), RunStatus::Canceled);
}

#[tokio::test(start_paused = true)]
async fn stopping_twice_or_after_the_end_changes_nothing() {
    let (engine, mut host) = ready(&World::new(), &chain()).await;
    let id = run(&engine, "*").await;
    lease(&mut host, &engine).await;
    cancel(&engine, id).await;
    let once = engine.view().position();
    cancel(&engine, id).await;
    assert_eq!(engine.view().position(), once);
    let other = run(&engine, "a").await;
    host.live.clear();
    let done = run(&engine, "c").await;
    let work = host.work(&engine, arco_testkit::host::succeeds).await;
    work.expect("the host is heard");
    let over = engine.view().position();
    cancel(&engine, done).await;
    cancel(&engine, other).await;
    assert_eq!(engine.view().position(), over);
    let nobody = arco_core::RunId::from_parts(1, 1);
    let asked = engine
        .submit("client:test", "cancel", Command::CancelRun(nobody))
        .await;
    assert_eq!(code(asked), "unknown_run");
}
