//! Partitions per status, without walking all partitions for each answer.
//!
//! The fold numbers the slots of an asset in order of first appearance and keeps them for ever, also
//! those that the present definition no longer has (a daily asset that became monthly). The counts
//! must leave these out. Which slots are foreign depends on the definition alone and slots are only
//! ever added, so the cache remembers per asset how far it has looked; an answer costs what is new,
//! plus the partitions that are failed or in progress.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use arco_core::partition::PartitionsDef;
use arco_core::{AssetKey, Digest, Timestamp};
use arco_flow::state::{AssetState, Slot};
use arco_wire::api::{PartitionCounts, PartitionStatus};

#[cfg(test)]
mod tests;

/// What was learnt of the slots of each asset.
#[derive(Debug, Default)]
pub(crate) struct CountsCache {
    looked: Mutex<HashMap<AssetKey, Looked>>,
}

#[derive(Debug, Clone)]
struct Looked {
    /// Definitions version it holds for.
    version: Digest,
    /// Slots below this ordinal were looked at.
    until: u32,
    /// Those of them that the definition does not have, in order.
    foreign: Vec<u32>,
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

    fn foreign(
        &self,
        key: &AssetKey,
        version: Digest,
        def: &PartitionsDef,
        state: &AssetState,
    ) -> Vec<u32> {
        if def.dynamic_names().next().is_some() {
            // Which slots are foreign changes with the keys of the set, under one version.
            let foreign = |slot: &Slot| {
                slot.as_ref()
                    .is_none_or(|key| def.ordinal_of(key).is_none())
            };
            let slots = (0_u32..).map_while(|n| Some((n, state.slot(n)?)));
            return slots
                .filter(|(_, slot)| foreign(slot))
                .map(|(n, _)| n)
                .collect();
        }
        // A reader that panicked left at worst a cache that has looked less far.
        let mut all = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Looked {
            version,
            until: 0,
            foreign: Vec::new(),
        };
        let looked = all.entry(key.clone()).or_insert_with(|| fresh.clone());
        if looked.version != version {
            *looked = fresh;
        }
        while let Some(slot) = state.slot(looked.until) {
            let known = slot
                .as_ref()
                .is_some_and(|key| def.ordinal_of(key).is_some());
            if !known {
                looked.foreign.push(looked.until);
            }
            looked.until += 1;
        }
        looked.foreign.clone()
    }
}

fn count(state: &AssetState, foreign: &[u32], total: u64) -> PartitionCounts {
    let ours = |ordinal: &u32| foreign.binary_search(ordinal).is_err();
    let running = |ordinal: &u32| state.in_progress.contains_key(ordinal);
    let in_progress = state.in_progress.keys().filter(|n| ours(n)).count() as u64;
    let failed = state
        .failed
        .iter()
        .filter(|n| ours(n) && !running(n))
        .count() as u64;
    // All that were ever materialized, less those that another status speaks for.
    let made = |ordinal: &u32| state.materialized.contains(*ordinal);
    let covered = foreign.iter().filter(|n| made(n)).count()
        + state
            .in_progress
            .keys()
            .filter(|n| ours(n) && made(n))
            .count()
        + state
            .failed
            .iter()
            .filter(|n| ours(n) && !running(n) && made(n))
            .count();
    let materialized = state.materialized.len().saturating_sub(covered as u64);
    PartitionCounts {
        total,
        materialized,
        failed,
        in_progress,
        never_materialized: total.saturating_sub(materialized + failed + in_progress),
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
