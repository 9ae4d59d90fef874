//! Another try: when, how often, and never two at once.

use std::time::Duration;

use arco_core::event::FailureClass;
use arco_flow::command::Reported;
use arco_flow::state::{RunStatus, TaskStatus};
use arco_testkit::{ManifestBuilder, World, asset};
use serde_json::json;

use crate::support::*;

fn retried(policy: serde_json::Value) -> ManifestBuilder {
    ManifestBuilder::new("main").asset(asset("a").retry(policy))
}

#[tokio::test(start_paused = true)]
async fn the_next_try_waits_for_its_delay() {
    let world = World::new();
    let policy = json!({"max_retries": 2, "delay_ms": 2_000, "backoff": "exponential"});
    let (engine, mut host) = ready(&world, &retried(policy)).await;
    let id = run(&engine, "a").await;
    for (number, delay) in [(1, 2_000), (2, 6_000)] {
        let held = lease(&mut host, &engine).await;
        assert_eq!(held.attempt.number, number);
        assert_eq!(held.retry_number, number - 1);
        fail(&mut host, &engine, held.attempt, UserCode).await;
        assert_eq!(tasks(&engine, id), [TaskStatus::Retrying]);
        world.clock.advance(Duration::from_millis(delay - 1));
        assert!(
            host.ask(&engine, 1)
                .await
                .expect("the host is heard")
                .is_empty()
        );
        world.clock.advance(Duration::from_millis(1));
    }
    let last = lease(&mut host, &engine).await;
    assert_eq!(last.attempt.number, 3);
    fail(&mut host, &engine, last.attempt, UserCode).await;
    assert_eq!(tasks(&engine, id), [TaskStatus::Failed]);
    assert_eq!(run_status(&engine, id), RunStatus::Failure);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_host_gets_the_next_try_when_it_is_due() {
    // Here the clock goes with the runtime's time, as both do in a real process.
    let world = World::new();
    let mut options = world.options("one");
    let clock = arco_testkit::clock::RuntimeClock::new(
        arco_testkit::clock::START,
        Duration::from_secs(5),
        0,
    );
    options.clock = std::sync::Arc::new(clock);
    let engine = arco_engine::Engine::start(options)
        .await
        .expect("it starts");
    let policy = json!({"max_retries": 1, "delay_ms": 4_000});
    arco_testkit::world::deploy(&engine, &retried(policy)).await;
    let mut host = world.host(&engine, "main").await;
    run(&engine, "a").await;
    let first = lease(&mut host, &engine).await;
    fail(&mut host, &engine, first.attempt, UserCode).await;
    let failed_at = tokio::time::Instant::now();
    let wait = Duration::from_secs(30);
    let work = host
        .exchange_waiting(&engine, Vec::new(), 1, wait)
        .await
        .expect("it is heard");
    assert_eq!(work.leases.len(), 1);
    let waited = failed_at.elapsed();
    assert!(
        waited >= Duration::from_secs(4) && waited < Duration::from_secs(5),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn jitter_is_derived_so_every_replay_has_the_same() {
    let policy = json!({"max_retries": 1, "delay_ms": 60_000, "jitter": "full"});
    let mut due = Vec::new();
    for _ in 0..2 {
        let world = World::new();
        let (engine, mut host) = ready(&world, &retried(policy.clone())).await;
        run(&engine, "a").await;
        let held = lease(&mut host, &engine).await;
        fail(&mut host, &engine, held.attempt, UserCode).await;
        let view = engine.view();
        let (at, ..) = *view
            .state
            .retrying
            .iter()
            .next()
            .expect("another try is due");
        let delay = at.ms_since(view.state.time);
        assert!(delay <= 60_000);
        due.push(delay);
        assert_eq!(
            arco_testkit::replay::replay(&world.store).await.hash(),
            view.state.hash()
        );
    }
    assert_eq!(due[0], due[1], "same ids, same jitter");
}

#[tokio::test(start_paused = true)]
async fn user_code_can_forbid_or_ask_for_another_try() {
    let said = |allow_retries, max_retries, class| Reported::Failed {
        class,
        error: arco_core::event::ErrorInfo {
            kind: "Failure".into(),
            message: "no".into(),
            traceback: String::new(),
        },
        allow_retries,
        retry_after_ms: Some(0),
        max_retries,
    };
    let rows = [
        // policy's retries, what is said → tries
        (3, said(false, None, FailureClass::UserCode), 1),
        (0, said(true, Some(2), FailureClass::RetryRequested), 3),
        (2, said(true, None, FailureClass::UserCode), 3),
        (2, said(true, None, FailureClass::Config), 1),
    ];
    for (policy, failure, tries) in rows {
        let manifest = retried(json!({"max_retries": policy}));
        let (engine, mut host) = ready(&World::new(), &manifest).await;
        run(&engine, "a").await;
        let done = host
            .work(&engine, |_| vec![Reported::Started, failure.clone()])
            .await;
        assert_eq!(done.expect("the host is heard").len(), tries, "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_host_takes_no_try_from_the_policy() {
    let world = World::new();
    let manifest = retried(json!({"max_retries": 1}));
    let (engine, mut host) = ready(&world, &manifest).await;
    let id = run(&engine, "a").await;
    let held = lease(&mut host, &engine).await;
    assert_eq!(held.attempt.number, 1);
    world.clock.advance(Duration::from_secs(17));
    until(&engine, "the host is lost", |view| {
        view.state.ready.len() + view.state.retrying.len() == 1
    })
    .await;
    let mut next = world.host(&engine, "main").await;
    let tries = next
        .work(&engine, |_| {
            vec![Reported::Started, arco_testkit::host::failed(UserCode)]
        })
        .await
        .expect("the host is heard");
    let numbers: Vec<u32> = tries.iter().map(|attempt| attempt.number).collect();
    assert_eq!(
        numbers,
        [2, 3],
        "one failure, and the one retry the policy grants"
    );
    assert_eq!(run_status(&engine, id), RunStatus::Failure);
}
