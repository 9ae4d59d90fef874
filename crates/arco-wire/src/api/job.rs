//! Jobs: named selections of assets.

use std::collections::BTreeMap;

use arco_core::AssetKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::RunSummary;

/// A job in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobSummary {
    /// Its name.
    pub name: String,
    /// Code location that defines it.
    pub location: String,
    /// First line of its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Which of the location's assets: selections, joined by "or".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selection: Vec<String>,
    /// How many assets it selects.
    pub asset_count: u64,
    /// What a partition key of its assets looks like; absent when none is partitioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_example: Option<String>,
    /// Tags of the job.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Its last run that is in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_run: Option<RunSummary>,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// What a list shows of it. (Not named: its `summary` is the first line of the description.)
    #[serde(flatten)]
    pub shown: JobSummary,
    /// For people, Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The assets it selects now: the first 10,000.
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<AssetKey>,
    /// Partitions definition that its partitioned assets share, as in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub partitions_def: Option<Value>,
    /// Tags that its runs carry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub run_tags: BTreeMap<String, String>,
    /// Configuration of its runs when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// Retry policy of its steps that have none, as in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub retry: Option<Value>,
    /// Owners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Typed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, Value>,
}
