//! What a run will do: explicit (step, partition set) pairs and the edges between them.
//!
//! The plan is made once, when the run is asked for, and logged whole: a later binary that plans
//! otherwise changes nothing about runs that stand in the log.

use serde::{Deserialize, Serialize};

use crate::definitions::StepDef;
use crate::{AssetKey, PartitionKey, TaskIndex};

/// The tasks in an order in which every task comes after those it needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The tasks; their index is their name within the run.
    pub tasks: Vec<PlannedTask>,
}

/// One unit of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTask {
    /// Code location.
    #[serde(rename = "l")]
    pub location: String,
    /// Step of its definitions.
    #[serde(rename = "s")]
    pub step: String,
    /// Partitions it makes or judges; empty for an unpartitioned task.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<PartitionKey>,
    /// Tasks that must have succeeded, with no blocking check of theirs failed, in order.
    #[serde(rename = "n", default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<TaskIndex>,
    /// Assets it makes, when it makes some of its step's only; empty when it makes all.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<AssetKey>,
}

impl PlannedTask {
    /// The assets it makes, of its step.
    #[must_use]
    pub fn outputs<'a>(&'a self, step: &'a StepDef) -> &'a [AssetKey] {
        if self.outputs.is_empty() {
            &step.outputs
        } else {
            &self.outputs
        }
    }

    /// The checks it judges, of its step: those of assets it makes, or that its step does not make.
    pub fn checks<'a>(&'a self, step: &'a StepDef) -> impl Iterator<Item = &'a (AssetKey, String)> {
        let own = self.outputs(step);
        let judged = move |asset: &AssetKey| own.contains(asset) || !step.outputs.contains(asset);
        step.checks.iter().filter(move |(asset, _)| judged(asset))
    }
}
