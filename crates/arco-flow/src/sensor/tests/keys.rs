//! Run keys and their policies.

use arco_core::RunId;

use super::*;

fn finish(world: &mut World, run: RunId, well: bool) {
    let attempt = world.lease(1).pop().expect("there is work");
    assert_eq!(attempt.run, run);
    let said = match well {
        true => vec![
            crate::testing::made("a"),
            crate::command::Reported::Succeeded,
        ],
        false => vec![crate::testing::failed(
            arco_core::event::FailureClass::UserCode,
        )],
    };
    let refused = world.report(attempt, said);
    assert!(refused.is_empty());
    assert!(world.state_of(run).status.is_terminal());
}

fn made(world: &World) -> Vec<RunId> {
    world
        .state
        .evaluations_of("s")
        .next_back()
        .expect("a row")
        .runs()
        .to_vec()
}

fn kept(world: &World) -> Vec<(String, Option<RunId>)> {
    let row = world.state.evaluations_of("s").next_back().expect("a row");
    let EvaluationRow::Success { kept, .. } = &row.outcome else {
        panic!("{row:?}")
    };
    kept.iter()
        .map(|kept| (kept.run_key.clone(), kept.run))
        .collect()
}

#[test]
fn a_key_is_one_run_for_ever_whatever_became_of_it_and_the_row_says_which() {
    let mut world = world("a", &[sensor(&json!({}))]);
    // Two equal keys of one evaluation are one run (N-13).
    look(&mut world, runs(&["k", "k", "l"]));
    let first = made(&world);
    assert_eq!(first.len(), 2);
    assert_eq!(kept(&world), [("k".to_owned(), Some(first[0]))]);
    finish(&mut world, first[0], false);
    look(&mut world, runs(&["k"]));
    assert!(made(&world).is_empty());
    assert_eq!(kept(&world), [("k".to_owned(), Some(first[0]))]);
    // Another request under the key is kept back too, and is no conflict.
    let mut other = runs(&["k"]);
    other.runs[0].tags.insert("team".into(), "core".into());
    look(&mut world, other);
    assert_eq!(kept(&world).len(), 1);
    let status = world
        .state
        .evaluations_of("s")
        .next_back()
        .expect("a row")
        .status();
    assert_eq!(status.as_str(), "skipped");
    assert_eq!(row(&world).last_run_key.as_deref(), Some("l"));
    assert_kept(&world);
}

#[test]
fn until_success_a_key_is_held_by_a_run_that_goes_on_or_succeeded() {
    let mut world = world(
        "a",
        &[sensor(&json!({"run_keys": {"policy": "until_success"}}))],
    );
    look(&mut world, runs(&["k"]));
    let first = made(&world)[0];
    look(&mut world, runs(&["k"]));
    assert!(made(&world).is_empty(), "it goes on");
    finish(&mut world, first, false);
    look(&mut world, runs(&["k"]));
    let second = made(&world)[0];
    assert_ne!(second, first);
    finish(&mut world, second, true);
    look(&mut world, runs(&["k"]));
    assert_eq!(kept(&world), [("k".to_owned(), Some(second))]);
    assert_kept(&world);
}

#[test]
fn within_its_window_a_key_is_held() {
    let window = json!({"run_keys": {"policy": "window", "seconds": 60}});
    let mut world = world("a", &[sensor(&window)]);
    look(&mut world, runs(&["k"]));
    let first = made(&world)[0];
    world.now = after(59);
    look(&mut world, runs(&["k"]));
    assert_eq!(kept(&world), [("k".to_owned(), Some(first))]);
    world.now = after(60);
    look(&mut world, runs(&["k"]));
    assert_eq!(made(&world).len(), 1);
    assert_kept(&world);
}

#[test]
fn runs_without_keys_are_as_many_as_are_asked_for() {
    let mut world = world("a", &[sensor(&json!({}))]);
    let three = Wanted {
        runs: vec![run(None), run(None), run(None)],
        ..Wanted::default()
    };
    look(&mut world, three.clone());
    look(&mut world, three);
    assert_eq!(world.state.runs.len(), 6);
}

#[test]
fn a_backfill_is_asked_for_once_per_key_beside_the_runs() {
    let mut world = world("a daily", &[sensor(&json!({}))]);
    let wanted = Wanted {
        backfills: vec![crate::evaluation::BackfillAsked {
            selection: vec!["a".into()],
            partitions: vec!["2026-01-01...2026-01-05".into()],
            tags: [].into(),
            run_key: Some("b".into()),
            answers: None,
        }],
        ..Wanted::default()
    };
    look(&mut world, wanted.clone());
    look(&mut world, wanted);
    assert_eq!(world.state.backfills.len(), 1);
    let backfill = world.state.backfills.values().next().expect("one");
    assert_eq!(backfill.count(), 5);
    assert_eq!(backfill.tags["dagster/sensor_name"], "s");
    let row = world.state.evaluations_of("s").next_back().expect("a row");
    let EvaluationRow::Success {
        kept, backfills, ..
    } = &row.outcome
    else {
        panic!("{row:?}")
    };
    assert!(backfills.is_empty());
    assert_eq!(kept[0].backfill, Some(backfill.id));
    assert_kept(&world);
}
