//! Partitions per status, without walking all partitions for each answer.
//!
//! The fold numbers the slots of an asset in order of first appearance and keeps them for ever, also
//! those that the present definition no longer has (a daily asset that became monthly). The counts
//! must leave these out. Which slots are foreign depends on the definition alone and slots are only
//! ever added, so the cache remembers per asset how far it has looked; an answer costs what is new,
//! the pages of the sets, and the partitions that are in progress.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arco_core::partition::PartitionsDef;
use arco_core::{AssetKey, Digest, Timestamp};
use arco_flow::state::{AssetState, PagedBitmap, Slot};
use arco_wire::api::{PartitionCounts, PartitionStatus};

pub(crate) mod warm;

#[cfg(test)]
mod tests;

/// What was learnt of the slots of each asset.
#[derive(Debug, Default)]
pub(crate) struct CountsCache {
    /// Each asset has a lock of its own: the first look at a million slots keeps only those waiting who ask
    /// for the same asset.
    looked: Mutex<HashMap<AssetKey, Arc<Mutex<Looked>>>>,
}

#[derive(Debug, Default)]
struct Looked {
    /// Definitions version it holds for.
    version: Option<Digest>,
    /// Slots below this ordinal were looked at.
    until: u32,
    /// Those of them that the definition does not have.
    foreign: PagedBitmap,
}

impl CountsCache {
    /// Partitions of an asset per status; `version` is that of the location's definitions.
    pub(crate) fn counts(
        &self,
        key: &AssetKey,
        version: Digest,
        def: &PartitionsDef,
        state: Option<&AssetState>,
        now: Timestamp,
    ) -> PartitionCounts {
        let total = def.count(now);
        let Some(state) = state else {
            return PartitionCounts {
                total,
                never_materialized: total,
                ..PartitionCounts::default()
            };
        };
        count(state, &self.foreign(key, version, def, state), total)
    }

    /// The slots that the definition does not have.
    fn foreign(
        &self,
        key: &AssetKey,
        version: Digest,
        def: &PartitionsDef,
        state: &AssetState,
    ) -> PagedBitmap {
        let foreign = |slot: Slot| slot.is_none_or(|key| def.ordinal_of(&key).is_none());
        if def.dynamic_names().next().is_some() {
            // Which slots are foreign changes with the keys of the set, under one version.
            let slots = (0_u32..).zip(state.slots().iter());
            return slots
                .filter_map(|(n, slot)| foreign(slot).then_some(n))
                .collect();
        }
        let looked = Arc::clone(locked(&self.looked).entry(key.clone()).or_default());
        let mut looked = locked(&looked);
        if looked.version != Some(version) {
            *looked = Looked {
                version: Some(version),
                ..Looked::default()
            };
        }
        while let Some(slot) = state.slot(looked.until) {
            let ordinal = looked.until;
            if foreign(slot) {
                looked.foreign.insert(ordinal);
            }
            looked.until += 1;
        }
        looked.foreign.clone()
    }
}

/// A reader that panicked left at worst a cache that has looked less far.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(state: &AssetState, foreign: &PagedBitmap, total: u64) -> PartitionCounts {
    let (made, failed) = (&state.materialized, &state.failed);
    // Each partition has one status: in progress before failed before materialized.
    let running = state.in_progress.keys().filter(|n| !foreign.contains(**n));
    let (mut in_progress, mut made_running, mut failed_running, mut both_running) = (0, 0, 0, 0);
    for ordinal in running {
        let (made, failed) = (made.contains(*ordinal), failed.contains(*ordinal));
        in_progress += 1;
        made_running += u64::from(made);
        failed_running += u64::from(failed);
        both_running += u64::from(made && failed);
    }
    let ours = |set: &PagedBitmap| set.len() - PagedBitmap::common(set, &[foreign]);
    let failed_ones = ours(failed) - failed_running;
    let both = PagedBitmap::common(failed, &[made])
        - PagedBitmap::common(failed, &[made, foreign])
        - both_running;
    let materialized = ours(made) - made_running - both;
    PartitionCounts {
        total,
        materialized,
        failed: failed_ones,
        in_progress,
        never_materialized: total.saturating_sub(materialized + failed_ones + in_progress),
    }
}

/// Where one slot stands (F-1 to F-3).
pub(crate) fn status_of(state: Option<&AssetState>, slot: &Slot) -> PartitionStatus {
    let Some((state, ordinal)) = state.and_then(|state| Some((state, state.ordinal(slot)?))) else {
        return PartitionStatus::NeverMaterialized;
    };
    if state.in_progress.contains_key(&ordinal) {
        PartitionStatus::InProgress
    } else if state.failed.contains(ordinal) {
        PartitionStatus::Failed
    } else if state.materialized.contains(ordinal) {
        PartitionStatus::Materialized
    } else {
        PartitionStatus::NeverMaterialized
    }
}
