//! Assets.

use std::collections::BTreeMap;

use arco_core::AssetKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{AssetCheck, MaterializationSummary, Observation, PartitionCounts, PartitionStatus};

/// An asset in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssetSummary {
    /// Key as text, parts joined by `/`.
    #[schema(value_type = String)]
    pub key: AssetKey,
    /// Code location that speaks for it.
    pub location: String,
    /// Group.
    pub group: String,
    /// Kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// First line of its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Nothing here makes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// A run observes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub observable: bool,
    /// Its partitions; absent when unpartitioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionsInfo>,
    /// The status of its slots merged into one: the worst of in progress, failed, materialized,
    /// never materialized, in this order.
    pub status: PartitionStatus,
    /// Upstream assets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub deps: Vec<AssetKey>,
    /// Its last materialization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<MaterializationSummary>,
    /// How many materializations there were.
    pub materializations: u64,
    /// Its last observation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_observation: Option<Observation>,
    /// How many observations there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub observations: u64,
    /// Checks whose last result passed.
    pub checks_passed: u64,
    /// Checks whose last result, or whose result for any partition, failed.
    pub checks_failed: u64,
    /// Checks defined for it.
    pub checks: u64,
}

/// The partitions of an asset, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartitionsInfo {
    /// What they are.
    pub shape: PartitionsShape,
    /// `daily`, `monthly`, `static`, … for people.
    pub noun: String,
    /// What a key looks like.
    pub example: String,
    /// Partitions per status. They sum to `total`.
    pub counts: PartitionCounts,
}

/// Kinds of partitions definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartitionsShape {
    /// A fixed list.
    Static,
    /// Windows of time.
    TimeWindow,
    /// Keys that come and go.
    Dynamic,
    /// Several dimensions.
    Multi,
}

/// One asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Asset {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: AssetSummary,
    /// For people, Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Owners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Version of the code as its author sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_version: Option<String>,
    /// IO manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_manager: Option<String>,
    /// Step that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// JSON schema of the step's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub config_schema: Option<Value>,
    /// Typed values by name, from the definitions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, Value>,
    /// Partitions definition, as in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub partitions_def: Option<Value>,
    /// Upstream edges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upstream: Vec<AssetDependency>,
    /// Downstream assets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub downstream: Vec<AssetKey>,
    /// Its checks with their last result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asset_checks: Vec<AssetCheck>,
}

/// One upstream edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssetDependency {
    /// Upstream asset.
    #[schema(value_type = String)]
    pub asset: AssetKey,
    /// Parameter that receives its value; absent for order only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// Which upstream partitions, as in the manifest; absent means inferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub mapping: Option<Value>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
