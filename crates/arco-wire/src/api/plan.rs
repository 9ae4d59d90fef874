//! Plans: what a run would do.

use std::collections::BTreeMap;

use arco_core::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{PartitionsWanted, SelectionText};

/// Asks what a run would do. Nothing is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewPlan {
    /// Which assets. Of a job: which of its assets, all when absent.
    #[serde(default, skip_serializing_if = "SelectionText::is_empty")]
    #[schema(required = false)]
    pub selection: SelectionText,
    /// The job to plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Code location of the job, when several have one of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_location: Option<String>,
    /// Which checks: `ASSET:CHECK`, or `ASSET` for all of an asset. Absent: those of the assets. Without
    /// `selection` and `job` these alone are judged; `[]` judges none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<String>>,
    /// Which partitions of the partitioned ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionsWanted>,
    /// Run configuration, checked as for a run.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Object)]
    pub config: Value,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanPreview {
    /// How many tasks.
    pub task_count: u64,
    /// How many edges between them.
    pub edge_count: u64,
    /// Tasks per step, in order of first appearance.
    pub steps: Vec<PlannedStep>,
    /// Tasks per pool, by name. Tasks of steps without a pool are in none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<String, u64>,
    /// How long it may take, from how long its steps took lately.
    pub expected: ExpectedTime,
    /// The first tasks: `limit` of the query, at most 1,000.
    pub tasks: Vec<PlannedTask>,
    /// Definitions version per location it was planned with.
    #[schema(value_type = BTreeMap<String, String>)]
    pub definitions: BTreeMap<String, Digest>,
}

/// How long a plan may take. Tasks whose steps never succeeded count as nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExpectedTime {
    /// All tasks one after the other.
    pub work_ms: u64,
    /// The longest chain of tasks that need each other: no number of hosts makes it shorter.
    pub critical_path_ms: u64,
    /// With the slots of the hosts there are now and nothing else going on; absent when a location has
    /// no host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// Slots per location.
    pub slots: BTreeMap<String, u64>,
    /// Tasks of which history says nothing.
    pub tasks_without_history: u64,
}

/// The tasks of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedStep {
    /// Code location.
    pub location: String,
    /// Step.
    pub step: String,
    /// How many tasks.
    pub tasks: u64,
    /// Pool, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// How long one task took lately: the median of the last 15 that succeeded. Absent when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_ms: Option<u64>,
}

/// One task that would be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedTask {
    /// Its number in the run, from 0.
    pub task: u32,
    /// Its place in the order, from 0: tasks of one stage need none of each other.
    pub stage: u32,
    /// Code location.
    pub location: String,
    /// Step.
    pub step: String,
    /// Its partitions in Dagster's text: the first 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<String>,
    /// How many partitions it has.
    pub partition_count: u64,
    /// Tasks it needs: the first 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<u32>,
}
