//! Partitions of an asset and where each stands.

use arco_core::RunId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MaterializationSummary;

/// Where a partition stands. The first that holds, in this order: `in_progress` (planned in a run
/// that is not over), `failed` (its last attempted task failed and no materialization came after),
/// `materialized`, `never_materialized`. A partition that is `failed` and has a `latest` materialization was
/// made before, and its last attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartitionStatus {
    /// Nothing was made yet.
    NeverMaterialized,
    /// It is there.
    Materialized,
    /// The last try to make it failed.
    Failed,
    /// A run that is not over has it in its plan.
    InProgress,
}

/// Partitions per status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartitionCounts {
    /// Partitions that exist now.
    pub total: u64,
    /// See [`PartitionStatus::Materialized`].
    pub materialized: u64,
    /// See [`PartitionStatus::Failed`].
    pub failed: u64,
    /// See [`PartitionStatus::InProgress`].
    pub in_progress: u64,
    /// See [`PartitionStatus::NeverMaterialized`].
    pub never_materialized: u64,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Partition {
    /// Key in Dagster's text, `2013-01-01`.
    pub key: String,
    /// Where it stands.
    pub status: PartitionStatus,
    /// Its last materialization, whatever its status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<MaterializationSummary>,
    /// The run of the last attempt, when that failed and nothing was made since (F-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub failed_run: Option<RunId>,
    /// Runs that are not over and have it in their plan: the first 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub runs: Vec<RunId>,
}
