use arco_core::AssetKey;
use arco_core::asset_fact::{AssetFact, AssetMaterialization, AssetObservation};
use arco_core::event::Severity;

use crate::Rejection;
use crate::command::{Answer, AssetReport, Command, Reported};
use crate::state::State;
use crate::testing::{World, judged, made};

fn seen(asset: &str, version: &str) -> Reported {
    Reported::Asset(AssetFact::Observed(AssetObservation {
        data_version: Some(version.into()),
        ..AssetObservation::new(AssetKey::parse(asset).unwrap())
    }))
}

fn versioned(asset: &str, version: &str) -> Reported {
    Reported::Asset(AssetFact::Materialized(AssetMaterialization {
        data_version: Some(version.into()),
        ..AssetMaterialization::new(AssetKey::parse(asset).unwrap())
    }))
}

fn report(world: &mut World, fact: Reported, key: Option<&str>) -> Result<bool, Rejection> {
    let Reported::Asset(fact) = fact else {
        panic!("only facts about assets are reported from outside")
    };
    let command = Command::Report(Box::new(AssetReport {
        fact,
        idempotency_key: key.map(Into::into),
    }));
    match world.run_command(&command)? {
        Answer::Reported { created, .. } => Ok(created),
        other => panic!("a report is answered by its place, got {other:?}"),
    }
}

fn facts<'a>(world: &'a World, asset: &str) -> &'a crate::state::AssetState {
    &world.state.assets[&AssetKey::parse(asset).unwrap()]
}

#[test]
fn what_is_reported_stands_without_an_attempt_and_survives_replay_and_snapshot() {
    let mut world = World::new("a; x external; check a.ok <- a");
    assert_eq!(report(&mut world, made("a"), None), Ok(true));
    assert_eq!(report(&mut world, seen("x", "v1"), None), Ok(true));
    let verdict = judged("a", "ok", false, Severity::Error);
    assert_eq!(report(&mut world, verdict, None), Ok(true));
    assert_eq!(facts(&world, "a").latest_of(&None).unwrap().attempt, None);
    assert_eq!(facts(&world, "a").materializations, 1);
    assert_eq!(facts(&world, "x").observations, 1);
    assert!(
        facts(&world, "x").materialized.is_empty(),
        "nothing was made"
    );
    let hash = world.state.hash();
    assert_eq!(world.replayed().hash(), hash);
    let again = State::from_bytes(&world.state.to_bytes()).unwrap();
    assert_eq!(again.hash(), hash);
}

#[test]
fn a_report_under_a_key_counts_once_and_another_one_under_it_is_refused() {
    let mut world = World::new("a");
    assert_eq!(report(&mut world, made("a"), Some("k")), Ok(true));
    assert_eq!(report(&mut world, made("a"), Some("k")), Ok(false));
    assert_eq!(facts(&world, "a").materializations, 1);
    assert_eq!(
        report(&mut world, versioned("a", "v2"), Some("k")),
        Err(Rejection::ReportConflict("k".into()))
    );
    assert_eq!(report(&mut world, versioned("a", "v2"), None), Ok(true));
}

#[test]
fn data_that_comes_without_a_version_is_new_each_time() {
    let mut world = World::new("a");
    report(&mut world, made("a"), None).unwrap();
    let first = facts(&world, "a")
        .latest_of(&None)
        .unwrap()
        .data_version
        .clone();
    report(&mut world, made("a"), None).unwrap();
    assert_ne!(
        facts(&world, "a").latest_of(&None).unwrap().data_version,
        first
    );
}

/// The version that a run of `b` reads of `upstream`.
fn read(world: &mut World) -> Option<String> {
    let run = world.run("b");
    let attempt = world.lease(1)[0];
    let inputs = world.state_of(run).task(0).unwrap().inputs.clone().unwrap();
    world.report(attempt, vec![made("b"), Reported::Succeeded]);
    inputs.first().map(|input| input.data_version.clone())
}

#[test]
fn a_reader_of_an_external_asset_reads_what_was_said_of_it_last() {
    let mut world = World::new("x external; b <- x");
    assert_eq!(read(&mut world), None);
    report(&mut world, seen("x", "seen"), None).unwrap();
    assert_eq!(read(&mut world).as_deref(), Some("seen"));
    report(&mut world, versioned("x", "made"), None).unwrap();
    assert_eq!(read(&mut world).as_deref(), Some("made"));
    report(&mut world, seen("x", "seen again"), None).unwrap();
    assert_eq!(read(&mut world).as_deref(), Some("seen again"));
}

#[test]
fn looking_at_an_asset_that_is_made_here_does_not_change_what_is_read_of_it() {
    let mut world = World::new("a; b <- a");
    report(&mut world, versioned("a", "made"), None).unwrap();
    report(&mut world, seen("a", "seen"), None).unwrap();
    assert_eq!(read(&mut world).as_deref(), Some("made"));
}

#[test]
fn a_report_does_not_change_a_run_under_way() {
    let mut world = World::new("a; check a.ok blocking <- a; b <- a");
    let run = world.run("a b");
    let attempt = world.lease(1)[0];
    let verdict = judged("a", "ok", false, Severity::Error);
    report(&mut world, verdict, None).unwrap();
    report(&mut world, made("a"), None).unwrap();
    assert_eq!(world.state_of(run).materializations, 0);
    world.report(attempt, vec![made("a"), Reported::Succeeded]);
    for attempt in world.lease(1) {
        world.report(
            attempt,
            vec![
                judged("a", "ok", true, Severity::Error),
                Reported::Succeeded,
            ],
        );
    }
    for attempt in world.lease(1) {
        world.report(attempt, vec![made("b"), Reported::Succeeded]);
    }
    assert_eq!(world.state_of(run).status.as_str(), "success");
}

#[test]
fn a_task_says_once_what_it_saw_however_often_it_is_told() {
    let mut world = World::new("a; x external");
    let run = world.run("a");
    let attempt = world.lease(1)[0];
    world.report(attempt, vec![seen("x", "v1")]);
    world.report(
        attempt,
        vec![seen("x", "v1"), made("a"), Reported::Succeeded],
    );
    assert_eq!(facts(&world, "x").observations, 1);
    assert_eq!(world.state_of(run).observations, 1);
    let observed = facts(&world, "x").observed_of(&None).unwrap();
    assert_eq!(observed.attempt, Some(attempt));
}

#[test]
fn what_is_not_defined_is_refused_and_changes_nothing() {
    let mut world = World::new("alpha; d daily; check alpha.ok <- alpha");
    let before = world.state.hash();
    let rows = [
        (
            made("alhpa"),
            "asset `alhpa` is not defined; did you mean `alpha`?",
        ),
        (
            made("zz"),
            "asset `zz` is not defined; declare it with `AssetSpec(\"zz\")` to report about it",
        ),
        (
            judged("alpha", "okk", true, Severity::Warn),
            "check `okk` of asset `alpha` is not defined; did you mean `ok`?",
        ),
    ];
    for (fact, expected) in rows {
        let refused = report(&mut world, fact, None).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
    let missing = report(&mut world, made("d"), None).unwrap_err();
    assert_eq!(missing.code(), "partition_missing");
    assert_eq!(world.state.hash(), before);
}
