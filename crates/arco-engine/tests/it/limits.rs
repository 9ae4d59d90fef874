//! Limits at the engine: slots over restarts, hosts that wait for a slot, and the leader's watch.

use std::time::Duration;

use arco_core::event::FailureClass;
use arco_core::limits::{Limits, TimeLimits};
use arco_engine::{Engine, RunAsk};
use arco_flow::command::{Command, Reported};
use arco_flow::state::{RunStatus, TaskStatus};
use arco_testkit::world::{self, ask};
use arco_testkit::{ManifestBuilder, World, asset};
use serde_json::{Value, json};

use crate::support::*;

async fn limit(engine: &Engine, limits: Value) {
    let limits: Limits = serde_json::from_value(limits).expect("limits");
    let set = engine.submit("client:test", "limits", Command::SetLimits(limits));
    set.await.expect("they hold together");
}

fn pooled() -> ManifestBuilder {
    ManifestBuilder::new("main").asset(asset("a").step_with("pool", json!("db")))
}

fn timed(limits: TimeLimits) -> RunAsk {
    RunAsk {
        time_limits: limits,
        ..ask("*")
    }
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_held_over_a_restart_and_wakes_who_waits_for_it() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &pooled()).await;
    limit(&engine, json!({"pools": {"db": {"limit": 1}}})).await;
    let (first, second) = (run(&engine, "a").await, run(&engine, "a").await);
    let held = lease(&mut host, &engine).await;
    assert_eq!(held.attempt.run, first);
    engine.shutdown().await;

    let engine = world.engine().await;
    let mut other = world.host(&engine, "main").await;
    assert!(other.ask(&engine, 1).await.expect("it is heard").is_empty());
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move {
            let wait = Duration::from_secs(60);
            let work = other.exchange_waiting(&engine, Vec::new(), 1, wait).await;
            work.expect("it is heard").leases
        }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished(), "the slot is taken");
    succeed(&mut host, &engine, &held).await;
    let leases = waiting.await.expect("the host asks");
    assert_eq!(leases.len(), 1);
    assert_eq!(leases[0].attempt.run, second);
}

#[tokio::test(start_paused = true)]
async fn the_leader_fails_a_run_that_waits_for_too_long() {
    let world = World::new();
    let (engine, _) = ready(&world, &chain()).await;
    limit(&engine, json!({"runs": 0})).await;
    let limits = TimeLimits {
        queue_ms: Some(600_000),
        ..TimeLimits::default()
    };
    let id = world::run(&engine, timed(limits)).await.run;
    world.clock.advance(Duration::from_secs(599));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(run_status(&engine, id), RunStatus::Queued);
    world.clock.advance(Duration::from_secs(1));
    until(&engine, "the run fails", |view| {
        view.state
            .run(id)
            .is_some_and(|run| run.status == RunStatus::Failure)
    })
    .await;
    let found = events(&engine, "run.timed_out").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].principal, "controller:limits");
    assert_eq!(found[0].epoch, Some(engine.view().state.leadership.epoch));
}

#[tokio::test(start_paused = true)]
async fn a_run_over_its_time_is_stopped_by_its_host_and_fails_as_a_timeout() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    let limits = TimeLimits {
        run_ms: Some(5_000),
        ..TimeLimits::default()
    };
    let id = world::run(&engine, timed(limits)).await.run;
    let held = lease(&mut host, &engine).await;
    host.say(&engine, held.attempt, Reported::Started)
        .await
        .expect("it is heard");
    world.clock.advance(Duration::from_secs(5));
    until(&engine, "the run is being stopped", |view| {
        view.state
            .run(id)
            .is_some_and(|run| run.status == RunStatus::Canceling)
    })
    .await;
    let told = host.heartbeat(&engine).await.expect("the host is heard");
    assert_eq!(told.cancels, [held.attempt]);
    host.say(&engine, held.attempt, Reported::Cancelled)
        .await
        .expect("it is heard");
    assert_eq!(run_status(&engine, id), RunStatus::Failure);
    let view = engine.view();
    let task = view.state.run(id).expect("known").task(0).expect("a");
    assert_eq!(task.status, TaskStatus::Failed);
    assert_eq!(
        task.failure().map(|(class, _)| class),
        Some(FailureClass::Timeout)
    );
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_does_not_lead_enforces_nothing_and_its_successor_does() {
    let world = World::new();
    let (engine, _) = ready(&world, &chain()).await;
    let two = world.engine_named("two").await;
    assert!(engine.is_leader() && !two.is_leader());
    let limits = TimeLimits {
        queue_ms: Some(1_000),
        ..TimeLimits::default()
    };
    let id = world::run(&engine, timed(limits)).await.run;
    engine.shutdown().await;
    world.clock.advance(Duration::from_secs(2));
    until(&two, "its successor fails the run", |view| {
        view.state
            .run(id)
            .is_some_and(|run| run.status == RunStatus::Failure)
    })
    .await;
}
