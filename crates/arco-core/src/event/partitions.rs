//! Dynamic partitions: keys that come and go (P-23). And what mappings of one's own answered
//! (`docs/adr/0021-mappings-of-ones-own.md`).

use serde::{Deserialize, Serialize};

use super::{ErrorInfo, Stored};
use crate::partition::MappingAnswers;
use crate::{AssetKey, Digest, PartitionKey};

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

/// The code of a mapping said which partitions some partitions need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionsMapped {
    /// Location of the child, whose code it is.
    pub location: String,
    /// Version of its definitions.
    pub version: Digest,
    /// The asset that reads.
    pub child: AssetKey,
    /// The asset that is read.
    pub parent: AssetKey,
    /// How many partitions of the child it says something of.
    pub keys: u32,
    /// What each of them reads.
    pub answers: Stored<MappingAnswers>,
}

/// The code of a mapping failed. Written when what it failed with is news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionsUnmapped {
    /// Location of the child, whose code it is.
    pub location: String,
    /// Version of its definitions.
    pub version: Digest,
    /// The asset that reads.
    pub child: AssetKey,
    /// The asset that is read.
    pub parent: AssetKey,
    /// The first of the partitions it was asked about.
    pub first: PartitionKey,
    /// What it failed with.
    pub error: ErrorInfo,
}
