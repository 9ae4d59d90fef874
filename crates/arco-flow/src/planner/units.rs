//! The units of a plan: a step, or the part of its assets that is made, with its partitions.

use std::collections::HashMap;
use std::sync::Arc;

use arco_core::definitions::{Definitions, StepDef};
use arco_core::{AssetKey, PartitionKey, TaskIndex};

/// A step of the plan, or a part of its assets, with its partitions in order.
pub(super) struct Unit<'a> {
    pub(super) definitions: &'a Arc<Definitions>,
    pub(super) step: &'a str,
    /// Assets it makes, when it makes some of its step's only; empty when it makes all.
    pub(super) outputs: Vec<AssetKey>,
    /// Of an op that is carried out for one value of a dynamic output: its key. An op that is to be
    /// carried out for each has none yet.
    pub(super) mapping_key: Option<String>,
    /// Keys of its tasks; `None` for an unpartitioned step.
    pub(super) keys: Option<Vec<PartitionKey>>,
    /// Index of its first task.
    pub(super) first: TaskIndex,
}

/// For each asset, the units that make it: one, unless a rerun makes it apart for some partitions.
pub(super) type Makers = HashMap<AssetKey, Vec<usize>>;

impl Unit<'_> {
    pub(super) fn tasks(&self) -> usize {
        self.keys.as_ref().map_or(1, Vec::len)
    }

    /// The assets it makes, of its step.
    pub(super) fn makes<'s>(&'s self, step: &'s StepDef) -> &'s [AssetKey] {
        if self.outputs.is_empty() {
            &step.outputs
        } else {
            &self.outputs
        }
    }
}

/// The units so far.
#[derive(Default)]
pub(super) struct Units<'a> {
    pub(super) list: Vec<Unit<'a>>,
    /// (location, step) → the place in the list of the last unit of it.
    places: HashMap<(&'a str, &'a str), usize>,
    /// Tasks of all of them.
    pub(super) tasks: usize,
}

impl<'a> Units<'a> {
    pub(super) fn place(&self, definitions: &Definitions, step: &str) -> Option<usize> {
        self.places.get(&(definitions.location(), step)).copied()
    }

    pub(super) fn push(
        &mut self,
        definitions: &'a Arc<Definitions>,
        step: &'a str,
        outputs: Vec<AssetKey>,
        keys: Option<Vec<PartitionKey>>,
    ) {
        let unit = Unit {
            definitions,
            step,
            outputs,
            mapping_key: None,
            keys,
            first: TaskIndex::try_from(self.tasks).unwrap_or(TaskIndex::MAX),
        };
        self.tasks += unit.tasks();
        let place = (definitions.location(), step);
        self.places.insert(place, self.list.len());
        self.list.push(unit);
    }
}
