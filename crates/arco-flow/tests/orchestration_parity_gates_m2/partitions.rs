//! Runs over ranges and sets of partitions: their planning, the outcome of each partition and what its status says
//! afterwards.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::AssetKey;
use arco_core::event::{FailureClass, SkipReason};
use arco_flow::Rejection;
use proptest::prelude::*;

use crate::command::{Command, Reported};
use crate::gates::cases;
use crate::gates::life::work_off;
use crate::planner::PartitionsAsked;
use crate::state::RunStatus;
use crate::testing::{World, failed, made};
use crate::{Days, JANUARY, day, days_of, keys, run_over, wanted, work};

proptest! {
    #![proptest_config(cases(96))]

    /// Ranges with both ends in, single keys, overlaps: each partition once, and no other.
    #[test]
    fn ranges_run_each_of_their_partitions_once((asked, days) in wanted()) {
        let mut world = World::new("a daily; b daily <- a");
        let run = run_over(&mut world, "a b", &asked);
        prop_assert_eq!(days_of(&world.state, "a").in_progress, days.clone());
        let mut steps = work_off(&mut world);
        steps.sort();
        let expected = ["a", "b"].map(|step| vec![step; days.len()]).concat();
        prop_assert_eq!(steps, expected);
        let then = Days { made: days, ..Days::default() };
        prop_assert_eq!(&days_of(&world.state, "a"), &then);
        prop_assert_eq!(&days_of(&world.state, "b"), &then);
        prop_assert_eq!(world.state_of(run).status, RunStatus::Success);
    }

    /// A partition that fails brings down the partitions that stand on it and no others, and each of
    /// those says because of which task. `c` reads the day before.
    #[test]
    fn a_failed_partition_brings_down_only_what_stands_on_it((asked, days) in wanted(), bad in prop::collection::btree_set(1..=JANUARY, 0..8)) {
        let mut world = World::new("a daily; b daily <- a; c daily <- yesterday(b)");
        let run = run_over(&mut world, "a b c", &asked);
        work(&mut world, |step, day| step == "a" && day.is_some_and(|day| bad.contains(&day)));
        let bad: BTreeSet<u32> = bad.intersection(&days).copied().collect();
        let without = |gone: &BTreeSet<u32>| days.difference(gone).copied().collect::<BTreeSet<_>>();
        let next: BTreeSet<u32> = bad.iter().map(|day| day + 1).collect();
        let a = Days { made: without(&bad), failed: bad.clone(), ..Days::default() };
        prop_assert_eq!(days_of(&world.state, "a"), a);
        prop_assert_eq!(days_of(&world.state, "b"), Days { made: without(&bad), ..Days::default() });
        prop_assert_eq!(days_of(&world.state, "c"), Days { made: without(&next), ..Days::default() });
        let run = world.state_of(run);
        let good = bad.is_empty();
        prop_assert_eq!(run.status, if good { RunStatus::Success } else { RunStatus::Failure });
        for (planned, task) in run.plan.tasks.iter().zip(&run.tasks) {
            let Some(because) = &task.skipped else { continue };
            let SkipReason::UpstreamFailed(cause) = because else {
                return Err(TestCaseError::fail(format!("{because:?}")));
            };
            let cause = &run.plan.tasks[*cause as usize];
            prop_assert_eq!(&cause.step, "a");
            let day = |keys: &[arco_core::PartitionKey]| -> u32 {
                keys[0].display()[8..].parse().expect("a day")
            };
            let later = u32::from(planned.step == "c");
            prop_assert_eq!(day(&planned.partitions), day(&cause.partitions) + later);
        }
    }

    /// Running again what failed makes just that: the good partitions keep what they have.
    #[test]
    fn what_failed_is_run_again_alone((asked, days) in wanted(), mut bad in prop::collection::btree_set(1..=JANUARY, 1..8)) {
        // One at least fails.
        bad.extend(days.first());
        let mut world = World::new("a daily");
        run_over(&mut world, "a", &asked);
        work(&mut world, |_, day| day.is_some_and(|day| bad.contains(&day)));
        let failed = days_of(&world.state, "a").failed;
        prop_assert_eq!(&failed, &days.intersection(&bad).copied().collect());
        let latest = |world: &World| -> BTreeMap<u32, arco_core::event::Position> {
            let facts = &world.state.assets[&AssetKey::parse("a").expect("a key")];
            facts.latest.iter().map(|(ordinal, made)| (ordinal, made.position)).collect()
        };
        let before = latest(&world);
        let again = PartitionsAsked::Keys(failed.iter().map(|n| day(*n)).collect());
        run_over(&mut world, "a", &again);
        let steps = work_off(&mut world);
        prop_assert_eq!(steps.len(), failed.len());
        prop_assert_eq!(days_of(&world.state, "a"), Days { made: days, ..Days::default() });
        let after = latest(&world);
        prop_assert!(before.iter().all(|(ordinal, at)| after[ordinal] == *at));
    }

    /// A range in one run, or the same range in runs of some days each that are worked off together:
    /// the same partitions are made, each once.
    #[test]
    fn chunks_make_what_the_whole_makes(first in 1..20_u32, length in 1..12_u32, chunk in 1..5_u32) {
        let definitions = "a daily; b daily <- a";
        let last = first + length - 1;
        let mut whole = World::new(definitions);
        let range = format!("{}...{}", day(first), day(last));
        run_over(&mut whole, "a b", &keys([&range]));
        work_off(&mut whole);
        let mut chunks = World::new(definitions);
        let mut from = first;
        while from <= last {
            let to = (from + chunk - 1).min(last);
            run_over(&mut chunks, "a b", &keys([&format!("{}...{}", day(from), day(to))]));
            from = to + 1;
        }
        let steps = work_off(&mut chunks);
        prop_assert_eq!(steps.len(), 2 * length as usize);
        for asset in ["a", "b"] {
            prop_assert_eq!(days_of(&chunks.state, asset), days_of(&whole.state, asset));
        }
        prop_assert!(chunks.state.runs.values().all(|run| run.status == RunStatus::Success));
    }
}

#[test]
fn all_partitions_are_those_that_exist_by_now() {
    let mut world = World::new("a daily");
    for (hours, days) in [(0, 31), (23, 31), (24, 32), (24 * 28, 59)] {
        world.now = crate::testing::NOW.plus_ms(hours * 3_600_000);
        let request = world.request("a", &PartitionsAsked::All).expect("a plan");
        assert_eq!(request.plan.tasks.len(), days, "after {hours} hours");
        let last = request.plan.tasks.last().expect("tasks");
        let next = day(1 + JANUARY);
        assert_ne!(last.partitions[0].display(), next, "no such day");
    }
}

#[test]
fn a_range_that_is_none_is_refused_with_the_mend() {
    let mut world = World::new("flights daily; plain; sizes static");
    for (assets, asked, code, says) in [
        (
            "flights",
            keys(["2026-01-31...2026-02-01"]),
            "bad_partition",
            "2026-02-01",
        ),
        (
            "flights",
            keys(["2025-12-31"]),
            "bad_partition",
            "2025-12-31",
        ),
        (
            "flights",
            keys(["2026-01-0x"]),
            "bad_partition",
            "daily partitions look like",
        ),
        (
            "flights",
            PartitionsAsked::None,
            "partition_missing",
            "give a key such as `2026-01-01`",
        ),
        (
            "plain",
            keys(["2026-01-01"]),
            "partition_unused",
            "leave the partition out",
        ),
        ("sizes", keys(["w"]), "bad_partition", "`w`"),
        // Dagster makes an empty run of it (EX-54).
        (
            "flights",
            keys(["2026-01-05...2026-01-01"]),
            "bad_partition",
            "ends before it begins",
        ),
    ] {
        let refused = world.request(assets, &asked).expect_err("no partitions");
        assert_eq!(refused.code(), code, "{asked:?}: {refused}");
        assert!(refused.to_string().contains(says), "{asked:?}: {refused}");
    }
    assert!(world.state.runs.is_empty(), "nothing was begun");
}

#[test]
fn a_month_waits_for_every_day_of_it_that_is_run() {
    let mut world = World::new("d daily; m monthly <- d");
    let run = run_over(&mut world, "d m", &PartitionsAsked::All);
    let mut days = 0;
    work(&mut world, |step, _| {
        if step == "d" {
            days += 1;
        } else {
            assert_eq!(days, JANUARY, "the month began before its last day");
        }
        false
    });
    assert_eq!(world.state_of(run).counts.total(), JANUARY + 1);
    assert_eq!(world.state_of(run).status, RunStatus::Success);
}

#[test]
fn one_failed_day_keeps_the_month_from_running() {
    let mut world = World::new("d daily; m monthly <- d");
    let run = run_over(&mut world, "d m", &PartitionsAsked::All);
    work(&mut world, |step, day| step == "d" && day == Some(17));
    let month = days_of(&world.state, "m");
    assert_eq!(month, Days::default(), "neither made nor failed: not tried");
    assert_eq!(days_of(&world.state, "d").made.len(), 30);
    assert_eq!(world.state_of(run).status, RunStatus::Failure);
}

#[test]
fn a_cancelled_run_leaves_no_mark_of_failure_and_what_it_made() {
    let mut world = World::new("a daily");
    let run = run_over(&mut world, "a", &keys(["2026-01-01...2026-01-06"]));
    let held = world.lease(2);
    world.report(held[0], vec![made("a"), Reported::Succeeded]);
    world.run_command(&Command::CancelRun(run)).expect("known");
    world.report(held[1], vec![Reported::Cancelled]);
    let then = Days {
        made: [1].into(),
        ..Days::default()
    };
    assert_eq!(days_of(&world.state, "a"), then);
    assert_eq!(world.state_of(run).status, RunStatus::Canceled);
}

#[test]
fn a_partition_under_way_in_two_runs_is_so_until_both_are_over() {
    let mut world = World::new("a daily");
    let asked = keys(["2026-01-03"]);
    run_over(&mut world, "a", &asked);
    run_over(&mut world, "a", &asked);
    let held = world.lease(2);
    world.report(held[0], vec![made("a"), Reported::Succeeded]);
    assert_eq!(days_of(&world.state, "a").in_progress, [3].into());
    world.report(held[1], vec![failed(FailureClass::UserCode)]);
    let then = Days {
        made: [3].into(),
        failed: [3].into(),
        ..Days::default()
    };
    assert_eq!(days_of(&world.state, "a"), then, "the later one failed");
}

#[test]
fn a_run_over_too_many_partitions_is_refused_with_the_mend() {
    let mut world = World::new("a daily");
    let years = 600;
    world.now = world.now.plus_ms(years * 366 * 24 * 3_600_000);
    let refused = world.request("a", &PartitionsAsked::All).expect_err("big");
    assert!(matches!(refused, Rejection::TooManyTasks { .. }));
    assert!(
        refused
            .to_string()
            .ends_with("ask for fewer partitions at a time"),
        "{refused}"
    );
}
