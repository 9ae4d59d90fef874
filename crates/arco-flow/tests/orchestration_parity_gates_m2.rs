//! Gate M2 on the decisions: what carries backfills, schedules and sensors. Today these are runs over
//! ranges and sets of partitions, their planning, the outcome of each partition and what its status
//! says afterwards.
//!
//! `cargo test -p arco-flow --test orchestration_parity_gates_m2`

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use arco_core::backfill::{BackfillOrder, BackfillSettings, BackfillStatus};
use arco_core::event::{FailureClass, Severity, SkipReason};
use arco_core::{AssetKey, AttemptId, BackfillId, RunId};
use arco_flow::{Rejection, command, decide, planner, state};
use proptest::prelude::*;

use crate::backfills::{Ask, status};
use crate::command::{BackfillSteer, Command, Reported, SettingsEdit, Steer};
use crate::gates::cases;
use crate::gates::life::{step_of, work_off};
use crate::planner::PartitionsAsked;
use crate::state::{RunStatus, State};
use crate::testing::{World, failed, made};

#[path = "gates/backfills.rs"]
mod backfills;
#[allow(dead_code, reason = "the three gates share it")]
mod gates;
#[allow(dead_code, reason = "shared with the crate's own tests")]
#[path = "../src/testing.rs"]
mod testing;

/// Days of January 2026, of which all exist when the harness begins.
const JANUARY: u32 = 31;

fn day(n: u32) -> String {
    format!("2026-01-{n:02}")
}

fn keys<const N: usize>(texts: [&str; N]) -> PartitionsAsked {
    PartitionsAsked::Keys(texts.map(str::to_owned).to_vec())
}

fn run_over(world: &mut World, assets: &str, partitions: &PartitionsAsked) -> RunId {
    let request = world.request(assets, partitions).expect("a plan");
    let run = request.run;
    world.ask(request).expect("a run without a key");
    run
}

/// The partition of an attempt, as a day of January; `None` for an unpartitioned task.
fn day_of(world: &World, attempt: AttemptId) -> Option<u32> {
    let planned = &world.state_of(attempt.run).plan.tasks[attempt.task as usize];
    let key = planned.partitions.first()?.display().into_owned();
    Some(key[8..].parse().expect("a day"))
}

/// Works a world off; what `fails` says fails, all else is made.
fn work(world: &mut World, mut fails: impl FnMut(&str, Option<u32>) -> bool) {
    loop {
        let leased = world.lease(4);
        if leased.is_empty() {
            return;
        }
        for attempt in leased {
            let step = step_of(world, attempt);
            let said = if fails(&step, day_of(world, attempt)) {
                vec![Reported::Started, failed(FailureClass::UserCode)]
            } else {
                vec![made(&step), Reported::Succeeded]
            };
            assert!(world.report(attempt, said).is_empty(), "it is held");
        }
    }
}

/// Days of an asset by what the state says of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Days {
    made: BTreeSet<u32>,
    failed: BTreeSet<u32>,
    in_progress: BTreeSet<u32>,
}

fn days_of(state: &State, asset: &str) -> Days {
    let Some(facts) = state.assets.get(&AssetKey::parse(asset).expect("a key")) else {
        return Days::default();
    };
    let day = |ordinal: u32| {
        let slot = facts.slot(ordinal).flatten();
        let key = slot.expect("a partition").display().into_owned();
        key[8..].parse().expect("a day")
    };
    Days {
        made: facts.materialized.iter().map(day).collect(),
        failed: facts.failed.iter().map(day).collect(),
        in_progress: facts.in_progress.keys().copied().map(day).collect(),
    }
}

/// Ranges and single days of January, as they are asked for, and the days they mean.
fn wanted() -> impl Strategy<Value = (PartitionsAsked, BTreeSet<u32>)> {
    let one = (1..=JANUARY, 0_u32..6);
    prop::collection::vec(one, 1..5).prop_map(|drawn| {
        let mut texts = Vec::new();
        let mut days = BTreeSet::new();
        for (first, more) in drawn {
            let last = (first + more).min(JANUARY);
            days.extend(first..=last);
            texts.push(match more {
                0 => day(first),
                _ => format!("{}...{}", day(first), day(last)),
            });
        }
        (PartitionsAsked::Keys(texts), days)
    })
}

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

    /// Whatever happens to a schedule (clocks, operators, deploys, restarts, proposals that come late or
    /// twice): one tick per instant, none left out under `all`, none of the future, one run per tick with
    /// the partition of its instant, and the same state for whoever reads the log.
    #[test]
    fn schedules_fire_every_instant_once_whatever_happens(story in gates::schedules::story()) {
        let world = gates::schedules::live(&story);
        let all: Vec<_> = gates::schedules::ticks(&world.log).collect();
        let unique: BTreeSet<_> = all.iter().collect();
        prop_assert_eq!(unique.len(), all.len());
        let mut keys = BTreeSet::new();
        for run in world.state.runs.values() {
            let tick = run.tick.as_ref().expect("only ticks ask for runs here");
            prop_assert!(keys.insert((run.scope.clone(), run.run_key.clone())));
            prop_assert_eq!(world.state.ticks[tick].runs(), [run.id]);
            if tick.schedule == "s" {
                let asset = world.state.catalog.asset(&run.assets[0]).expect("it is defined");
                let last = asset.asset.partitions.as_ref().and_then(|def| def.last_key(tick.instant));
                prop_assert_eq!(&run.partitions, &last.map(|key| key.display().into_owned()));
            }
        }
        prop_assert_eq!(keys.len(), all.len());
        prop_assert_eq!(world.state.hash(), world.replayed().hash());
        prop_assert_eq!(&world.state.timers, &world.replayed().timers);
    }

    /// Whatever happens to sensors (questions asked twice, answers late, twice or out of order, messages sent
    /// again, operators, deploys, restarts): an evaluation counts once, its cursor goes on from the one before, a
    /// key is one run, a message is one run and comes in its turn, and whoever reads the log has the same state.
    #[test]
    fn evaluations_count_once_whatever_happens(story in gates::sensors::story()) {
        let world = gates::sensors::live(&story);
        gates::sensors::judge(&world.log)?;
        prop_assert_eq!(world.state.hash(), world.replayed().hash());
        prop_assert_eq!(&world.state.timers, &world.replayed().timers);
        prop_assert_eq!(&world.state.subscriptions, &world.replayed().subscriptions);
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
            "--partition 2026-01-01",
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

/// What may happen to a backfill.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Advance,
    Work {
        tasks: u32,
    },
    Pause,
    Resume,
    Edit {
        concurrency: u32,
        newest: bool,
    },
    Deploy,
    Restart,
    /// A command that a leader made before is delivered again.
    Stale,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        5 => Just(Happens::Advance),
        5 => (1_u32..6).prop_map(|tasks| Happens::Work { tasks }),
        1 => Just(Happens::Pause),
        1 => Just(Happens::Resume),
        1 => (1_u32..5, any::<bool>()).prop_map(|(concurrency, newest)| Happens::Edit { concurrency, newest }),
        1 => Just(Happens::Deploy),
        1 => Just(Happens::Restart),
        2 => Just(Happens::Stale),
    ]
}

const BACKFILLED: [(&str, &str); 5] = [
    ("a daily; b daily <- a; c daily <- yesterday(b)", "a b c"),
    ("a daily; m monthly <- a; z <- m", "a m z"),
    ("a; b daily <- a", "a b"),
    ("a daily <- yesterday(a); s static <- all(a)", "a s"),
    ("m monthly; b daily <- m; c daily <- b, m", "m b c"),
];

fn ask(definitions: usize, days: u32, per_run: Option<u32>) -> Ask {
    let (_, assets) = BACKFILLED[definitions];
    Ask {
        assets: assets.into(),
        keys: match definitions {
            0 | 3 => vec![format!("{}...{}", day(1), day(days))],
            _ => Vec::new(),
        },
        per_run,
        settings: BackfillSettings {
            concurrency: 3,
            ..BackfillSettings::default()
        },
        key: None,
    }
}

/// Works off some tasks; those of `bad` days fail.
fn work_some(world: &mut World, tasks: u32, bad: &BTreeSet<u32>) {
    for attempt in world.lease(tasks) {
        let step = step_of(world, attempt);
        let fails = step == "a" && day_of(world, attempt).is_some_and(|day| bad.contains(&day));
        let said = match fails {
            true => vec![Reported::Started, failed(FailureClass::UserCode)],
            false => vec![made(&step), Reported::Succeeded],
        };
        world.report(attempt, said);
    }
}

/// A backfill of six days; when begun, with so many of its tasks worked off.
fn under_way(definitions: usize, worked: Option<u32>) -> (World, BackfillId) {
    let mut world = World::new(BACKFILLED[definitions].0);
    let id = backfills::create(&mut world, &ask(definitions, 6, None));
    if let Some(worked) = worked {
        backfills::advance(&mut world, id);
        work_some(&mut world, worked, &BTreeSet::new());
    }
    (world, id)
}

fn to_the_end(world: &mut World, id: BackfillId, bad: &BTreeSet<u32>) {
    for _ in 0..2_000 {
        if status(world, id).is_terminal() {
            return;
        }
        backfills::advance(world, id);
        work_some(world, 10, bad);
    }
    panic!(
        "the backfill does not end: {:?}",
        backfills::of(world, id).progress
    );
}

proptest! {
    #![proptest_config(cases(48))]

    /// Whatever happens to it, no partition of a backfill is asked for twice and none is missing; paused it
    /// plans nothing; what it says of each is what became of it.
    #[test]
    fn a_backfill_makes_each_partition_once(
        definitions in 0..BACKFILLED.len(),
        days in 1_u32..9,
        per_run in prop::option::of(0_u32..5),
        bad in prop::collection::btree_set(1_u32..JANUARY, 0..4),
        happening in prop::collection::vec(happens(), 0..30),
    ) {
        let mut world = World::new(BACKFILLED[definitions].0);
        let id = backfills::create(&mut world, &ask(definitions, days, per_run));
        let mut stale: Vec<Command> = Vec::new();
        for (n, what) in happening.into_iter().enumerate() {
            let before = backfills::asked_for(&world, id);
            let paused = !status(&world, id).plans();
            match what {
                Happens::Advance => {
                    let command = backfills::advance_command(&mut world, id);
                    world.run_command(&command).unwrap();
                    stale.push(command);
                }
                Happens::Work { tasks } => work_some(&mut world, tasks, &bad),
                Happens::Pause => drop(backfills::steer(&mut world, id, Steer::Pause)),
                Happens::Resume => drop(backfills::steer(&mut world, id, Steer::Resume)),
                Happens::Edit { concurrency, newest } => {
                    let order = if newest { BackfillOrder::Newest } else { BackfillOrder::Oldest };
                    let edit = SettingsEdit { concurrency: Some(concurrency), order: Some(order), ..SettingsEdit::default() };
                    drop(backfills::edit(&mut world, id, edit));
                }
                Happens::Deploy => {
                    let text = BACKFILLED[definitions].0.replacen("a daily", &format!("a daily v={n}"), 1);
                    world.deploy(&testing::manifest(&text)).unwrap();
                }
                Happens::Restart => world.state = State::from_bytes(&world.state.to_bytes()).unwrap(),
                Happens::Stale => if let Some(command) = stale.pop() {
                    // Plans of former definitions are refused, which changes nothing.
                    let log = world.log.len();
                    let refused = world.run_command(&command).is_err();
                    prop_assert!(!refused || world.log.len() == log);
                },
            }
            if paused {
                prop_assert_eq!(before, backfills::asked_for(&world, id), "a paused backfill plans nothing");
            }
            backfills::check_index(&world.state, id);
        }
        drop(backfills::steer(&mut world, id, Steer::Resume));
        to_the_end(&mut world, id, &bad);
        let asked = backfills::asked_for(&world, id);
        prop_assert!(asked.values().all(|times| *times == 1), "nothing twice: {:?}", asked);
        let backfill = backfills::of(&world, id);
        let target = backfills::target(backfill);
        let tried: BTreeSet<(String, String)> = asked.into_keys().collect();
        prop_assert!(tried.is_subset(&target), "nothing that was not asked for");
        let progress = &backfill.progress;
        let done = backfills::members(backfill, |unit, n| progress.units[unit].done.contains(n));
        let failed = backfills::members(backfill, |unit, n| progress.units[unit].failed.contains(n));
        // Done is made, and nothing else is.
        for (asset, key) in &target {
            let facts = world.state.assets.get(&AssetKey::parse(asset).unwrap());
            let made = facts.is_some_and(|facts| !facts.latest.is_empty()
                && facts.materialized.iter().any(|n| match facts.slot(n).unwrap() {
                    None => key == "*",
                    Some(known) => known.display() == key.as_str(),
                }));
            let is_done = done.contains(&(asset.clone(), key.clone()));
            prop_assert!(made || !is_done, "{} {} is done and was not made", asset, key);
        }
        let over = backfill.status;
        prop_assert_eq!(over == BackfillStatus::Succeeded, done == target, "{:?}", progress);
        prop_assert_eq!(over == BackfillStatus::Failed, !failed.is_empty());
        if failed.is_empty() {
            prop_assert_eq!(&tried, &target, "none is missing");
        }
        prop_assert_eq!(world.replayed().hash(), world.state.hash());
        prop_assert_eq!(State::from_bytes(&world.state.to_bytes()).unwrap().hash(), world.state.hash());

        // A retry makes what was left undone, never more; asking twice is one retry.
        if let Some(request) = backfills::retry_request(&mut world, id) {
            let (child, created) = backfills::send(&mut world, &request).unwrap();
            prop_assert!(created);
            let again = backfills::retry_request(&mut world, id).unwrap();
            prop_assert_eq!(backfills::send(&mut world, &again).unwrap(), (child, false));
            let left: BTreeSet<(String, String)> = target.difference(&done).cloned().collect();
            prop_assert_eq!(backfills::target(backfills::of(&world, child)), left);
            to_the_end(&mut world, child, &BTreeSet::new());
            prop_assert_eq!(status(&world, child), BackfillStatus::Succeeded);
        } else {
            prop_assert_eq!(done, target);
        }
    }

    /// From the moment it is canceled a backfill plans nothing; drained, what goes on ends by itself.
    #[test]
    fn a_canceled_backfill_plans_nothing_more(
        definitions in 0..BACKFILLED.len(),
        worked in 0_u32..8,
        drain in any::<bool>(),
        begun in any::<bool>(),
    ) {
        let (mut world, id) = under_way(definitions, begun.then_some(worked));
        if begun {
            backfills::advance(&mut world, id);
        }
        let stale = backfills::advance_command(&mut world, id);
        let ended = status(&world, id).is_terminal();
        let asked = backfills::asked_for(&world, id);
        let active = backfills::of(&world, id).active.len();
        backfills::steer(&mut world, id, Steer::Cancel { drain }).unwrap();
        let log = world.log.len();
        backfills::steer(&mut world, id, Steer::Cancel { drain }).unwrap();
        prop_assert_eq!(world.log.len(), log, "canceling again changes nothing");
        if active == 0 && !ended {
            prop_assert_eq!(status(&world, id), BackfillStatus::Canceled);
        }
        world.run_command(&stale).unwrap();
        for _ in 0..20 {
            backfills::advance(&mut world, id);
            work_some(&mut world, 10, &BTreeSet::new());
        }
        prop_assert_eq!(backfills::asked_for(&world, id), asked);
        if !ended {
            prop_assert_eq!(status(&world, id), BackfillStatus::Canceled);
            let tally = backfills::of(&world, id).progress.tally();
            prop_assert!(!drain || tally.failed == 0, "what is drained ends well");
        }
        prop_assert!(backfills::of(&world, id).active.is_empty());
        prop_assert_eq!(world.replayed().hash(), world.state.hash());
    }

    /// What was planned before a pause and is decided after it is no run; what was left goes on at the next.
    #[test]
    fn a_paused_backfill_plans_nothing_and_goes_on_where_it_was(
        definitions in 0..BACKFILLED.len(),
        worked in 0_u32..8,
        begun in any::<bool>(),
    ) {
        let (mut world, id) = under_way(definitions, begun.then_some(worked));
        let stale = backfills::advance_command(&mut world, id);
        prop_assume!(!status(&world, id).is_terminal());
        let asked = backfills::asked_for(&world, id);
        backfills::steer(&mut world, id, Steer::Pause).unwrap();
        world.run_command(&stale).unwrap();
        for _ in 0..20 {
            backfills::advance(&mut world, id);
            // What goes on may end.
            work_some(&mut world, 10, &BTreeSet::new());
        }
        prop_assert_eq!(backfills::asked_for(&world, id), asked);
        if !status(&world, id).is_terminal() {
            prop_assert_eq!(status(&world, id), BackfillStatus::Paused);
            backfills::steer(&mut world, id, Steer::Resume).unwrap();
        }
        for _ in 0..50 {
            backfills::advance(&mut world, id);
            work_some(&mut world, 10, &BTreeSet::new());
        }
        prop_assert_eq!(status(&world, id), BackfillStatus::Succeeded);
        prop_assert_eq!(world.replayed().hash(), world.state.hash());
    }
}

#[test]
fn a_request_for_a_backfill_under_one_key_is_one_backfill() {
    let mut world = World::new("a daily");
    let mut asked = ask(0, 3, None);
    asked.assets = "a".into();
    asked.key = Some("nightly".into());
    let first = backfills::request(&mut world, &asked).unwrap();
    let again = backfills::request(&mut world, &asked).unwrap();
    assert_ne!(first.backfill, again.backfill);
    assert_eq!(
        backfills::send(&mut world, &first).unwrap(),
        (first.backfill, true)
    );
    assert_eq!(
        backfills::send(&mut world, &again).unwrap(),
        (first.backfill, false)
    );
    asked.per_run = Some(2);
    let other = backfills::request(&mut world, &asked).unwrap();
    let refused = backfills::send(&mut world, &other).unwrap_err();
    assert_eq!(refused.code(), "idempotency_conflict");
}

#[test]
fn a_failed_blocking_check_is_never_shown_as_success() {
    let mut world = World::new("a daily; check a.ok blocking <- a; m monthly <- a");
    let id = backfills::create(
        &mut world,
        &Ask {
            assets: "a m".into(),
            ..Ask::default()
        },
    );
    for _ in 0..40 {
        backfills::advance(&mut world, id);
        for attempt in world.lease(10) {
            let step = step_of(&world, attempt);
            let said = match step.as_str() {
                "a__ok" => vec![
                    testing::judged("a", "ok", false, Severity::Error),
                    Reported::Succeeded,
                ],
                step => vec![made(step), Reported::Succeeded],
            };
            world.report(attempt, said);
        }
    }
    let backfill = backfills::of(&world, id);
    assert_eq!(backfill.status, BackfillStatus::Failed);
    let tally = backfill.progress.tally();
    assert_eq!(
        (tally.done, tally.failed),
        (0, 31),
        "made, and judged bad; m was not tried"
    );
    assert_eq!(
        backfill.reason.as_deref(),
        Some("31 partitions failed, 1 were not tried because of what failed")
    );
}

#[test]
fn a_throttled_backfill_begins_so_many_runs_a_minute() {
    let mut world = World::new("a daily");
    let settings = BackfillSettings {
        runs_per_minute: Some(6),
        ..BackfillSettings::default()
    };
    let id = backfills::create(
        &mut world,
        &Ask {
            assets: "a".into(),
            settings,
            ..Ask::default()
        },
    );
    let mut begun = Vec::new();
    for _ in 0..30 {
        backfills::advance(&mut world, id);
        begun.push(backfills::asked_for(&world, id).len());
        world.now = world.now.plus_ms(1_000);
    }
    assert_eq!((begun[0], begun[9], begun[10], begun[29]), (1, 1, 2, 3));
}

#[test]
fn what_is_no_setting_or_no_state_is_refused_with_the_mend() {
    let mut world = World::new("a daily");
    let id = backfills::create(
        &mut world,
        &Ask {
            assets: "a".into(),
            ..Ask::default()
        },
    );
    let none = SettingsEdit {
        concurrency: Some(0),
        ..SettingsEdit::default()
    };
    assert_eq!(
        backfills::edit(&mut world, id, none).unwrap_err().code(),
        "bad_backfill"
    );
    let seen = BackfillSteer {
        backfill: id,
        state_version: Some(7),
        to: Steer::Pause,
    };
    let refused = world
        .run_command(&Command::SteerBackfill(seen))
        .unwrap_err();
    assert_eq!(refused.code(), "backfill_moved");
    to_the_end(&mut world, id, &BTreeSet::new());
    let refused = backfills::steer(&mut world, id, Steer::Pause).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "backfill {id} is succeeded, so it cannot be paused; `arco backfill retry-failed {id}` makes what it left undone"
        )
    );
    assert!(
        backfills::retry_request(&mut world, id).is_none(),
        "nothing was left undone"
    );
}

/// B-20, better: what is gone from the definitions is named, and the rest goes on.
#[test]
fn partitions_that_go_while_it_goes_on_fail_by_name() {
    let mut world = World::new("a daily");
    let mut asked = Ask {
        assets: "a".into(),
        keys: vec!["2026-01-01...2026-01-04".into()],
        ..Ask::default()
    };
    asked.settings.concurrency = 1;
    let id = backfills::create(&mut world, &asked);
    let mut later = testing::manifest("a daily");
    later["assets"][0]["partitions"]["start"] = serde_json::json!("2026-01-03T00:00:00");
    world.deploy(&later).unwrap();
    to_the_end(&mut world, id, &BTreeSet::new());
    let backfill = backfills::of(&world, id);
    assert_eq!(backfill.status, BackfillStatus::Failed);
    let tally = backfill.progress.tally();
    assert_eq!((tally.done, tally.failed), (2, 2));
    assert!(
        backfill.dropped[0].1.contains("2026-01-01"),
        "{:?}",
        backfill.dropped
    );
    assert_eq!(days_of(&world.state, "a").made, BTreeSet::from([3, 4]));
}
