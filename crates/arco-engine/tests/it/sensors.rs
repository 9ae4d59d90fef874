//! Hosts are asked what schedules and sensors run; their answers count once, whatever is lost on the way.

use std::time::Duration;

use arco_core::Timestamp;
use arco_core::event::ErrorInfo;
use arco_engine::{
    Engine, EvaluationsCall, EvaluationsWork, HostAnswer, HostAsk, HostQuestion, MessageAsk,
    SensorTrial, View,
};
use arco_flow::command::Command;
use arco_flow::evaluation::{RunAsked, Said, Wanted};
use arco_flow::sensor::Found;
use arco_flow::state::EvaluationRow;
use arco_testkit::store::FaultRates;
use arco_testkit::world::deploy;
use arco_testkit::{ManifestBuilder, ScriptedHost, World, asset};
use serde_json::{Value, json};

use crate::support::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn with(sensors: &[Value]) -> ManifestBuilder {
    let mut manifest = ManifestBuilder::new("main").asset(asset("a"));
    for extra in sensors {
        let mut sensor = json!({"name": "s", "kind": "poll", "selection": ["a"],
            "default_status": "running"});
        for (key, value) in extra.as_object().expect("a mapping") {
            sensor[key] = value.clone();
        }
        manifest = manifest.sensor(sensor);
    }
    manifest
}

/// One call of a host about evaluations.
pub(crate) async fn call(
    engine: &Engine,
    host: &ScriptedHost,
    answers: Vec<HostAnswer>,
    busy: &[&str],
    wait: Duration,
) -> EvaluationsWork {
    let call = EvaluationsCall {
        answers,
        want: 10,
        busy: busy.iter().map(|id| (*id).to_owned()).collect(),
    };
    engine
        .evaluations(host.id, call, wait)
        .await
        .expect("the host is heard")
}

/// Waits for one question.
pub(crate) async fn question(engine: &Engine, host: &ScriptedHost) -> HostQuestion {
    let mut questions = call(engine, host, Vec::new(), &[], MINUTE).await.questions;
    assert_eq!(questions.len(), 1, "{questions:?}");
    questions.remove(0)
}

pub(crate) fn said(id: &str, said: Option<Said>) -> HostAnswer {
    HostAnswer {
        id: id.to_owned(),
        said,
        log: vec!["looked".into()],
        took_ms: 7,
    }
}

/// What went wrong with the last evaluation of `s`, once its first failure is decided.
pub(crate) async fn failure(engine: &Engine) -> ErrorInfo {
    until(engine, "it failed", |view| {
        view.state.sensors["s"].failures == 1
    })
    .await;
    let view = engine.view();
    let row = view.state.evaluations_of("s").next_back();
    match row.map(|row| &row.outcome) {
        Some(EvaluationRow::Failure { error, .. }) => error.clone(),
        other => panic!("no failure: {other:?}"),
    }
}

pub(crate) fn wants(id: &str, wanted: Wanted) -> HostAnswer {
    said(id, Some(Said::Returned(wanted)))
}

fn run_of(key: &str, cursor: &str) -> Wanted {
    Wanted {
        runs: vec![RunAsked {
            run_key: Some(key.into()),
            ..RunAsked::default()
        }],
        cursor: Some(cursor.into()),
        ..Wanted::default()
    }
}

pub(crate) fn raised() -> Option<Said> {
    Some(Said::Raised {
        error: ErrorInfo {
            kind: "ValueError".into(),
            message: "no".into(),
            traceback: String::new(),
        },
        before: None,
    })
}

fn cursor_of(question: &HostQuestion) -> Option<String> {
    match &question.ask {
        HostAsk::Sensor { question, .. } => question.cursor.clone(),
        HostAsk::Tick(_) | HostAsk::Mapping(_) => panic!("it is a sensor"),
    }
}

fn evaluated(view: &View) -> usize {
    view.state.evaluations.len()
}

/// Time passes, and the host says that it lives.
async fn passes(world: &World, engine: &Engine, host: &ScriptedHost, seconds: u64) {
    for step in 0..seconds.div_ceil(10) {
        let seconds = (seconds - step * 10).min(10);
        world.clock.advance(Duration::from_secs(seconds));
        engine.heartbeat(host.id, &[]).await.expect("it lives");
    }
}

/// Lets the engine look around; the manual clock stands still.
pub(crate) async fn a_while() {
    tokio::time::sleep(Duration::from_secs(90)).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_is_asked_and_its_answer_is_one_segment() {
    let world = World::new();
    let (engine, host) = ready(&world, &with(&[json!({})])).await;
    let asked = question(&engine, &host).await;
    assert_eq!(asked.timeout_ms, 60_000);
    let before = engine.view().head.segment;
    call(
        &engine,
        &host,
        vec![wants(&asked.id, run_of("k", "1"))],
        &[],
        SECOND,
    )
    .await;
    until(&engine, "it is decided", |view| evaluated(view) == 1).await;
    assert_eq!(engine.view().head.segment, before + 1);
    assert_eq!(
        story(&engine).await,
        ["run.requested", "evaluation.finished"]
    );
    let raw = events(&engine, "evaluation.finished")
        .await
        .pop()
        .expect("one");
    assert_eq!(raw.principal, "controller:sensors");
    assert!(
        raw.epoch.is_some(),
        "the fold ignores it once another leads"
    );
    // The same answer again is nobody's.
    call(
        &engine,
        &host,
        vec![wants(&asked.id, run_of("k2", "2"))],
        &[],
        SECOND,
    )
    .await;
    a_while().await;
    assert_eq!(evaluated(&engine.view()), 1);
    world.clock.advance(Duration::from_secs(30));
    let asked = question(&engine, &host).await;
    assert_eq!(cursor_of(&asked).as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_sensor_that_hangs_delays_no_other() {
    let world = World::new();
    let sensors = [
        json!({"name": "hangs"}),
        json!({"name": "quick", "minimum_interval_seconds": 1}),
    ];
    let (engine, host) = ready(&world, &with(&sensors)).await;
    let work = call(&engine, &host, Vec::new(), &[], MINUTE).await;
    let name = |question: &HostQuestion| match &question.ask {
        HostAsk::Sensor { question, .. } => question.sensor.clone(),
        HostAsk::Tick(_) | HostAsk::Mapping(_) => panic!("no schedule"),
    };
    let (hangs, quick): (Vec<_>, Vec<_>) = work.questions.iter().partition(|q| name(q) == "hangs");
    assert_eq!((hangs.len(), quick.len()), (1, 1));
    let mut id = quick[0].id.clone();
    for n in 1..=20 {
        let answer = wants(&id, run_of(&n.to_string(), &n.to_string()));
        let busy = [hangs[0].id.as_str()];
        call(&engine, &host, vec![answer], &busy, SECOND).await;
        until(&engine, "quick was evaluated", |view| evaluated(view) == n).await;
        world.clock.advance(SECOND);
        let next = call(&engine, &host, Vec::new(), &busy, MINUTE).await;
        assert_eq!(
            next.questions.len(),
            1,
            "the other is asked nothing more meanwhile"
        );
        assert_eq!(name(&next.questions[0]), "quick");
        id = next.questions[0].id.clone();
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_host_lost_is_asked_again_and_its_old_answer_counts_for_nothing() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &with(&[json!({})])).await;
    // The answer of the first call is lost: the next says nothing of the question.
    let lost = question(&engine, &host).await;
    let again = question(&engine, &host).await;
    assert_ne!(lost.id, again.id);
    let work = call(
        &engine,
        &host,
        vec![wants(&lost.id, run_of("old", "old"))],
        &[&lost.id, &again.id],
        SECOND,
    )
    .await;
    assert!(work.dropped.is_empty(), "what is answered needs no killing");
    a_while().await;
    assert_eq!(evaluated(&engine.view()), 0);
    // It is not asked for, and waits a moment.
    call(&engine, &host, vec![said(&again.id, None)], &[], SECOND).await;
    a_while().await;
    world.clock.advance(SECOND);
    let third = question(&engine, &host).await;
    // The host goes: another one is asked.
    engine
        .submit("worker:main", "leave", Command::HostLeft(host.id))
        .await
        .expect("it is there");
    host = world.host(&engine, "main").await;
    let fourth = question(&engine, &host).await;
    assert_ne!(third.id, fourth.id);
    // The cursor is set from outside: the child that is at work may be killed.
    let set = Command::SetCursor {
        sensor: "s".into(),
        cursor: Some("9".into()),
        state_version: None,
    };
    engine
        .submit("client:test", "cursor", set)
        .await
        .expect("it is there");
    let work = call(&engine, &host, Vec::new(), &[&fourth.id], SECOND).await;
    assert_eq!(work.dropped, std::slice::from_ref(&fourth.id));
    let fifth = question(&engine, &host).await;
    assert_eq!(cursor_of(&fifth).as_deref(), Some("9"));
    // A host that says nothing for twice the time limit and a little is not waited for.
    for _ in 0..13 {
        world.clock.advance(Duration::from_secs(10));
        engine.heartbeat(host.id, &[]).await.expect("it lives");
        call(&engine, &host, Vec::new(), &[&fifth.id], Duration::ZERO).await;
    }
    a_while().await;
    let sixth = call(&engine, &host, Vec::new(), &[&fifth.id], MINUTE).await;
    assert_eq!(sixth.questions.len(), 1);
    assert_eq!(evaluated(&engine.view()), 0);
}

#[tokio::test(start_paused = true)]
async fn an_idle_sensor_costs_a_handful_of_commits_an_hour() {
    let world = World::new();
    let (engine, host) = ready(&world, &with(&[json!({})])).await;
    let nothing = || Wanted {
        skip_reason: Some("no file".into()),
        ..Wanted::default()
    };
    let asked = question(&engine, &host).await;
    call(
        &engine,
        &host,
        vec![wants(&asked.id, nothing())],
        &[],
        SECOND,
    )
    .await;
    until(&engine, "the first look is told", |view| {
        evaluated(view) == 1
    })
    .await;
    let before = engine.view().head.segment;
    for _ in 0..120 {
        world.clock.advance(Duration::from_secs(30));
        let asked = question(&engine, &host).await;
        call(
            &engine,
            &host,
            vec![wants(&asked.id, nothing())],
            &[],
            SECOND,
        )
        .await;
        engine.heartbeat(host.id, &[]).await.expect("it lives");
    }
    let commits = engine.view().head.segment - before;
    assert!((1..=6).contains(&commits), "{commits} commits in an hour");
    // What is not written yet is written before what happens next.
    world.clock.advance(Duration::from_secs(30));
    let asked = question(&engine, &host).await;
    call(
        &engine,
        &host,
        vec![wants(&asked.id, run_of("k", "1"))],
        &[],
        SECOND,
    )
    .await;
    until(&engine, "a run", |view| view.state.runs.len() == 1).await;
    let view = engine.view();
    let counted: u64 = view
        .state
        .evaluations_of("s")
        .map(|row| match row.outcome {
            EvaluationRow::Idle { count, .. } => count,
            _ => 0,
        })
        .sum();
    assert_eq!(counted, 120);
}

#[tokio::test(start_paused = true)]
async fn failures_pause_and_the_cursor_stays() {
    let world = World::new();
    let (engine, host) = ready(&world, &with(&[json!({})])).await;
    for failures in 1..=3_u32 {
        let asked = question(&engine, &host).await;
        assert_eq!(cursor_of(&asked), None);
        call(&engine, &host, vec![said(&asked.id, raised())], &[], SECOND).await;
        until(&engine, "it failed", |view| {
            view.state.sensors["s"].failures == failures
        })
        .await;
        let pause = 30 << (failures - 1);
        passes(&world, &engine, &host, pause - 1).await;
        a_while().await;
        let early = call(&engine, &host, Vec::new(), &[], Duration::ZERO).await;
        assert!(early.questions.is_empty(), "it pauses for {pause} s");
        passes(&world, &engine, &host, 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_evaluated_once_over_lost_puts_and_a_change_of_leaders() {
    let (world, store) = World::faulty();
    let push = with(&[json!({"kind": "push"})]);
    let one = world.engine().await;
    deploy(&one, &push).await;
    let host = world.host(&one, "main").await;
    let message = |n: usize| MessageAsk {
        sensor: "s".into(),
        id: n.to_string(),
        // Every other one is too big for its event.
        data: json!({"n": n, "text": "x".repeat(if n.is_multiple_of(2) { 20_000 } else { 1 })}),
        attributes: [("source".to_owned(), "test".to_owned())].into(),
    };
    for n in 0..20 {
        let made = one.accept_message("client:test", "m", message(n)).await;
        assert!(made.expect("it is accepted").created);
        let again = one.accept_message("client:test", "m", message(n)).await;
        assert!(!again.expect("it is known").created);
    }
    let asked = question(&one, &host).await;
    let HostAsk::Sensor {
        question: with,
        data,
    } = &asked.ask
    else {
        panic!("a sensor")
    };
    assert_eq!(with.items.len(), 20);
    let read: Vec<usize> = data
        .iter()
        .map(|data| usize::try_from(data["n"].as_u64().expect("a number")).expect("small"))
        .collect();
    assert_eq!(read, (0..20).collect::<Vec<_>>());
    // The leader dies between asking and deciding; the next one asks again, and a put of it is lost.
    let two = world.engine_named("two").await;
    one.shutdown().await;
    two.catch_up().await.expect("it follows");
    until(&two, "it leads", |view| view.leads).await;
    two.heartbeat(host.id, &[]).await.expect("it is known");
    let again = question(&two, &host).await;
    assert_ne!(asked.id, again.id);
    store.set_rates(FaultRates {
        error_before: 300,
        error_after: 300,
        ..FaultRates::default()
    });
    let wanted = Wanted {
        runs: (0..20)
            .map(|item| RunAsked {
                answers: Some(item),
                tags: [("message".to_owned(), item.to_string())].into(),
                ..RunAsked::default()
            })
            .collect(),
        taken: 20,
        ..Wanted::default()
    };
    for id in [&asked.id, &again.id, &again.id] {
        call(&two, &host, vec![wants(id, wanted.clone())], &[], SECOND).await;
    }
    // What could not be decided is asked again.
    while !two.view().state.sensors["s"].queue.is_empty() {
        two.heartbeat(host.id, &[]).await.expect("it lives");
        let work = call(&two, &host, Vec::new(), &[], SECOND).await;
        let answers = work.questions.iter().map(|q| wants(&q.id, wanted.clone()));
        call(&two, &host, answers.collect(), &[], SECOND).await;
    }
    store.set_rates(FaultRates::default());
    a_while().await;
    let view = two.view();
    let mut of: Vec<String> = view
        .state
        .runs
        .values()
        .map(|run| run.tags["message"].clone())
        .collect();
    of.sort();
    let mut all: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    all.sort();
    assert_eq!(of, all, "one run for each message");
}

#[tokio::test(start_paused = true)]
async fn the_function_of_a_schedule_is_asked_at_its_instant() {
    let schedule = json!({"name": "f", "cron": ["0 * * * *"], "selection": ["a"], "function": true,
        "default_status": "running", "max_retries": 1});
    let world = World::new();
    let manifest = ManifestBuilder::new("main")
        .asset(asset("a"))
        .schedule(schedule);
    let (engine, host) = ready(&world, &manifest).await;
    world.clock.advance(60 * MINUTE);
    let tick = |question: &HostQuestion| match &question.ask {
        HostAsk::Tick(tick) => (tick.tick.to_string(), tick.attempt),
        HostAsk::Sensor { .. } | HostAsk::Mapping(_) => panic!("no sensor"),
    };
    engine.heartbeat(host.id, &[]).await.expect("it lives");
    let asked = question(&engine, &host).await;
    let (first, attempt) = tick(&asked);
    assert_eq!(attempt, 1);
    call(&engine, &host, vec![said(&asked.id, raised())], &[], SECOND).await;
    until(&engine, "it is tried again", |view| {
        view.state.schedules["f"].retry.is_some()
    })
    .await;
    world.clock.advance(Duration::from_secs(10));
    let asked = question(&engine, &host).await;
    assert_eq!(tick(&asked), (first, 2));
    let one = Wanted {
        runs: vec![RunAsked::default()],
        ..Wanted::default()
    };
    call(&engine, &host, vec![wants(&asked.id, one)], &[], SECOND).await;
    until(&engine, "it fires", |view| view.state.ticks.len() == 1).await;
    assert_eq!(
        story(&engine).await,
        ["tick.tried", "run.requested", "tick.finished"]
    );
    assert_eq!(engine.view().state.runs.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_trial_asks_and_changes_nothing() {
    let world = World::new();
    let manifest = with(&[json!({"kind": "push", "default_status": "stopped"})]);
    let engine = world.engine().await;
    deploy(&engine, &manifest).await;
    let nobody = engine.try_sensor("s", SensorTrial::default()).await;
    assert_eq!(code(nobody.map(|_| ())), "no_host");
    let unknown = engine.try_sensor("x", SensorTrial::default()).await;
    assert_eq!(code(unknown.map(|_| ())), "unknown_sensor");
    let host = world.host(&engine, "main").await;
    let before = engine.view().head.segment;
    let trial = SensorTrial {
        message: Some((json!({"file": "a"}), [].into())),
        ..SensorTrial::default()
    };
    let trying = engine.try_sensor("s", trial);
    let answering = async {
        let asked = question(&engine, &host).await;
        let HostAsk::Sensor { data, .. } = &asked.ask else {
            panic!("a sensor")
        };
        assert_eq!(data, &[json!({"file": "a"})]);
        let wanted = Wanted {
            taken: 1,
            ..run_of("k", "1")
        };
        call(&engine, &host, vec![wants(&asked.id, wanted)], &[], SECOND).await;
    };
    let (tried, ()) = tokio::join!(trying, answering);
    let tried = tried.expect("it is answered");
    assert!(matches!(&tried.found, Found::Wants(wanted) if wanted.runs.len() == 1));
    assert_eq!((tried.cursor.as_deref(), tried.took_ms), (Some("1"), 7));
    assert_eq!(engine.view().head.segment, before, "nothing was written");
}

#[tokio::test(start_paused = true)]
async fn configuration_is_judged_before_anything_is_asked_for() {
    let world = World::new();
    let (engine, host) = ready(&world, &with(&[json!({})])).await;
    let asked = question(&engine, &host).await;
    let mut wanted = run_of("k", "1");
    wanted.runs[0].config = json!({"ops": {"nope": {"config": {}}}});
    call(&engine, &host, vec![wants(&asked.id, wanted)], &[], SECOND).await;
    let error = failure(&engine).await;
    let view = engine.view();
    assert_eq!(error.kind, "bad_config");
    assert!(view.state.runs.is_empty() && view.state.sensors["s"].cursor.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_not_believed_asks_nothing_of_the_future() {
    let world = World::new();
    let (engine, host) = ready(&world, &with(&[json!({})])).await;
    let asked = question(&engine, &host).await;
    call(
        &engine,
        &host,
        vec![wants(&asked.id, run_of("k", "1"))],
        &[],
        SECOND,
    )
    .await;
    until(&engine, "it is decided", |view| evaluated(view) == 1).await;
    let right: Timestamp = engine.now();
    for jump in [3_600_000_i64, 86_400_000] {
        world.clock.set_wall(Timestamp(right.0 + jump));
        a_while().await;
        let none = call(&engine, &host, Vec::new(), &[], Duration::ZERO).await;
        assert!(none.questions.is_empty());
        assert_eq!(engine.view().state.time, right);
        world.clock.set_wall(right);
        a_while().await;
    }
    world.clock.advance(Duration::from_secs(30));
    question(&engine, &host).await;
}

#[tokio::test(start_paused = true)]
async fn evaluations_that_left_memory_are_read_from_history() {
    let world = World::new().with(|settings| {
        settings.evaluations_max = 10;
        settings.snapshot_segments = 8;
    });
    let (engine, host) = ready(&world, &with(&[json!({"minimum_interval_seconds": 1})])).await;
    for n in 1..=40_u64 {
        let asked = question(&engine, &host).await;
        let answer = wants(&asked.id, run_of(&n.to_string(), &n.to_string()));
        call(&engine, &host, vec![answer], &[], SECOND).await;
        until(&engine, "it is decided", |view| {
            view.state.sensors["s"].number == n
        })
        .await;
        world.clock.advance(SECOND);
        engine.heartbeat(host.id, &[]).await.expect("it lives");
    }
    until(&engine, "some are packed", |view| {
        !view.state.evaluation_history.is_empty()
    })
    .await;
    let view = engine.view();
    let oldest = view
        .state
        .evaluations_of("s")
        .next()
        .expect("some stay")
        .id
        .number;
    let past = engine
        .past_evaluations("s", Some(oldest), 100)
        .await
        .expect("it reads");
    let numbers: Vec<u64> = past.iter().map(|row| row.id.number).collect();
    assert_eq!(numbers, (1..oldest).rev().collect::<Vec<_>>());
    let page = engine
        .past_evaluations("s", Some(5), 2)
        .await
        .expect("it reads");
    let numbers: Vec<u64> = page.iter().map(|row| row.id.number).collect();
    assert_eq!(numbers, [4, 3]);
}
