//! Worker hosts: lost ones, late ones, and those that say things twice.

use std::time::Duration;

use arco_flow::command::{Command, Reported};
use arco_flow::state::{RunStatus, TaskStatus};
use arco_testkit::World;
use arco_testkit::host::succeeds;

use crate::support::*;
use arco_core::asset_fact::AssetFact;

const LEASE: Duration = Duration::from_secs(15);
const MARGIN: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_silent_host_loses_its_task_only_after_its_lease() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    let id = run(&engine, "a").await;
    let held = lease(&mut host, &engine).await;
    let mut other = world.host(&engine, "main").await;
    for _ in 0..4 {
        world.clock.advance((LEASE + MARGIN) / 4);
        // The leader has looked many times by now, and the other host lives.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let got = other.ask(&engine, 1).await.expect("the host is heard");
        assert!(got.is_empty(), "the lease is not over");
    }
    world.clock.advance(Duration::from_millis(1));
    until(&engine, "the host is lost", |view| {
        view.state.hosts[&host.id].status == arco_flow::state::HostStatus::Lost
    })
    .await;
    let again = lease(&mut other, &engine).await;
    assert_eq!(again.attempt.number, 2);
    assert_eq!(again.attempt.task, held.attempt.task);
    let late = host
        .exchange(&engine, vec![(held.attempt, Reported::Succeeded)], 1)
        .await;
    assert_eq!(code(late), "fenced");
    assert_eq!(code(host.heartbeat(&engine).await), "fenced");
    assert_eq!(code(host.register(&engine).await), "fenced");
    succeed(&mut other, &engine, &again).await;
    assert_eq!(run_status(&engine, id), RunStatus::Success);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_speaks_keeps_its_task() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    let id = run(&engine, "a").await;
    let held = lease(&mut host, &engine).await;
    for _ in 0..20 {
        world.clock.advance(Duration::from_secs(10));
        host.heartbeat(&engine).await.expect("the host is heard");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert_eq!(tasks(&engine, id), [TaskStatus::Leased]);
    succeed(&mut host, &engine, &held).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_registers_again_keeps_what_it_holds() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    run(&engine, "a").await;
    let held = lease(&mut host, &engine).await;
    engine.shutdown().await;
    let engine = world.engine_named("two").await;
    until(&engine, "it leads", |view| view.leads).await;
    let foreign = arco_core::AttemptId {
        number: 9,
        ..held.attempt
    };
    host.live.push(foreign);
    assert_eq!(
        host.register(&engine).await.expect("it may"),
        [held.attempt]
    );
    let registered = events(&engine, "host.registered").await;
    assert_eq!(registered.len(), 1, "coming back is no event");
    succeed(&mut host, &engine, &held).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_leaves_gives_back_at_once() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    run(&engine, "a").await;
    lease(&mut host, &engine).await;
    let left = engine
        .submit("worker:main", "leave", Command::HostLeft(host.id))
        .await;
    left.expect("a host may leave");
    let mut other = world.host(&engine, "main").await;
    assert_eq!(lease(&mut other, &engine).await.attempt.number, 2);
    assert_eq!(code(host.ask(&engine, 1).await), "unknown_host");
}

#[tokio::test(start_paused = true)]
async fn late_foreign_and_unknown_reports_change_nothing() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    let id = run(&engine, "*").await;
    let held = lease(&mut host, &engine).await;
    let mut thief = world.host(&engine, "main").await;
    let all = [
        Reported::Started,
        Reported::Succeeded,
        Reported::Cancelled,
        Reported::Released,
        arco_testkit::host::failed(UserCode),
        arco_testkit::host::makes(&held).remove(0),
    ];
    let before = engine.view().state.hash();
    let nowhere = arco_core::RunId::from_parts(3, 3);
    let strange = [
        held.attempt,
        arco_core::AttemptId {
            number: 7,
            ..held.attempt
        },
        arco_core::AttemptId {
            task: 99,
            ..held.attempt
        },
        arco_core::AttemptId {
            run: nowhere,
            ..held.attempt
        },
    ];
    for said in &all {
        for attempt in strange {
            let work = thief
                .say(&engine, attempt, said.clone())
                .await
                .expect("it is heard");
            assert_eq!(work.refused.len(), 1, "{attempt} {said:?}");
        }
    }
    assert_eq!(
        engine.view().state.hash(),
        before,
        "nobody else speaks for an attempt"
    );
    succeed(&mut host, &engine, &held).await;
    let after = engine.view().state.hash();
    for said in &all {
        let work = host
            .say(&engine, held.attempt, said.clone())
            .await
            .expect("it is heard");
        assert!(
            work.refused.is_empty(),
            "the host said it before: its answer was lost"
        );
    }
    assert_eq!(engine.view().state.hash(), after, "an attempt ends once");
    assert_eq!(tasks(&engine, id)[0], TaskStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_answer_was_lost_is_given_again() {
    let (engine, mut host) = ready(&World::new(), &chain()).await;
    run(&engine, "*").await;
    let first = lease(&mut host, &engine).await;
    host.live.clear();
    let again = lease(&mut host, &engine).await;
    assert_eq!(again.attempt, first.attempt);
    assert_eq!(events(&engine, "attempt.leased").await.len(), 1);
    succeed(&mut host, &engine, &again).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_given_back_costs_no_try() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    let id = run(&engine, "a").await;
    let held = lease(&mut host, &engine).await;
    host.say(&engine, held.attempt, Reported::Released)
        .await
        .expect("the host is heard");
    assert_eq!(tasks(&engine, id), [TaskStatus::Ready]);
    let next = lease(&mut host, &engine).await;
    assert_eq!((next.attempt.number, next.retry_number), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_host_gets_tasks_of_its_location_only() {
    let world = World::new();
    let (engine, _) = ready(&world, &chain()).await;
    run(&engine, "*").await;
    let mut stranger = world.host(&engine, "elsewhere").await;
    assert!(
        stranger
            .ask(&engine, 5)
            .await
            .expect("it is heard")
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_kills_its_hosts_is_given_up() {
    let world = World::new();
    let (engine, first) = ready(&world, &chain()).await;
    let id = run(&engine, "a").await;
    let mut host = first;
    for number in 1..=4 {
        let held = lease(&mut host, &engine).await;
        assert_eq!(held.attempt.number, number);
        world.clock.advance(LEASE + MARGIN * 2);
        let lost = host.id;
        until(&engine, "the host is lost", |view| {
            view.state.hosts[&lost].status == arco_flow::state::HostStatus::Lost
        })
        .await;
        host = world.host(&engine, "main").await;
    }
    assert_eq!(tasks(&engine, id), [TaskStatus::Failed]);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_exchange_has_its_effect_once() {
    let (engine, mut host) = ready(&World::new(), &chain()).await;
    run(&engine, "*").await;
    let held = lease(&mut host, &engine).await;
    let said: Vec<_> = succeeds(&held)
        .into_iter()
        .map(|said| (held.attempt, said))
        .collect();
    let twin = &mut host.clone();
    let first = host
        .exchange(&engine, said.clone(), 1)
        .await
        .expect("the host is heard");
    let second = twin
        .exchange(&engine, said, 1)
        .await
        .expect("the host is heard");
    assert_eq!(first.leases[0].attempt, second.leases[0].attempt);
    assert_eq!(events(&engine, "asset.materialized").await.len(), 1);
    assert_eq!(events(&engine, "attempt.leased").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn facts_said_again_after_a_lost_answer_are_recorded_once() {
    let world = World::new();
    let manifest = arco_testkit::ManifestBuilder::new("main")
        .asset(arco_testkit::asset("a"))
        .check(arco_testkit::check("a", "good").inside());
    let (engine, mut host) = ready(&world, &manifest).await;
    run(&engine, "a").await;
    let held = lease(&mut host, &engine).await;
    // Everything but the end, twice, and the second time to another process.
    let mut facts = succeeds(&held);
    facts.pop();
    for fact in &facts {
        let said = host.say(&engine, held.attempt, fact.clone()).await;
        said.expect("the host is heard");
    }
    engine.shutdown().await;
    let again = world.engine_named("two").await;
    for fact in &facts {
        let said = host.say(&again, held.attempt, fact.clone()).await;
        said.expect("the host is heard");
    }
    for kind in ["attempt.started", "asset.materialized", "check.evaluated"] {
        assert_eq!(events(&again, kind).await.len(), 1, "{kind}");
    }
    let mut other = facts[1].clone();
    if let Reported::Asset(AssetFact::Materialized(made)) = &mut other {
        made.metadata.insert(
            "rows".into(),
            serde_json::json!({"type": "int", "value": 2}),
        );
    }
    let said = host.say(&again, held.attempt, other).await;
    said.expect("the host is heard");
    let made = events(&again, "asset.materialized").await.len();
    assert_eq!(made, 2, "something else is news");
}
