//! Facts about assets: what was produced and how it was judged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Position, Severity};
use crate::{AssetKey, AttemptId, Digest, PartitionKey};

/// A partition of an asset was produced, from these inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssetMaterialized {
    /// The asset.
    pub asset: AssetKey,
    /// The partition; absent for an unpartitioned asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PartitionKey>,
    /// The attempt that produced it; absent when it was reported from outside of runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// Version of the data: given by user code, or derived (F-13, D-9).
    pub data_version: String,
    /// Version of the code, when the definitions give one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_version: Option<String>,
    /// What it read, as it stood when the attempt was leased (F-23).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputVersion>,
    /// Typed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Of a report from outside: the client's idempotency key and the digest of the request under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<(String, Digest)>,
}

/// A partition of an asset was looked at: it is there, perhaps in this version. Nothing was produced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssetObserved {
    /// The asset.
    pub asset: AssetKey,
    /// The partition; absent for the asset as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PartitionKey>,
    /// The attempt that looked; absent when it was reported from outside of runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// Version of the data, when the observer knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_version: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Typed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// As of [`AssetMaterialized::idempotency`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<(String, Digest)>,
}

/// One upstream partition as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputVersion {
    /// The asset.
    pub asset: AssetKey,
    /// The partition; absent for an unpartitioned asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PartitionKey>,
    /// Its data version.
    pub data_version: String,
    /// Position of its materialization, or of its observation.
    pub position: Position,
}

/// A check was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckEvaluated {
    /// The asset.
    pub asset: AssetKey,
    /// The check.
    pub check: String,
    /// The partition, for a partitioned check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PartitionKey>,
    /// The attempt that judged it; absent when it was reported from outside of runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// The verdict.
    pub passed: bool,
    /// Weight of a failure.
    pub severity: Severity,
    /// Whether it stops what is downstream, as the pinned definitions say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocking: bool,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Typed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
    /// As of [`AssetMaterialized::idempotency`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<(String, Digest)>,
}
