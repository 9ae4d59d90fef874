//! What a run will do: explicit (step, partition set) pairs and the edges between them.
//!
//! The plan is made once, when the run is asked for, and logged whole: a later binary that plans
//! otherwise changes nothing about runs that stand in the log.

use serde::{Deserialize, Serialize};

use crate::definitions::StepDef;
use crate::{AssetKey, PartitionKey, RunId, TaskIndex};

/// The tasks in an order in which every task comes after those it needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The tasks; their index is their name within the run.
    pub tasks: Vec<PlannedTask>,
    /// Tasks that will be there once for each key of a dynamic output, each after those whose
    /// instances it needs. When the keys are known the tasks join the others, at the end: first those
    /// of the first of these, in the order of the keys (`docs/adr/0013-plans-that-grow.md`).
    #[serde(rename = "mapped", default, skip_serializing_if = "Vec::is_empty")]
    pub mapped: Vec<MappedTask>,
    /// Values of ops that a rerun does not carry out again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stored: Vec<StoredValues>,
}

/// A task that will be there once for each key of a dynamic output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedTask {
    /// What each of them is; needs are those without a key.
    #[serde(flatten)]
    pub task: PlannedTask,
    /// The task whose dynamic output has the keys. Among the needs.
    pub over: TaskIndex,
    /// Others of [`Plan::mapped`], before this one, whose instance of the same key each needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
    /// Tasks that need all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<TaskIndex>,
}

/// The values of an op that was carried out in an earlier run of the lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredValues {
    /// Code location.
    pub location: String,
    /// Step of the op.
    pub step: String,
    /// Its partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<PartitionKey>,
    /// Its mapping key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_key: Option<String>,
    /// The run that made them.
    pub run: RunId,
    /// The outputs it gave.
    pub outputs: Vec<OutputValues>,
}

impl StoredValues {
    /// `graph.op[key]`, as [`PlannedTask::step_key`].
    #[must_use]
    pub fn step_key(&self) -> String {
        step_key(&self.step, self.mapping_key.as_deref())
    }
}

/// An output of an op that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OutputValues {
    /// Name of the output.
    pub name: String,
    /// Mapping keys of a dynamic output, in the order they were yielded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
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
    /// Mapping key, of a task that is there for one value of a dynamic output.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub mapping_key: Option<String>,
}

fn step_key(step: &str, mapping_key: Option<&str>) -> String {
    match mapping_key {
        None => step.to_owned(),
        Some(key) => format!("{step}[{key}]"),
    }
}

impl PlannedTask {
    /// `graph.op[key]`: its step, and the mapping key when it has one.
    #[must_use]
    pub fn step_key(&self) -> String {
        step_key(&self.step, self.mapping_key.as_deref())
    }

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
