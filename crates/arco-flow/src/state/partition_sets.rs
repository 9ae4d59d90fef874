//! Dynamic partitions: the keys of each set, and the catalog that sees them.

use std::sync::Arc;

use arco_core::event::{PartitionsAdded, PartitionsRemoved};
use arco_core::partition::DynamicKeys;

use super::{State, mappings};

pub(super) fn added(state: &mut State, e: &PartitionsAdded) {
    change(state, &e.name, |set| {
        e.keys.iter().for_each(|key| {
            set.add(key.clone());
        });
    });
}

pub(super) fn removed(state: &mut State, e: &PartitionsRemoved) {
    let before = (!state.mappings.is_empty()).then(|| state.clone());
    change(state, &e.name, |set| {
        set.remove(&e.keys);
    });
    if let Some(before) = before {
        mappings::renumber(state, &e.name, &before);
    }
}

fn change(state: &mut State, name: &str, change: impl FnOnce(&mut DynamicKeys)) {
    let sets = Arc::make_mut(&mut state.partition_sets);
    let set = sets.entry(name.to_owned()).or_default();
    change(set);
    if set.is_empty() {
        sets.remove(name);
    }
    state.catalog = Arc::new(state.catalog.resolved(&state.partition_sets));
}

#[cfg(test)]
mod tests;
