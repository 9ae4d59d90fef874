//! Gate M2 on the decisions: what carries partitions, backfills, schedules and sensors.
//!
//! `cargo test -p arco-flow --test orchestration_parity_gates_m2`

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use arco_core::event::FailureClass;
use arco_core::{AssetKey, AttemptId, RunId};
use arco_flow::{Rejection, command, decide, planner, state};
use proptest::prelude::*;

use crate::command::Reported;
use crate::gates::life::step_of;
use crate::planner::PartitionsAsked;
use crate::state::State;
use crate::testing::{World, failed, made};

mod automation;
mod backfill_outcomes;
mod backfill_rules;
mod backfill_stories;
#[path = "../gates/backfills.rs"]
mod backfills;
#[allow(dead_code, reason = "the three gates share it")]
#[path = "../gates/mod.rs"]
mod gates;
mod partitions;
#[allow(dead_code, reason = "shared with the crate's own tests")]
#[path = "../../src/testing.rs"]
mod testing;

/// Days of January 2026, of which all exist when the harness begins.
pub(crate) const JANUARY: u32 = 31;

pub(crate) fn day(n: u32) -> String {
    format!("2026-01-{n:02}")
}

pub(crate) fn keys<const N: usize>(texts: [&str; N]) -> PartitionsAsked {
    PartitionsAsked::Keys(texts.map(str::to_owned).to_vec())
}

pub(crate) fn run_over(world: &mut World, assets: &str, partitions: &PartitionsAsked) -> RunId {
    let request = world.request(assets, partitions).expect("a plan");
    let run = request.run;
    world.ask(request).expect("a run without a key");
    run
}

/// The partition of an attempt, as a day of January; `None` for an unpartitioned task.
pub(crate) fn day_of(world: &World, attempt: AttemptId) -> Option<u32> {
    let planned = &world.state_of(attempt.run).plan.tasks[attempt.task as usize];
    let key = planned.partitions.first()?.display().into_owned();
    Some(key[8..].parse().expect("a day"))
}

/// Works a world off; what `fails` says fails, all else is made.
pub(crate) fn work(world: &mut World, mut fails: impl FnMut(&str, Option<u32>) -> bool) {
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
pub(crate) struct Days {
    pub(crate) made: BTreeSet<u32>,
    pub(crate) failed: BTreeSet<u32>,
    pub(crate) in_progress: BTreeSet<u32>,
}

pub(crate) fn days_of(state: &State, asset: &str) -> Days {
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
pub(crate) fn wanted() -> impl Strategy<Value = (PartitionsAsked, BTreeSet<u32>)> {
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
