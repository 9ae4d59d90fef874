//! Of assets.

use super::*;
use arco_core::asset_fact::{AssetFact, AssetMaterialization};

#[test]
fn an_asset_nobody_asked_for_and_an_external_one() {
    let world = World::new("a; x external; d daily");
    check_asset(&world, "asset_never_asked_for", "a", &None);
    check_asset(&world, "asset_external", "x", &None);
    let tomorrow = slot(&world, "d", "2026-02-02");
    check_asset(&world, "partition_not_existing", "d", &tomorrow);
    let past = Past::default();
    let e = Explainer::new(&world.state, world.now, &past);
    assert!(e.asset(&AssetKey::parse("z").unwrap(), &None).is_none());
}

#[test]
fn a_materialized_asset_says_what_it_was_made_from() {
    let mut world = World::new("a; b v=1 <- a");
    world.run("a b");
    succeed(&mut world, "a");
    succeed(&mut world, "b");
    check_asset(&world, "asset_materialized", "b", &None);
    pass(&mut world, 60_000);
    world.run("a");
    succeed(&mut world, "a");
    world.deploy(&manifest("a; b v=2 <- a")).unwrap();
    check_asset(&world, "asset_with_newer_input_and_code", "b", &None);
}

#[test]
fn a_partition_says_what_came_of_it() {
    let mut world = World::new("d daily; m monthly <- d");
    let run = run_of(&mut world, "d", &["2026-01-01...2026-01-03"]);
    let ids = world.lease(3);
    let day = |key: &str| {
        Reported::Asset(AssetFact::Materialized(AssetMaterialization {
            partition: Some(key.to_owned()),
            data_version: Some(format!("version of {key}")),
            ..AssetMaterialization::new(AssetKey::parse("d").unwrap())
        }))
    };
    world.report(ids[0], vec![day("2026-01-01"), Reported::Succeeded]);
    pass(&mut world, 2_000);
    world.report(ids[1], vec![failed(FailureClass::UserCode)]);
    let (first, second) = (
        slot(&world, "d", "2026-01-01"),
        slot(&world, "d", "2026-01-02"),
    );
    let third = slot(&world, "d", "2026-01-03");
    check_asset(&world, "partition_materialized", "d", &first);
    check_asset(&world, "partition_failed", "d", &second);
    check_asset(&world, "partition_in_progress", "d", &third);
    check_asset(&world, "asset_partitioned", "d", &None);
    world.report(ids[2], vec![day("2026-01-03"), Reported::Succeeded]);
    check_run(&world, "run_failed_in_a_partition", run);
    // Tried again and failed again: the good materialization stands beside the failure.
    run_of(&mut world, "d", &["2026-01-01"]);
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::Io)]);
    check_asset(&world, "partition_failed_after_it_was_made", "d", &first);
}

#[test]
fn a_location_that_does_not_load_is_said() {
    let mut world = World::new("a");
    let error = arco_core::event::ErrorInfo {
        kind: "ImportError".into(),
        message: "no module named polars".into(),
        traceback: String::new(),
    };
    let location = "loc".to_owned();
    world
        .run_command(&Command::LoadFailed { location, error })
        .unwrap();
    check_asset(&world, "asset_of_a_location_that_does_not_load", "a", &None);
}

#[test]
fn what_left_memory_is_asked_for_and_never_guessed() {
    let mut world = World::new("a; b <- a");
    let run = world.run("a");
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::UserCode)]);
    let past = pack(&mut world);
    let a = AssetKey::parse("a").unwrap();
    check_asset(&world, "asset_failed_before_the_history", "a", &None);
    let without = Past::default();
    let missing = Explainer::new(&world.state, world.now, &without).missing(&a, &None);
    assert_eq!(
        missing,
        Missing {
            runs: vec![run],
            made: vec![]
        }
    );
    let explainer = Explainer::new(&world.state, world.now, &past);
    assert_eq!(explainer.missing(&a, &None), Missing::default());
    let answer = explainer.asset(&a, &None).unwrap();
    let Reason::Task { run: told, .. } = answer.why.because[0].reason else {
        panic!("{answer:?}")
    };
    assert_eq!(told, run);
}

/// Only the materialization that is shown, or its absence, decides what must be read from the log.
#[test]
fn a_materialization_older_than_memory_is_asked_for_by_its_place() {
    let mut world = World::new("d static");
    let keys = ["x", "y"];
    for round in 0..102 {
        let key = keys[usize::from(round > 0)];
        run_of(&mut world, "d", &[key]);
        let id: AttemptId = world.lease(1)[0];
        world.report(id, vec![made("d"), Reported::Succeeded]);
    }
    let d = AssetKey::parse("d").unwrap();
    let past = Past::default();
    let explainer = Explainer::new(&world.state, world.now, &past);
    let x = slot(&world, "d", "x");
    let position = world.state.assets[&d].latest_of(&x).unwrap().position;
    assert_eq!(explainer.missing(&d, &x).made, [position]);
    let y = slot(&world, "d", "y");
    assert_eq!(explainer.missing(&d, &y), Missing::default());
}
