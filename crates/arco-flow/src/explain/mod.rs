//! Why things are as they are: from the state to a tree of causes.
//!
//! Pure, like everything here: `now` is an argument, durations are differences of event times, and
//! what the state no longer holds is said to be unknown instead of guessed. A shell that can read
//! history hands in what was missing as [`Past`]. An answer costs what it shows, and a walk over the
//! tasks of the runs it speaks of; never a walk over all runs or all partitions.

mod asset;
mod run;
mod task;
mod waiting;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::definitions::Definitions;
use arco_core::event::{AssetMaterialized, Position};
use arco_core::explanation::{Explanation, TaskName, Why};
use arco_core::{AssetKey, PartitionKey, RunId, TaskIndex, Timestamp};

use crate::state::{Run, Slot, State};

/// What the state no longer holds and the shell has read from history.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Ended runs that have left memory.
    pub runs: BTreeMap<RunId, Arc<Run>>,
    /// Materializations by where they stand.
    pub made: BTreeMap<Position, AssetMaterialized>,
}

/// What is missing in memory to answer fully.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// Runs that have left memory.
    pub runs: Vec<RunId>,
    /// Materializations that stand in the log only.
    pub made: Vec<Position>,
}

impl Missing {
    /// Whether everything is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.made.is_empty()
    }

    fn run(&mut self, run: RunId) {
        if !self.runs.contains(&run) {
            self.runs.push(run);
        }
    }
}

/// Someone who asks why, at a state and a time.
#[derive(Debug, Clone, Copy)]
pub struct Explainer<'a> {
    state: &'a State,
    now: Timestamp,
    past: &'a Past,
}

impl<'a> Explainer<'a> {
    /// At this state and time, with what was read from history.
    #[must_use]
    pub fn new(state: &'a State, now: Timestamp, past: &'a Past) -> Self {
        Self { state, now, past }
    }

    /// Why a run stands where it stands.
    #[must_use]
    pub fn run(&self, run: &Run) -> Explanation {
        self.answer(self.why_run(run))
    }

    /// Why a task stands where it stands; `None` when the run has no such task.
    #[must_use]
    pub fn task(&self, run: &Run, task: TaskIndex) -> Option<Explanation> {
        let why = self.why_task(run, task)?;
        Some(self.answer(why.because([self.asked(run)])))
    }

    /// Why a run makes an asset, or does not.
    #[must_use]
    pub fn asset_of_run(
        &self,
        run: &Run,
        asset: &AssetKey,
        partition: Option<&PartitionKey>,
    ) -> Explanation {
        self.answer(self.why_asset_of_run(run, asset, partition))
    }

    /// Why an asset, or a partition of it, stands where it stands; `None` when nothing defines it.
    #[must_use]
    pub fn asset(&self, asset: &AssetKey, partition: &Slot) -> Option<Explanation> {
        Some(self.answer(self.why_asset(asset, partition)?))
    }

    fn answer(&self, why: Why) -> Explanation {
        Explanation { now: self.now, why }
    }

    fn known_run(&self, id: RunId) -> Option<&'a Arc<Run>> {
        self.state.run(id).or_else(|| self.past.runs.get(&id))
    }

    /// The definitions of a location that a run was planned by, while they are in memory.
    fn definitions(&self, run: &Run, location: &str) -> Option<&'a Arc<Definitions>> {
        self.state.pinned(run, location)
    }
}

/// A task, as people name it.
fn name(run: &Run, task: TaskIndex) -> TaskName {
    let planned = run.planned(task);
    let first = planned.and_then(|planned| planned.partitions.first());
    TaskName {
        task,
        step: planned.map_or_else(String::new, |planned| planned.step.clone()),
        mapping_key: planned.and_then(|planned| planned.mapping_key.clone()),
        partition: first.map(|key| key.display().into_owned()),
        partition_count: planned.map_or(0, |planned| planned.partitions.len() as u64),
    }
}
