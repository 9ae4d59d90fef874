//! Dynamic partitions: keys that come and go.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A set of dynamic partitions, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DynamicPartitions {
    /// The name that definitions give it.
    pub name: String,
    /// How many keys it has.
    pub keys: u64,
    /// Whether an asset is defined with it.
    pub is_defined: bool,
}

/// One key of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DynamicPartition {
    /// In Dagster's text.
    pub key: String,
}

/// Keys to add or to remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeDynamicPartitions {
    /// In Dagster's text, 1 to 10,000 of them. Adding one that is there, or removing one that is not, is no
    /// error and changes nothing.
    #[schema(min_items = 1, max_items = 10_000)]
    pub keys: Vec<String>,
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DynamicPartitionsChanged {
    /// The set as it is now.
    #[serde(flatten)]
    pub set: DynamicPartitions,
    /// How many keys came or went.
    pub changed: u64,
}
