//! Facts about one asset, per partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::event::{AssetMaterialized, AssetObserved, CheckEvaluated, Position, Severity};
use arco_core::{AttemptId, PartitionKey, RunId, TaskIndex, Timestamp};
use imbl::{OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::PagedBitmap;

mod made;
mod slots;

pub use made::Made;
pub use slots::Slots;

/// A partition, or the whole of an unpartitioned asset.
pub type Slot = Option<PartitionKey>;

/// Materializations per asset kept whole in memory; older ones are read from the log by position.
const RECENT_MAX: usize = 100;

/// What is known of one asset. Partitions are numbered in order of first appearance in the log and
/// keep their number for ever, so that a redefinition moves no status.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetState {
    /// Slot of each ordinal.
    slots: Slots,
    /// Ordinals that were ever materialized.
    pub materialized: PagedBitmap,
    /// Ordinals whose last attempted task failed, with no materialization since (F-2).
    pub failed: PagedBitmap,
    /// The last task that was to make an ordinal and did not, with no materialization since. From fold
    /// version 3 on.
    #[serde(default, skip_serializing_if = "OrdMap::is_empty")]
    pub unmade: OrdMap<u32, (RunId, TaskIndex)>,
    /// Ordinals planned in runs that are not over (F-3): a set of runs, not a counter.
    pub in_progress: OrdMap<u32, OrdSet<RunId>>,
    /// Last materialization of each ordinal.
    #[serde(default, skip_serializing_if = "Made::is_empty")]
    pub latest: Made,
    /// The last materializations, whole, oldest first.
    pub recent: Vector<Arc<(Position, Timestamp, AssetMaterialized)>>,
    /// How many materializations there were.
    pub materializations: u64,
    /// Last observation of each ordinal.
    #[serde(default, skip_serializing_if = "OrdMap::is_empty")]
    pub observed: OrdMap<u32, Observation>,
    /// The last observations, whole, oldest first.
    #[serde(default, skip_serializing_if = "Vector::is_empty")]
    pub recent_observations: Vector<Arc<(Position, Timestamp, AssetObserved)>>,
    /// How many observations there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub observations: u64,
    /// Last result of each check, per ordinal.
    pub checks: OrdMap<String, OrdMap<u32, Arc<CheckRow>>>,
}

/// The last materialization of a slot, in short. The rest stands at its position in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Materialization {
    /// Where it stands.
    pub position: Position,
    /// When it was recorded.
    pub time: Timestamp,
    /// The attempt that made it; `None` when it was reported from outside of runs.
    pub attempt: Option<AttemptId>,
    /// Version of the data.
    pub data_version: Arc<str>,
    /// Version of the code.
    pub code_version: Option<Arc<str>>,
}

/// The last observation of a slot, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Where it stands.
    pub position: Position,
    /// When it was recorded.
    pub time: Timestamp,
    /// The attempt that looked; `None` when it was reported from outside of runs.
    pub attempt: Option<AttemptId>,
    /// Version of the data, when the observer knew it.
    pub data_version: Option<Arc<str>>,
}

/// The last result of a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckRow {
    /// Where it stands.
    pub position: Position,
    /// When it was recorded.
    pub time: Timestamp,
    /// The attempt that judged it; `None` when it was reported from outside of runs.
    pub attempt: Option<AttemptId>,
    /// The verdict.
    pub passed: bool,
    /// Weight of a failure.
    pub severity: Severity,
    /// For people.
    pub description: Option<String>,
    /// Typed values by name.
    pub metadata: BTreeMap<String, Value>,
}

impl AssetState {
    /// The ordinal of a slot, when the slot was ever spoken of.
    #[must_use]
    pub fn ordinal(&self, slot: &Slot) -> Option<u32> {
        self.slots.ordinal(slot)
    }

    /// The slot of an ordinal.
    #[must_use]
    pub fn slot(&self, ordinal: u32) -> Option<Slot> {
        self.slots.get(ordinal)
    }

    /// The slots, by ordinal.
    #[must_use]
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The last materialization of a slot.
    #[must_use]
    pub fn latest_of(&self, slot: &Slot) -> Option<Materialization> {
        self.latest.get(self.ordinal(slot)?)
    }

    /// The last observation of a slot.
    #[must_use]
    pub fn observed_of(&self, slot: &Slot) -> Option<&Observation> {
        self.observed.get(&self.ordinal(slot)?)
    }

    /// The data version of a slot and where it was said: by its last materialization, and for an
    /// external asset by its last observation when that is later.
    #[must_use]
    pub fn version_of(&self, slot: &Slot, external: bool) -> Option<(Arc<str>, Position)> {
        let made = self.latest_of(slot);
        let made = made.map(|made| (made.data_version, made.position));
        let seen = self.observed_of(slot).filter(|_| external);
        let seen =
            seen.and_then(|seen| Some((Arc::clone(seen.data_version.as_ref()?), seen.position)));
        made.into_iter().chain(seen).max_by_key(|(_, at)| *at)
    }

    pub(super) fn planned(&mut self, slot: &Slot, run: RunId) {
        let ordinal = self.slots.intern(slot);
        self.in_progress.entry(ordinal).or_default().insert(run);
    }

    /// A run is done with a slot, well or not.
    pub(super) fn settled(&mut self, slot: &Slot, run: RunId) {
        let ordinal = self.slots.intern(slot);
        if let Some(runs) = self.in_progress.get_mut(&ordinal) {
            runs.remove(&run);
            if runs.is_empty() {
                self.in_progress.remove(&ordinal);
            }
        }
    }

    pub(super) fn attempt_failed(&mut self, slot: &Slot) {
        let ordinal = self.slots.intern(slot);
        self.failed.insert(ordinal);
    }

    /// A task is over; when it did not make the slot, it is remembered as the one that did not.
    pub(super) fn unmade_by(&mut self, slot: &Slot, run: RunId, task: TaskIndex) {
        let ordinal = self.slots.intern(slot);
        let made = self.latest.get(ordinal).and_then(|made| made.attempt);
        if made.is_none_or(|attempt| (attempt.run, attempt.task) != (run, task)) {
            self.unmade.insert(ordinal, (run, task));
        }
    }

    pub(super) fn materialized(&mut self, at: Position, time: Timestamp, e: &AssetMaterialized) {
        let ordinal = self.slots.intern(&e.partition);
        self.materialized.insert(ordinal);
        self.failed.remove(ordinal);
        self.unmade.remove(&ordinal);
        self.materializations += 1;
        let made = Materialization {
            position: at,
            time,
            attempt: e.attempt,
            data_version: e.data_version.as_str().into(),
            code_version: e.code_version.as_deref().map(Into::into),
        };
        self.latest.insert(ordinal, &made);
        self.recent.push_back(Arc::new((at, time, e.clone())));
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
    }

    pub(super) fn observed(&mut self, at: Position, time: Timestamp, e: &AssetObserved) {
        let ordinal = self.slots.intern(&e.partition);
        self.observations += 1;
        let row = Observation {
            position: at,
            time,
            attempt: e.attempt,
            data_version: e.data_version.as_deref().map(Into::into),
        };
        self.observed.insert(ordinal, row);
        let whole = Arc::new((at, time, e.clone()));
        self.recent_observations.push_back(whole);
        if self.recent_observations.len() > RECENT_MAX {
            self.recent_observations.pop_front();
        }
    }

    pub(super) fn checked(&mut self, at: Position, time: Timestamp, e: &CheckEvaluated) {
        let ordinal = self.slots.intern(&e.partition);
        let row = CheckRow {
            position: at,
            time,
            attempt: e.attempt,
            passed: e.passed,
            severity: e.severity,
            description: e.description.clone(),
            metadata: e.metadata.clone(),
        };
        let rows = self.checks.entry(e.check.clone()).or_default();
        rows.insert(ordinal, Arc::new(row));
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
