//! Facts about code locations and the worker hosts that serve them.

use serde::{Deserialize, Serialize};

use super::ErrorInfo;
use crate::{Digest, HostId};

/// A location has new definitions. The manifest is the blob of the same digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionsDeployed {
    /// Code location.
    pub location: String,
    /// Digest of the canonical manifest.
    pub version: Digest,
}

/// User code of a location did not load. The former definitions stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionsLoadFailed {
    /// Code location.
    pub location: String,
    /// What was raised.
    pub error: ErrorInfo,
}

/// A worker host announced itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRegistered {
    /// The host.
    pub host: HostId,
    /// Its code location.
    pub location: String,
    /// Its machine, for people.
    pub hostname: String,
    /// Its process id, for people.
    pub pid: u32,
    /// How many tasks it runs at once.
    pub slots: u32,
}

/// A worker host said goodbye; it holds nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostLeft {
    /// The host.
    pub host: HostId,
}

/// A worker host was not heard from for its whole lease: by its own clock it has killed its
/// children. Late words of it change nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostLost {
    /// The host.
    pub host: HostId,
}
