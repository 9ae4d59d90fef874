//! How long steps took lately: what a plan expects from history.

use std::collections::VecDeque;

use arco_core::{RunId, TaskIndex, Timestamp};
use serde::{Deserialize, Serialize};

use super::State;

/// Successes remembered of a step. A median of so many is steady, and follows a change of the code
/// within a week of daily runs.
const KEPT: usize = 15;

/// The last successes of one step: how long each took, in milliseconds, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Durations(VecDeque<u32>);

impl Durations {
    fn add(&mut self, ms: u64) {
        self.0.push_back(u32::try_from(ms).unwrap_or(u32::MAX));
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    /// The middle one, in milliseconds; of two in the middle the longer. `None` before the first.
    #[must_use]
    pub fn median_ms(&self) -> Option<u64> {
        let mut sorted: Vec<u32> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().map(u64::from)
    }

    /// How many are remembered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// A task succeeded: its last attempt counts, from the beginning of its body when that is known.
pub(super) fn succeeded(state: &mut State, run: RunId, task: TaskIndex) {
    if state.fold_version < 3 {
        return;
    }
    let Some((key, ms)) = last_attempt(state, run, task) else {
        return;
    };
    state.durations.entry(key).or_default().add(ms);
}

/// Steps that a location no longer defines are forgotten.
pub(super) fn deployed(state: &mut State, location: &str) {
    let Some(definitions) = state.catalog.locations().get(location) else {
        return;
    };
    let is_gone =
        |(of, step): &&(String, String)| of == location && definitions.step(step).is_none();
    let gone: Vec<_> = state.durations.keys().filter(is_gone).cloned().collect();
    for key in &gone {
        state.durations.remove(key);
    }
}

fn last_attempt(state: &State, run: RunId, task: TaskIndex) -> Option<((String, String), u64)> {
    let run = state.run(run)?;
    let planned = run.planned(task)?;
    let row = run.task(task)?.attempts.last()?;
    let began: Timestamp = row.started.unwrap_or(row.leased);
    let key = (planned.location.clone(), planned.step.clone());
    Some((key, row.ended?.ms_since(began)))
}

#[cfg(test)]
mod tests;
