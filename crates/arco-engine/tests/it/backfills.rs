//! Backfills over an engine: carried on by whoever leads, whatever happens to the process that asked.

use std::collections::BTreeMap;
use std::time::Duration;

use arco_core::BackfillId;
use arco_core::backfill::{BackfillSettings, BackfillStatus};
use arco_engine::{BackfillAsk, BackfillPartitions, Engine, LeasePlan, RerunAsk, RunAsk};
use arco_flow::command::{BackfillSteer, Reported, Steer};
use arco_testkit::host::{raises, succeeds};
use arco_testkit::store::FaultRates;
use arco_testkit::{ManifestBuilder, ScriptedHost, World, asset, world};
use serde_json::json;

use crate::support::*;

const KEYS: [&str; 6] = ["k0", "k1", "k2", "k3", "k4", "k5"];

fn two() -> ManifestBuilder {
    ManifestBuilder::new("main")
        .asset(asset("a").partitions(&KEYS))
        .asset(asset("b").partitions(&KEYS).needs("a"))
        .asset(asset("sum").needs("b"))
}

fn ask(concurrency: u32) -> BackfillAsk {
    BackfillAsk {
        selection: vec!["*".into()],
        partitions: BackfillPartitions::All,
        settings: BackfillSettings {
            concurrency,
            ..BackfillSettings::default()
        },
        idempotency_key: Some("all".into()),
        ..BackfillAsk::default()
    }
}

async fn create(engine: &Engine, ask: BackfillAsk) -> (BackfillId, bool) {
    let made = engine.create_backfill("client:anna", "req_1", ask).await;
    let made = made.expect("it can be made");
    (made.backfill, made.created)
}

/// All of a run again, by hand.
fn rerun_of(run: arco_core::RunId) -> RerunAsk {
    RerunAsk {
        parent: run,
        kind: arco_core::event::RerunKind::Whole,
        selection: Vec::new(),
        with_upstream: false,
        with_downstream: false,
        scope: "workspace".into(),
        run_key: None,
        idempotency_key: None,
        tags: BTreeMap::new(),
        priority: None,
        time_limits: arco_core::limits::TimeLimits::default(),
    }
}

fn status(engine: &Engine, id: BackfillId) -> BackfillStatus {
    engine.view().state.backfills[&id].status
}

/// Carries out what there is until the backfill is over; partitions that `fails` names raise. Counts what
/// each body was called for.
async fn work(
    engine: &Engine,
    host: &mut ScriptedHost,
    id: BackfillId,
    fails: impl Fn(&str, &str) -> bool,
) -> BTreeMap<(String, String), u32> {
    work_as(engine, host, id, |lease, key| {
        match fails(&lease.step.name, key) {
            true => raises(UserCode),
            false => succeeds(lease),
        }
    })
    .await
}

/// As [`work`], where each body does as it is told.
async fn work_as(
    engine: &Engine,
    host: &mut ScriptedHost,
    id: BackfillId,
    does: impl Fn(&LeasePlan, &str) -> Vec<Reported>,
) -> BTreeMap<(String, String), u32> {
    let mut bodies = BTreeMap::new();
    for _ in 0..2_000 {
        let body = |lease: &LeasePlan| {
            let key = lease
                .partitions
                .as_ref()
                .map_or("*", |keys| &keys[0])
                .to_owned();
            let step = lease.step.name.clone();
            *bodies.entry((step, key.clone())).or_insert(0) += 1;
            does(lease, &key)
        };
        host.work(engine, body).await.expect("the host is heard");
        if status(engine, id).is_terminal() {
            return bodies;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!(
        "the backfill does not end: {:?}",
        engine.view().state.backfills[&id].progress
    );
}

#[tokio::test(start_paused = true)]
async fn a_backfill_makes_everything_once_and_says_so() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &two()).await;
    let (id, created) = create(&engine, ask(3)).await;
    assert!(created);
    assert_eq!(create(&engine, ask(3)).await, (id, false), "under one key");
    let bodies = work(&engine, &mut host, id, |_, _| false).await;
    assert_eq!(status(&engine, id), BackfillStatus::Succeeded);
    assert_eq!(bodies.len(), 13, "a and b of six partitions, and the sum");
    assert!(bodies.values().all(|times| *times == 1), "{bodies:?}");
    let view = engine.view();
    assert_eq!(
        view.state.runs.len(),
        7,
        "a and b of a partition are one run"
    );
    let first = |run: &&std::sync::Arc<arco_flow::state::Run>| {
        run.backfill.is_some_and(|chunk| chunk.chunk == 0)
    };
    let run = view.state.runs.values().find(first).expect("a run");
    assert_eq!(run.tags["dagster/backfill"], id.to_string());
    assert_eq!(run.tags["dagster/partition"], "k0");
    assert_eq!(run.principal, "controller:backfills");
    let replayed = arco_testkit::replay::replay(&world.store).await;
    assert_eq!(replayed.hash(), view.state.hash());
    // Done again by hand it is nobody's chunk.
    let again = RerunAsk {
        tags: [("arco/chunk".to_owned(), "0".to_owned())].into(),
        ..rerun_of(run.id)
    };
    let refused = engine.request_rerun("client:anna", "req_2", again).await;
    let refused = refused.expect_err("the tag is of chunks").to_string();
    assert!(
        refused.contains("tag `arco/chunk` is reserved"),
        "{refused}"
    );
    let again = rerun_of(run.id);
    let made = engine.request_rerun("client:anna", "req_3", again).await;
    let after = engine.view();
    let again = after.state.run(made.expect("it is over").run);
    let tags = &again.expect("it was made").tags;
    assert_eq!(tags["dagster/partition"], "k0");
    assert!(!tags.contains_key("dagster/backfill"), "{tags:?}");
    assert!(!tags.contains_key("arco/chunk"), "{tags:?}");
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_retried_as_a_child_and_nothing_else() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &two()).await;
    let (id, _) = create(&engine, ask(50)).await;
    let bodies = work(&engine, &mut host, id, |step, key| {
        step == "a" && key == "k3"
    })
    .await;
    assert_eq!(status(&engine, id), BackfillStatus::Failed);
    assert_eq!(
        bodies.len(),
        11,
        "b of k3 and the sum are not tried: {bodies:?}"
    );
    let retry = engine.retry_backfill("client:anna", "req_2", id).await;
    let child = retry.expect("something failed");
    let again = engine.retry_backfill("client:anna", "req_3", id).await;
    let again = again.expect("it is known");
    assert_eq!((again.backfill, again.created), (child.backfill, false));
    let bodies = work(&engine, &mut host, child.backfill, |_, _| false).await;
    assert_eq!(status(&engine, child.backfill), BackfillStatus::Succeeded);
    let names: Vec<String> = bodies
        .keys()
        .map(|(step, key)| format!("{step}[{key}]"))
        .collect();
    assert_eq!(names, ["a[k3]", "b[k3]", "sum[*]"]);
    let nothing = engine
        .retry_backfill("client:anna", "req_4", child.backfill)
        .await;
    let refused = nothing.expect_err("all is made");
    assert!(
        refused.to_string().contains("left nothing undone"),
        "{refused}"
    );
}

#[tokio::test(start_paused = true)]
async fn retries_of_runs_are_awaited() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &two()).await;
    let mut asked = ask(50);
    asked.tags = [("dagster/max_retries".to_owned(), "1".to_owned())].into();
    let (id, _) = create(&engine, asked).await;
    let failed = std::cell::Cell::new(false);
    let once = |step: &str, key: &str| step == "b" && key == "k2" && !failed.replace(true);
    let bodies = work(&engine, &mut host, id, |step, key| once(step, key)).await;
    assert_eq!(
        status(&engine, id),
        BackfillStatus::Succeeded,
        "the retry made it"
    );
    let of = |step: &str| bodies[&(step.to_owned(), "k2".to_owned())];
    assert_eq!((of("a"), of("b")), (1, 2), "from failure");
    assert!(engine.view().state.backfills[&id].active.is_empty());
}

/// What a run left unmade, as its body may, its retry did not make either.
#[tokio::test(start_paused = true)]
async fn what_a_run_left_unmade_stays_so_when_its_retry_makes_the_rest() {
    let keys = &KEYS[..3];
    let pairs = json!({"max_partitions_per_run": 2});
    let manifest = ManifestBuilder::new("main")
        .asset(
            asset("maybe")
                .partitions(keys)
                .with("skippable", json!(true)),
        )
        .asset(asset("fails").partitions(keys))
        .asset(
            asset("reads")
                .partitions(keys)
                .needs("maybe")
                .with("backfill_policy", pairs),
        );
    let world = World::new();
    let (engine, mut host) = ready(&world, &manifest).await;
    let mut asked = ask(50);
    asked.tags = [("dagster/max_retries".to_owned(), "1".to_owned())].into();
    let (id, _) = create(&engine, asked).await;
    let failed = std::cell::Cell::new(false);
    let bodies = work_as(&engine, &mut host, id, |lease, key| {
        match (lease.step.name.as_str(), key) {
            ("maybe", "k1") => vec![Reported::Started, Reported::Succeeded],
            ("fails", "k1") if !failed.replace(true) => raises(UserCode),
            _ => succeeds(lease),
        }
    })
    .await;
    let times = |step: &str, key: &str| bodies.get(&(step.to_owned(), key.to_owned())).copied();
    assert_eq!(
        (times("maybe", "k1"), times("fails", "k1")),
        (Some(1), Some(2))
    );
    let view = engine.view();
    let backfill = &view.state.backfills[&id];
    let tally = backfill.progress.tally();
    assert_eq!(
        (tally.done, tally.failed, tally.skipped),
        (4, 0, 1),
        "{bodies:?}"
    );
    assert_eq!(backfill.status, BackfillStatus::Succeeded);
    assert_eq!(times("reads", "k1"), None, "there is nothing to read");
    let refused = engine.retry_backfill("client:anna", "req_2", id).await;
    let refused = refused.expect_err("nothing is undone").to_string();
    assert!(refused.contains("left nothing undone"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_paused_backfill_rests_and_the_next_leader_goes_on() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &two()).await;
    let (id, _) = create(&engine, ask(2)).await;
    until(&engine, "two runs begin", |view| view.state.runs.len() == 2).await;
    let pause = |backfill| BackfillSteer {
        backfill,
        state_version: None,
        to: Steer::Pause,
    };
    engine
        .steer_backfill("client:anna", "p", pause(id))
        .await
        .expect("it goes on");
    host.work(&engine, succeeds)
        .await
        .expect("the host is heard");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(engine.view().state.runs.len(), 2, "none was planned");
    assert_eq!(status(&engine, id), BackfillStatus::Paused);
    engine.shutdown().await;

    let next = world.engine().await;
    host.register(&next).await.expect("it attaches");
    let resume = BackfillSteer {
        to: Steer::Resume,
        ..pause(id)
    };
    next.steer_backfill("client:anna", "r", resume)
        .await
        .expect("it is paused");
    let bodies = work(&next, &mut host, id, |_, _| false).await;
    assert_eq!(status(&next, id), BackfillStatus::Succeeded);
    assert_eq!(
        bodies.len(),
        9,
        "what was made is not made again: {bodies:?}"
    );
    assert_eq!(next.view().state.runs.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_big_target_and_a_long_list_of_keys_are_blobs_that_every_replica_reads() {
    let world = World::new();
    let keys: Vec<String> = (0..4_000).map(|n| format!("k{n:04}")).collect();
    let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
    let manifest = ManifestBuilder::new("main").asset(asset("a").partitions(&texts));
    let (engine, _) = ready(&world, &manifest).await;
    let odd: Vec<String> = keys.iter().skip(1).step_by(2).cloned().collect();
    let mut asked = ask(5);
    asked.partitions = BackfillPartitions::Keys(odd);
    let (id, _) = create(&engine, asked).await;
    until(&engine, "it begins", |view| view.state.runs.len() == 5).await;
    assert_eq!(engine.view().state.backfills[&id].count(), 2_000);
    let replayed = arco_testkit::replay::replay(&world.store).await;
    assert_eq!(replayed.hash(), engine.view().state.hash());
    let cancel = BackfillSteer {
        backfill: id,
        state_version: None,
        to: Steer::Cancel { drain: false },
    };
    engine
        .steer_backfill("client:anna", "c", cancel)
        .await
        .expect("it goes on");
    assert_eq!(
        status(&engine, id),
        BackfillStatus::Canceled,
        "nothing was held"
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(engine.view().state.runs.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_wrongly_changes_nothing() {
    let world = World::new();
    let (engine, _) = ready(&world, &two()).await;
    let before = engine.view().position();
    // What its runs would be refused for, one after the other and for ever.
    for (tag, value) in [
        ("dagster/max_retries", "many"),
        ("dagster/max_runtime", "soon"),
        ("dagster/parent_run_id", "x"),
        ("dagster/backfill", "x"),
        ("arco/chunk", "7"),
        ("a b/c", "x"),
    ] {
        let asked = BackfillAsk {
            tags: [(tag.to_owned(), value.to_owned())].into(),
            ..ask(1)
        };
        let refused = engine.create_backfill("client:anna", "req", asked).await;
        assert!(
            matches!(refused, Err(EngineError::Rejected(_))),
            "{tag}: {refused:?}"
        );
    }
    let cases = [
        (BackfillPartitions::None, "*", "partition_missing"),
        (
            BackfillPartitions::Keys(vec!["nope".into()]),
            "*",
            "bad_partition",
        ),
        (
            BackfillPartitions::Keys(vec!["k1".into()]),
            "sum",
            "partition_unused",
        ),
    ];
    for (partitions, selection, code) in cases {
        let asked = BackfillAsk {
            selection: vec![selection.into()],
            partitions,
            ..ask(1)
        };
        match engine.create_backfill("client:anna", "req", asked).await {
            Err(EngineError::Rejected(rejection)) => assert_eq!(rejection.code(), code),
            other => panic!("expected {code}, got {other:?}"),
        }
    }
    let preview = engine.preview_backfill(&ask(1)).await.expect("a target");
    assert_eq!((preview.runs(), preview.rounds.len()), (7, 2));
    assert_eq!(engine.view().position(), before);
}

#[tokio::test(start_paused = true)]
async fn a_chunk_that_can_never_be_a_run_holds_up_nothing_else() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &two()).await;
    let (id, _) = create(&engine, ask(1)).await;
    // Somebody has a run under the key of its second chunk.
    let taken = RunAsk {
        run_key: Some(format!("backfill:{id}:1")),
        scope: "backfill".into(),
        ..world::ask("sum")
    };
    engine
        .request_run("client:anna", "req_2", taken)
        .await
        .expect("a run");
    let other = BackfillAsk {
        idempotency_key: Some("other".into()),
        ..ask(1)
    };
    let (other, _) = create(&engine, other).await;
    let bodies = work(&engine, &mut host, id, |_, _| false).await;
    assert_eq!(status(&engine, id), BackfillStatus::Failed);
    let view = engine.view();
    let dropped = &view.state.backfills[&id].dropped;
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].0, 1);
    assert!(dropped[0].1.contains("run key"), "{}", dropped[0].1);
    for key in KEYS.iter().filter(|key| **key != "k1") {
        assert!(
            bodies.contains_key(&("b".into(), (*key).into())),
            "{bodies:?}"
        );
    }
    work(&engine, &mut host, other, |_, _| false).await;
    assert_eq!(status(&engine, other), BackfillStatus::Succeeded);
}

/// B-6: an error of the store ends no backfill. What could not be planned is planned when the store is back,
/// however long that takes, and once.
#[tokio::test(start_paused = true)]
async fn a_backfill_goes_on_when_the_store_is_back() {
    let (world, store) = World::faulty();
    let (engine, mut host) = ready(&world, &two()).await;
    let (id, _) = create(&engine, ask(2)).await;
    store.set_rates(FaultRates::outage());
    let requested = || engine.view().state.backfills[&id].progress.planned();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = requested();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(requested(), before, "nothing can be written down");
    assert!(!status(&engine, id).is_terminal());
    store.set_rates(FaultRates::default());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let bodies = work(&engine, &mut host, id, |_, _| false).await;
    assert_eq!(status(&engine, id), BackfillStatus::Succeeded);
    assert_eq!(bodies.len(), 13);
    assert!(bodies.values().all(|times| *times == 1), "{bodies:?}");
}
