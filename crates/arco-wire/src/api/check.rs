//! Checks of an asset.

use std::collections::BTreeMap;

use arco_core::event::Severity;
use arco_core::{AttemptId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{LogPosition, Time};

/// A check and its last result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssetCheck {
    /// Name, unique for the asset.
    pub name: String,
    /// Code location that judges it.
    pub location: String,
    /// Step that judges it.
    pub step: String,
    /// Whether a failure of severity ERROR stops what is downstream.
    pub blocking: bool,
    /// Whether it is judged per partition.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partitioned: bool,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Partitions (or the whole asset) whose last result passed.
    pub passed: u64,
    /// Partitions (or the whole asset) whose last result failed.
    pub failed: u64,
    /// The last result; of the partition asked for, when one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<CheckResult>,
}

/// One verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckResult {
    /// Where it stands in the log.
    pub position: LogPosition,
    /// When it was recorded.
    pub time: Time,
    /// The run that judged it; absent when it was reported from outside of runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub run: Option<RunId>,
    /// The attempt that judged it; absent when it was reported from outside of runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub attempt: Option<AttemptId>,
    /// The partition in Dagster's text; absent when judged for the asset as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The verdict.
    pub passed: bool,
    /// Weight of a failure.
    pub severity: Severity,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Typed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, Value>,
}
