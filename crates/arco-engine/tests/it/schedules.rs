//! Schedules fire by themselves, once, whatever happens to clocks, replicas and the store.

use std::sync::Arc;
use std::time::Duration;

use arco_core::Timestamp;
use arco_core::event::TickId;
use arco_engine::{Engine, View};
use arco_flow::command::Command;
use arco_flow::state::{TickRow, TickStatus};
use arco_log::LogStore;
use arco_testkit::clock::START;
use arco_testkit::store::{FaultRates, FaultStore};
use arco_testkit::world::deploy;
use arco_testkit::{ManifestBuilder, World, asset};
use object_store::memory::InMemory;
use serde_json::{Value, json};

use crate::support::*;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn schedule(extra: Value) -> ManifestBuilder {
    let mut schedule = json!({"name": "s", "cron": ["0 * * * *"], "selection": ["a"],
        "default_status": "running", "catch_up": {"policy": "all"}});
    for (key, value) in extra.as_object().expect("a mapping") {
        schedule[key] = value.clone();
    }
    let numbers = json!({"type": "object", "properties": {"rows": {"type": "integer"}}});
    ManifestBuilder::new("main")
        .asset(asset("a").step_with("config_schema", numbers))
        .schedule(schedule)
}

fn after(hours: u64) -> Timestamp {
    START.plus_ms(hours * 3_600_000)
}

/// Lets every engine look around; the manual clock stands still.
async fn a_while() {
    tokio::time::sleep(Duration::from_secs(90)).await;
}

/// `hour status` of every tick, oldest first.
fn ticks(view: &View) -> Vec<String> {
    let row = |tick: &arco_flow::state::Tick| {
        let hour = tick.id.instant.ms_since(START) / 3_600_000;
        match &tick.outcome {
            TickRow::Missed { count, .. } => format!("{hour} missed {count}"),
            _ => format!("{hour} {:?}", tick.status()).to_lowercase(),
        }
    };
    view.state.ticks_of("s").map(row).collect()
}

fn runs_of_ticks(engine: &Engine) -> Vec<TickId> {
    let view = engine.view();
    let mut ticks: Vec<TickId> = view
        .state
        .runs
        .values()
        .filter_map(|run| run.tick.clone())
        .collect();
    ticks.sort();
    ticks
}

#[tokio::test(start_paused = true)]
async fn a_schedule_fires_at_its_instant_and_writes_nothing_before() {
    let world = World::new();
    let engine = world.engine().await;
    deploy(&engine, &schedule(json!({}))).await;
    let before = engine.view().head.segment;
    world.clock.advance(Duration::from_secs(3_599));
    a_while().await;
    assert_eq!(
        engine.view().head.segment,
        before,
        "an idle workspace writes nothing"
    );
    world.clock.advance(Duration::from_secs(1));
    until(&engine, "it fires", |view| view.state.ticks.len() == 1).await;
    assert_eq!(
        engine.view().head.segment,
        before + 1,
        "tick and run are one segment"
    );
    assert_eq!(story(&engine).await, ["run.requested", "tick.finished"]);
    let raw = events(&engine, "tick.finished")
        .await
        .pop()
        .expect("a tick");
    assert_eq!(raw.principal, "controller:schedules");
    assert!(
        raw.epoch.is_some(),
        "the fold ignores it once another leads"
    );
    let mut host = world.host(&engine, "main").await;
    let done = host.work(&engine, arco_testkit::host::succeeds).await;
    assert_eq!(done.expect("the host is heard").len(), 1);
    a_while().await;
    assert_eq!(ticks(&engine.view()), ["1 success"]);
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_jumps_forward_fires_nothing_of_the_future() {
    for jump in [HOUR, DAY] {
        let world = World::new();
        let (engine, _host) = ready(&world, &schedule(json!({}))).await;
        let wrong = START.plus_ms(u64::try_from(jump.as_millis()).expect("small"));
        world.clock.set_wall(wrong);
        a_while().await;
        assert_eq!(engine.clock_off_ms(), Some(wrong.0 - START.0));
        assert!(engine.view().state.ticks.is_empty());
        // What people ask for bears no time of the future either.
        run(&engine, "a").await;
        assert_eq!(engine.view().state.time, START);
        world.clock.advance(HOUR);
        a_while().await;
        assert!(
            engine.view().state.ticks.is_empty(),
            "time-driven work waits for the clock"
        );
        world.clock.set_wall(after(1));
        a_while().await;
        assert_eq!(engine.clock_off_ms(), None);
        assert_eq!(ticks(&engine.view()), ["1 success"], "{jump:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_goes_back_repeats_nothing() {
    let world = World::new();
    let (engine, _host) = ready(&world, &schedule(json!({}))).await;
    world.clock.advance(2 * HOUR);
    a_while().await;
    world.clock.set_wall(after(1));
    a_while().await;
    assert_eq!(engine.clock_off_ms(), Some(-3_600_000));
    // A process that starts believes its clock; the log does not let it repeat anything.
    engine.shutdown().await;
    let engine = world.engine().await;
    a_while().await;
    world.clock.advance(HOUR);
    a_while().await;
    assert_eq!(ticks(&engine.view()), ["1 success", "2 success"]);
    world.clock.advance(HOUR);
    a_while().await;
    assert_eq!(ticks(&engine.view()).len(), 3);
    assert_eq!(runs_of_ticks(&engine).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn after_three_days_without_anyone_all_are_caught_up_or_told_missed() {
    for (policy, expected) in [
        (
            "all",
            (1..=72)
                .map(|hour| format!("{hour} success"))
                .collect::<Vec<_>>(),
        ),
        (
            "latest",
            vec!["71 missed 71".to_owned(), "72 success".to_owned()],
        ),
        ("skip", vec!["72 missed 72".to_owned()]),
    ] {
        let world = World::new();
        let engine = world.engine().await;
        deploy(&engine, &schedule(json!({"catch_up": {"policy": policy}}))).await;
        engine.shutdown().await;
        world.clock.advance(3 * DAY + 2 * MINUTE);
        let engine = world.engine().await;
        a_while().await;
        assert_eq!(ticks(&engine.view()), expected, "{policy}");
        let made = expected
            .iter()
            .filter(|tick| tick.ends_with("success"))
            .count();
        assert_eq!(runs_of_ticks(&engine).len(), made);
    }
}

#[tokio::test(start_paused = true)]
async fn however_often_and_wherever_timers_are_fired_a_tick_is_decided_once() {
    let world = World::new().with(|settings| settings.leader_ttl_ms = 10_000);
    let one = world.engine_named("one").await;
    deploy(&one, &schedule(json!({}))).await;
    let two = world.engine_named("two").await;
    let three = world.engine_named("three").await;
    for _ in 0..3 {
        world.clock.advance(HOUR);
        let calls = [&one, &two, &three, &one, &two, &three].map(Engine::fire_timers);
        for fired in futures::future::join_all(calls).await {
            fired.expect("a wake-up does no harm");
        }
    }
    a_while().await;
    assert_eq!(ticks(&one.view()), ["1 success", "2 success", "3 success"]);
    assert_eq!(story(&one).await.len(), 6, "one run and one end each");
}

#[tokio::test(start_paused = true)]
async fn a_follower_takes_over_what_a_silent_leader_leaves_undone() {
    let memory = Arc::new(InMemory::new());
    let way = FaultStore::new(Arc::clone(&memory) as _, 0, FaultRates::default());
    let world = World::on(LogStore::new(Arc::clone(&memory) as _));
    let mut options = world.options("one");
    options.store = LogStore::new(Arc::clone(&way) as _);
    let one = Engine::start(options).await.expect("it starts");
    // Its ticks fail and ask for no run: a run that is not over is a reason of its own to take over.
    deploy(&one, &schedule(json!({"selection": ["group:none"]}))).await;
    let two = world.engine_named("two").await;
    // An idle leader is silent for an hour and keeps its lead: it fires first.
    world.clock.advance(HOUR);
    a_while().await;
    assert!(one.is_leader() && !two.is_leader());
    assert_eq!(ticks(&two.view()), ["1 failure"]);
    way.set_rates(FaultRates::outage());
    world.clock.advance(HOUR);
    a_while().await;
    assert_eq!(ticks(&two.view()), ["1 failure"], "the ttl is not over");
    world.clock.advance(MINUTE);
    a_while().await;
    assert!(two.is_leader());
    assert_eq!(ticks(&two.view()), ["1 failure", "2 failure"]);
    way.set_rates(FaultRates::default());
    a_while().await;
    assert_eq!(ticks(&one.view()), ["1 failure", "2 failure"]);
}

#[tokio::test(start_paused = true)]
async fn a_tick_whose_put_fails_is_decided_when_the_store_is_back() {
    let (world, store) = World::faulty();
    let (engine, _host) = ready(&world, &schedule(json!({}))).await;
    store.set_rates(FaultRates::outage());
    world.clock.advance(HOUR);
    a_while().await;
    assert!(engine.view().state.ticks.is_empty());
    store.set_rates(FaultRates::default());
    a_while().await;
    assert_eq!(ticks(&engine.view()), ["1 success"]);
    assert_eq!(runs_of_ticks(&engine).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn configuration_that_does_not_fit_is_a_failed_tick_with_the_path() {
    let world = World::new();
    let config = json!({"ops": {"a": {"config": {"rows": "many"}}}});
    let (engine, _host) = ready(&world, &schedule(json!({"config": config}))).await;
    world.clock.advance(HOUR);
    a_while().await;
    let view = engine.view();
    let tick = view.state.ticks_of("s").next().expect("a tick");
    assert_eq!(tick.status(), TickStatus::Failure);
    let TickRow::Failure { error } = &tick.outcome else {
        panic!("{tick:?}");
    };
    assert!(
        error.message.contains("`ops.a.config.rows`"),
        "{}",
        error.message
    );
    assert!(view.state.runs.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_big_plan_of_a_tick_stands_in_a_blob() {
    let world = World::new().with(|settings| settings.inline_plan_max = 10);
    let keys: Vec<String> = (0..40).map(|n| format!("k{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let manifest = ManifestBuilder::new("main")
        .asset(asset("a").partitions(&keys))
        .schedule(
            json!({"name": "s", "cron": ["@hourly"], "selection": ["a"], "partitions": "last",
            "default_status": "running"}),
        );
    let (engine, _host) = ready(&world, &manifest).await;
    world.clock.advance(HOUR);
    a_while().await;
    assert_eq!(runs_of_ticks(&engine).len(), 40);
    let requested = events(&engine, "run.requested").await;
    assert!(requested.iter().all(|event| event.blobs.len() == 1));
    engine.shutdown().await;
    let again = world.engine().await;
    assert_eq!(
        runs_of_ticks(&again).len(),
        40,
        "what a blob holds is read again"
    );
}

#[tokio::test(start_paused = true)]
async fn stopping_and_starting_take_effect_at_once() {
    let world = World::new();
    let (engine, _host) = ready(&world, &schedule(json!({}))).await;
    let tell = |command: Command| engine.submit("client:anna", "request", command);
    tell(Command::StopSchedule("s".into()))
        .await
        .expect("it is known");
    world.clock.advance(2 * HOUR);
    a_while().await;
    tell(Command::StartSchedule("s".into()))
        .await
        .expect("it is known");
    world.clock.advance(HOUR);
    a_while().await;
    assert_eq!(ticks(&engine.view()), ["3 success"]);
    let unknown = tell(Command::StartSchedule("t".into())).await;
    assert_eq!(code(unknown), "unknown_schedule");
}

#[tokio::test(start_paused = true)]
async fn old_ticks_leave_memory_and_are_found_in_history() {
    let world = World::new().with(|settings| {
        settings.ticks_max = 20;
        settings.snapshot_segments = 10;
    });
    let (engine, _host) = ready(&world, &schedule(json!({}))).await;
    for _ in 0..20 {
        world.clock.advance(5 * HOUR);
        a_while().await;
    }
    let view = engine.view();
    assert!(view.state.ticks.len() <= 40, "{}", view.state.ticks.len());
    assert!(view.state.tick_history.len() > 1);
    for size in [1, 7, 1_000] {
        let mut found: Vec<Timestamp> = view.state.ticks_of("s").map(|t| t.id.instant).collect();
        found.reverse();
        loop {
            let before = found.last().copied();
            let past = engine.past_ticks("s", before, size).await;
            let past = past.expect("history reads");
            if past.is_empty() {
                break;
            }
            found.extend(past.iter().map(|tick| tick.id.instant));
        }
        let all: Vec<Timestamp> = (1..=100).rev().map(after).collect();
        assert_eq!(found, all, "pages of {size}");
    }
    let newest = engine.past_ticks("s", None, 1).await.expect("it reads");
    assert_eq!(newest[0].status(), TickStatus::Success);
    let other = engine.past_ticks("t", None, 10).await.expect("it reads");
    assert!(other.is_empty());
}
