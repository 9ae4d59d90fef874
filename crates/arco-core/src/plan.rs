//! What a run will do: explicit (step, partition set) pairs and the edges between them.
//!
//! The plan is made once, when the run is asked for, and logged whole: a later binary that plans
//! otherwise changes nothing about runs that stand in the log.

use serde::{Deserialize, Serialize};

use crate::{PartitionKey, TaskIndex};

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
}
