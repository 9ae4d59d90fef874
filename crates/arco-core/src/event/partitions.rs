//! Dynamic partitions: keys that come and go (P-23).

use serde::{Deserialize, Serialize};

use crate::PartitionKey;

/// Keys were added to a set of dynamic partitions. Those that it had stay where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionsAdded {
    /// The set: the name that `DynamicPartitionsDefinition` gives.
    pub name: String,
    /// The new keys, in the order in which they stand from now on.
    pub keys: Vec<PartitionKey>,
}

/// Keys were taken out of a set of dynamic partitions. What was recorded of them stays recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionsRemoved {
    /// The set.
    pub name: String,
    /// The keys that it had.
    pub keys: Vec<PartitionKey>,
}
