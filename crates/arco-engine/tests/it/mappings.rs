//! Hosts are asked what the code of mappings says; what it answered is planned by, and what needs it waits.

use std::collections::BTreeMap;
use std::time::Duration;

use arco_core::PartitionKey;
use arco_engine::{Engine, HostAnswer, HostAsk, HostQuestion};
use arco_flow::command::Command;
use arco_flow::evaluation::{DynamicPartitionsAsked, RunAsked, Said, Wanted};
use arco_flow::mapping::MappingSaid;
use arco_testkit::world::{ask, deploy};
use arco_testkit::{ManifestBuilder, ScriptedHost, World, asset};
use serde_json::{Value, json};

use crate::sensors::{a_while, call, question, raised, said, wants};
use crate::support::*;

const SECOND: Duration = Duration::from_secs(1);

/// `b` over the dynamic set `people` reads letters of `a` as code says.
fn definitions(code: &str) -> ManifestBuilder {
    let mapping = json!({"kind": "custom", "name": "Letter",
        "code": arco_core::Digest::of(code.as_bytes()).to_string()});
    let people = json!({"kind": "dynamic", "name": "people"});
    ManifestBuilder::new("main")
        .asset(asset("a").partitions(&["x", "y", "z"]))
        .asset(
            asset("b")
                .with("partitions", people)
                .needs_mapped("a", mapping),
        )
}

async fn people(engine: &Engine, keys: &[&str]) {
    let command = Command::AddPartitions {
        name: "people".into(),
        keys: keys.iter().map(|key| PartitionKey::text(key)).collect(),
    };
    let added = engine.submit("client:test", "add", command).await;
    added.expect("they fit");
}

fn keys_of(question: &HostQuestion) -> Vec<String> {
    let HostAsk::Mapping(asked) = &question.ask else {
        panic!("it is a mapping: {question:?}");
    };
    asked
        .keys
        .iter()
        .map(|key| key.display().into_owned())
        .collect()
}

fn answers(question: &HostQuestion, letter: &str) -> HostAnswer {
    let keys = keys_of(question).into_iter();
    let answers: BTreeMap<String, Vec<String>> =
        keys.map(|key| (key, vec![letter.to_owned()])).collect();
    let mapped = MappingSaid {
        answers,
        ..MappingSaid::default()
    };
    said(&question.id, Some(Said::Mapped(mapped)))
}

async fn run_of(engine: &Engine, key: &str) -> Result<arco_core::RunId, String> {
    let mut asked = ask("b");
    asked.partitions = arco_flow::planner::PartitionsAsked::Keys(vec![key.into()]);
    let made = engine.request_run("client:test", "run", asked).await;
    made.map(|made| made.run).map_err(|error| error.to_string())
}

/// How many child keys are answered.
fn answered(engine: &Engine) -> usize {
    let view = engine.view();
    view.state
        .mappings
        .values()
        .map(|known| known.done.len() as usize)
        .sum()
}

async fn give(engine: &Engine, host: &ScriptedHost, answer: HostAnswer) {
    call(engine, host, vec![answer], &[], SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_is_asked_once_and_planned_by() {
    let world = World::new();
    let (engine, host) = ready(&world, &definitions("1")).await;
    people(&engine, &["ann", "bob"]).await;
    let refused = run_of(&engine, "ann").await.expect_err("nobody answered");
    assert!(refused.contains("try again in a moment"), "{refused}");
    let first = question(&engine, &host).await;
    assert_eq!(keys_of(&first), ["bob", "ann"]);
    give(&engine, &host, answers(&first, "y")).await;
    until(&engine, "it is recorded", |view| {
        view.state
            .mappings
            .values()
            .all(|known| known.done.len() == 2)
    })
    .await;
    run_of(&engine, "ann").await.expect("it is answered");
    assert!(
        call(&engine, &host, Vec::new(), &[], SECOND)
            .await
            .questions
            .is_empty()
    );
    // A new key is asked about at once, and a new version about all.
    people(&engine, &["cid"]).await;
    assert_eq!(keys_of(&question(&engine, &host).await), ["cid"]);
    deploy(&engine, &definitions("2")).await;
    let all = question(&engine, &host).await;
    assert_eq!(keys_of(&all), ["cid", "bob", "ann"]);
    run_of(&engine, "bob")
        .await
        .expect("what was answered stands");
    give(&engine, &host, answers(&all, "z")).await;
    until(&engine, "it is recorded", |view| {
        view.state
            .mappings
            .values()
            .all(|known| known.done.len() == 3)
    })
    .await;
    assert_eq!(events(&engine, "partitions.mapped").await.len(), 2);
    // A replica that reads the log knows the same.
    let two = world.engine_named("two").await;
    two.catch_up().await.expect("it reads");
    assert_eq!(two.view().state.hash(), engine.view().state.hash());
}

#[tokio::test(start_paused = true)]
async fn a_big_answer_stands_in_a_blob() {
    let world = World::new();
    let (engine, host) = ready(&world, &definitions("1")).await;
    let names: Vec<String> = (0..1_500).map(|n| format!("somebody-{n:05}")).collect();
    people(
        &engine,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    for expected in [1_000, 500] {
        let asked = question(&engine, &host).await;
        assert_eq!(keys_of(&asked).len(), expected);
        give(&engine, &host, answers(&asked, "x")).await;
        let before = answered(&engine);
        until(&engine, "it is recorded", |view| {
            view.state
                .mappings
                .values()
                .any(|known| known.done.len() as usize > before)
        })
        .await;
    }
    let mapped = events(&engine, "partitions.mapped").await;
    assert!(
        mapped.iter().all(|event| event.blobs.len() == 1),
        "{mapped:?}"
    );
    let two = world.engine_named("two").await;
    two.catch_up().await.expect("it reads");
    assert_eq!(answered(&two), 1_500);
    assert_eq!(two.view().state.hash(), engine.view().state.hash());
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_said_and_asked_again_later_and_holds_up_no_other() {
    let world = World::new();
    let (engine, host) = ready(&world, &definitions("1")).await;
    people(&engine, &["ann"]).await;
    let asked = question(&engine, &host).await;
    give(&engine, &host, said(&asked.id, raised())).await;
    until(&engine, "the failure is recorded", |view| {
        view.state
            .mappings
            .values()
            .any(|known| known.failure.is_some())
    })
    .await;
    let refused = run_of(&engine, "ann").await.expect_err("it failed");
    assert!(
        refused.contains("failed when it was asked last: no"),
        "{refused}"
    );
    a_while().await;
    assert!(
        call(&engine, &host, Vec::new(), &[], SECOND)
            .await
            .questions
            .is_empty(),
        "not before its pause is over"
    );
    people(&engine, &["bob"]).await;
    let other = question(&engine, &host).await;
    assert_eq!(keys_of(&other), ["bob"]);
    give(&engine, &host, answers(&other, "x")).await;
    until(&engine, "the other is answered", |view| {
        view.state
            .mappings
            .values()
            .all(|known| known.done.len() == 1)
    })
    .await;
    for (seconds, due) in [(4, false), (2, true)] {
        world.clock.advance(Duration::from_secs(seconds));
        engine.heartbeat(host.id, &[]).await.expect("it lives");
        a_while().await;
        let work = call(&engine, &host, Vec::new(), &[], SECOND).await;
        let asked: Vec<_> = work.questions.iter().map(keys_of).collect();
        assert_eq!(asked == [["ann"]], due, "{asked:?}");
        if let Some(question) = work.questions.first() {
            give(&engine, &host, said(&question.id, raised())).await;
        }
    }
    a_while().await;
    // Twice as long now, and what it failed with is no news.
    for (seconds, due) in [(6, false), (5, true)] {
        world.clock.advance(Duration::from_secs(seconds));
        engine.heartbeat(host.id, &[]).await.expect("it lives");
        a_while().await;
        let work = call(&engine, &host, Vec::new(), &[], SECOND).await;
        assert_eq!(work.questions.len() == 1, due, "{:?}", work.questions);
    }
    assert_eq!(events(&engine, "partitions.unmapped").await.len(), 2);
}

/// A sensor adds a key and asks for a run of it: the key is there before the mapping is asked, and the run comes
/// when it answered.
#[tokio::test(start_paused = true)]
async fn an_evaluation_waits_for_what_it_needs() {
    let world = World::new();
    let sensor: Value = json!({"name": "s", "kind": "poll", "selection": ["b"],
        "default_status": "running"});
    let (engine, host) = ready(&world, &definitions("1").sensor(sensor)).await;
    let asked = question(&engine, &host).await;
    let wanted = Wanted {
        dynamic_partitions: vec![DynamicPartitionsAsked {
            name: "people".into(),
            add: vec!["eve".into()],
            ..DynamicPartitionsAsked::default()
        }],
        runs: vec![RunAsked {
            run_key: Some("eve".into()),
            partition: Some("eve".into()),
            ..RunAsked::default()
        }],
        ..Wanted::default()
    };
    give(&engine, &host, wants(&asked.id, wanted)).await;
    let mapping = question(&engine, &host).await;
    assert_eq!(keys_of(&mapping), ["eve"]);
    assert!(engine.view().state.runs.is_empty());
    give(&engine, &host, answers(&mapping, "x")).await;
    until(&engine, "the run is there", |view| {
        view.state.runs.len() == 1
    })
    .await;
    let view = engine.view();
    assert_eq!(view.state.evaluations.len(), 1);
    assert_eq!(view.state.sensors["s"].failures, 0, "nothing failed");
}

/// A declared schedule fires when its window is over; a mapping that did not answer holds it for a while.
#[tokio::test(start_paused = true)]
async fn a_tick_waits_for_what_it_needs() {
    let world = World::new();
    let mapping = json!({"kind": "custom", "name": "Before"});
    let manifest = ManifestBuilder::new("main")
        .asset(asset("a").daily("2026-01-01"))
        .asset(asset("b").daily("2026-01-01").needs_mapped("a", mapping))
        .schedule(
            json!({"name": "s", "cron": ["* * * * *"], "selection": ["b"],
            "partitions": "last", "default_status": "running"}),
        );
    let (engine, host) = ready(&world, &manifest).await;
    let asked = question(&engine, &host).await;
    world.clock.advance(Duration::from_secs(61));
    engine.heartbeat(host.id, &[]).await.expect("it lives");
    for _ in 0..3 {
        tokio::time::sleep(SECOND).await;
    }
    assert!(
        engine.view().state.ticks.is_empty(),
        "{:?}",
        engine.view().state.ticks
    );
    let keys = keys_of(&asked);
    let mut answer = answers(&asked, "x");
    let same = keys.into_iter().map(|key| (key.clone(), vec![key]));
    answer.said = Some(Said::Mapped(MappingSaid {
        answers: same.collect(),
        ..MappingSaid::default()
    }));
    give(&engine, &host, answer).await;
    until(&engine, "it fires", |view| !view.state.ticks.is_empty()).await;
    assert_eq!(engine.view().state.runs.len(), 1);
}
