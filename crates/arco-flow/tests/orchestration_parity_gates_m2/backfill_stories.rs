//! Backfills, whatever happens to them.

use std::collections::BTreeSet;

use arco_core::backfill::{BackfillOrder, BackfillSettings, BackfillStatus};
use arco_core::event::FailureClass;
use arco_core::{AssetKey, BackfillId};
use proptest::prelude::*;

use crate::backfills::{self, Ask, status};
use crate::command::{Command, Reported, SettingsEdit, Steer};
use crate::gates::cases;
use crate::gates::life::step_of;
use crate::state::State;
use crate::testing::{self, World, failed, made};
use crate::{JANUARY, day, day_of};

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

pub(super) const BACKFILLED: [(&str, &str); 5] = [
    ("a daily; b daily <- a; c daily <- yesterday(b)", "a b c"),
    ("a daily; m monthly <- a; z <- m", "a m z"),
    ("a; b daily <- a", "a b"),
    ("a daily <- yesterday(a); s static <- all(a)", "a s"),
    ("m monthly; b daily <- m; c daily <- b, m", "m b c"),
];

pub(super) fn ask(definitions: usize, days: u32, per_run: Option<u32>) -> Ask {
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
pub(super) fn work_some(world: &mut World, tasks: u32, bad: &BTreeSet<u32>) {
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
pub(super) fn under_way(definitions: usize, worked: Option<u32>) -> (World, BackfillId) {
    let mut world = World::new(BACKFILLED[definitions].0);
    let id = backfills::create(&mut world, &ask(definitions, 6, None));
    if let Some(worked) = worked {
        backfills::advance(&mut world, id);
        work_some(&mut world, worked, &BTreeSet::new());
    }
    (world, id)
}

pub(super) fn to_the_end(world: &mut World, id: BackfillId, bad: &BTreeSet<u32>) {
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
