//! Materializations: recorded facts that a partition was produced.

use std::collections::BTreeMap;

use arco_core::{AssetKey, AttemptId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{LogPosition, Time};

/// A materialization, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MaterializationSummary {
    /// Where it stands in the log.
    pub position: LogPosition,
    /// When it was recorded.
    pub time: Time,
    /// The run that made it; absent when it was reported from outside of runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub run: Option<RunId>,
    /// The attempt that made it; absent when it was reported from outside of runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub attempt: Option<AttemptId>,
    /// Version of the data.
    pub data_version: String,
    /// Version of the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_version: Option<String>,
}

/// A materialization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Materialization {
    /// What a partition shows of it.
    #[serde(flatten)]
    pub summary: MaterializationSummary,
    /// The partition in Dagster's text; absent for an unpartitioned asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// Typed values by name: `{"rows": {"type": "int", "value": 842}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, Value>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What it read: the first 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputUsed>,
}

/// One upstream partition as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InputUsed {
    /// The asset.
    #[schema(value_type = String)]
    pub asset: AssetKey,
    /// The partition in Dagster's text; absent for an unpartitioned asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// Its data version.
    pub data_version: String,
    /// Position of its materialization.
    pub position: LogPosition,
}
