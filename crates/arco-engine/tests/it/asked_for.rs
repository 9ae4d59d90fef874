//! What a sensor asks for and records, over an engine: facts about assets, backfills, and what is too large.

use std::time::Duration;

use arco_core::AssetKey;
use arco_core::asset_fact::{AssetCheckResult, AssetFact, AssetMaterialization};
use arco_core::event::Severity;
use arco_flow::evaluation::{AssetEventAsked, BackfillAsked, RunAsked, Wanted};
use arco_flow::state::EvaluationRow;
use arco_testkit::{ManifestBuilder, World, asset, check};
use serde_json::json;

use crate::sensors::{call, failure, question, wants};
use crate::support::*;

const SECOND: Duration = Duration::from_secs(1);

fn manifest() -> ManifestBuilder {
    ManifestBuilder::new("main")
        .asset(asset("a"))
        .asset(asset("days").partitions(&["x", "y", "z"]))
        .check(check("a", "ok"))
        .sensor(
            json!({"name": "s", "kind": "poll", "selection": ["a", "days"],
            "default_status": "running"}),
        )
}

fn key(text: &str) -> AssetKey {
    AssetKey::parse(text).expect("a key")
}

fn event(fact: AssetFact) -> AssetEventAsked {
    AssetEventAsked {
        fact,
        answers: None,
    }
}

fn made(asset: &str, partition: Option<&str>) -> AssetEventAsked {
    event(AssetFact::Materialized(AssetMaterialization {
        partition: partition.map(ToOwned::to_owned),
        metadata: [("rows".to_owned(), json!({"type": "int", "value": 3}))].into(),
        data_version: Some("v1".into()),
        ..AssetMaterialization::new(key(asset))
    }))
}

/// N-17.
#[tokio::test(start_paused = true)]
async fn what_a_sensor_saw_of_assets_is_in_the_segment_of_its_evaluation() {
    let world = World::new();
    let (engine, host) = ready(&world, &manifest()).await;
    let asked = question(&engine, &host).await;
    let judged = event(AssetFact::Checked(AssetCheckResult {
        severity: Severity::Warn,
        ..AssetCheckResult::new(key("a"), "ok", false)
    }));
    let wanted = Wanted {
        runs: vec![RunAsked {
            assets: Some(vec![key("a")]),
            ..RunAsked::default()
        }],
        asset_events: vec![made("a", None), made("days", Some("y")), judged],
        cursor: Some("1".into()),
        ..Wanted::default()
    };
    let before = engine.view().head.segment;
    let answer = wants(&asked.id, wanted);
    call(&engine, &host, vec![answer.clone()], &[], SECOND).await;
    until(&engine, "it is decided", |view| {
        view.state.evaluations.len() == 1
    })
    .await;
    let view = engine.view();
    assert_eq!(view.head.segment, before + 1, "one commit");
    assert_eq!(
        story(&engine).await,
        [
            "run.requested",
            "asset.materialized",
            "asset.materialized",
            "check.evaluated",
            "evaluation.finished"
        ]
    );
    let row = view.state.evaluations_of("s").next().expect("a row");
    let at: Vec<(u64, u32)> = row
        .asset_events
        .iter()
        .map(|at| (at.segment, at.index))
        .collect();
    assert_eq!(at, [(before + 1, 1), (before + 1, 2), (before + 1, 3)]);
    assert_eq!(view.state.assets[&key("days")].materializations, 1);
    let raw = events(&engine, "asset.materialized").await;
    assert!(raw.iter().all(|raw| raw.principal == "controller:sensors"));
    // Said again, it is nobody's answer any more.
    call(&engine, &host, vec![answer], &[], SECOND).await;
    // What is not defined fails the next evaluation, with all that it asked for.
    world.clock.advance(Duration::from_secs(30));
    let asked = question(&engine, &host).await;
    let wanted = Wanted {
        runs: vec![RunAsked {
            assets: Some(vec![key("a")]),
            ..RunAsked::default()
        }],
        asset_events: vec![made("a", None), made("days", Some("q"))],
        cursor: Some("2".into()),
        ..Wanted::default()
    };
    call(&engine, &host, vec![wants(&asked.id, wanted)], &[], SECOND).await;
    let error = failure(&engine).await;
    let view = engine.view();
    assert!(
        error.message.contains("partition `q` of `days`"),
        "{error:?}"
    );
    assert_eq!(view.state.assets[&key("a")].materializations, 1);
    assert_eq!(view.state.sensors["s"].cursor.as_deref(), Some("1"));
    assert_eq!(view.state.runs.len(), 1);
}

/// N-18: many partitions are asked for as a backfill, and under one key there is one.
#[tokio::test(start_paused = true)]
async fn a_backfill_is_made_once_for_each_key_and_carried_out() {
    let world = World::new();
    let (engine, host) = ready(&world, &manifest()).await;
    let wanted = |cursor: &str| Wanted {
        backfills: vec![BackfillAsked {
            selection: vec!["days".into()],
            partitions: vec!["x".into(), "z".into()],
            run_key: Some("two".into()),
            ..BackfillAsked::default()
        }],
        cursor: Some(cursor.into()),
        ..Wanted::default()
    };
    for look in 1..=3 {
        let asked = question(&engine, &host).await;
        let answer = wants(&asked.id, wanted(&look.to_string()));
        call(&engine, &host, vec![answer], &[], SECOND).await;
        until(&engine, "it is decided", |view| {
            view.state.evaluations.len() == look
        })
        .await;
        world.clock.advance(Duration::from_secs(30));
        engine.heartbeat(host.id, &[]).await.expect("it lives");
    }
    until(&engine, "its runs are made", |view| {
        view.state.runs.len() == 2
    })
    .await;
    let view = engine.view();
    let [id] = view.state.backfills.keys().copied().collect::<Vec<_>>()[..] else {
        panic!("one backfill")
    };
    let told: Vec<(usize, usize)> = view
        .state
        .evaluations_of("s")
        .map(|row| match &row.outcome {
            EvaluationRow::Success {
                backfills, kept, ..
            } => {
                assert!(backfills.iter().all(|made| *made == id));
                assert!(kept.iter().all(|kept| kept.backfill == Some(id)));
                (backfills.len(), kept.len())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [(1, 0), (0, 1), (0, 1)]);
}

/// N-19, EX-122: Dagster drops the request that is too large and launches the others; here none is made.
#[tokio::test(start_paused = true)]
async fn a_request_that_is_too_large_fails_its_evaluation_and_none_of_it_is_done() {
    let world = World::new();
    let (engine, host) = ready(&world, &manifest()).await;
    let run = |run_key: &str, text: usize| RunAsked {
        run_key: Some(run_key.into()),
        assets: Some(vec![key("a")]),
        tags: [("note".to_owned(), "x".repeat(text))].into(),
        ..RunAsked::default()
    };
    let asked = question(&engine, &host).await;
    let wanted = Wanted {
        runs: vec![run("small", 10), run("large", 17 << 20)],
        cursor: Some("1".into()),
        ..Wanted::default()
    };
    call(&engine, &host, vec![wants(&asked.id, wanted)], &[], SECOND).await;
    let error = failure(&engine).await;
    let view = engine.view();
    assert!(error.message.contains("16 MiB"), "{error:?}");
    assert!(view.state.runs.is_empty() && view.state.sensors["s"].cursor.is_none());
    // The engine goes on: what is small is made at the next look.
    world.clock.advance(Duration::from_secs(30));
    engine.heartbeat(host.id, &[]).await.expect("it lives");
    let asked = question(&engine, &host).await;
    let wanted = Wanted {
        runs: vec![run("small", 10)],
        ..Wanted::default()
    };
    call(&engine, &host, vec![wants(&asked.id, wanted)], &[], SECOND).await;
    until(&engine, "it is made", |view| view.state.runs.len() == 1).await;
}
