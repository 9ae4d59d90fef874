//! Facts about who leads, and about the fold itself (storage-design §5.5).

use serde::{Deserialize, Serialize};

/// A replica leads from here: only it runs controllers and judges heartbeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseTaken {
    /// One more than the last leadership's.
    pub epoch: u64,
    /// Writer id of the leader.
    pub holder: String,
    /// Where others reach it.
    pub url: String,
    /// A leader not heard from for this long may be followed by another. Milliseconds.
    pub ttl_ms: u64,
}

/// The leader is alive although it had nothing else to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseKept {
    /// Its epoch.
    pub epoch: u64,
}

/// The leader stood down: anyone may lead at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseReleased {
    /// Its epoch.
    pub epoch: u64,
}

/// The fold behaves as this version says from here. A binary carries this version and the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldActivated {
    /// The version.
    pub version: u32,
}
