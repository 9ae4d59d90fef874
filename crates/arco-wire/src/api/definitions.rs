//! Code locations, what they define, and the hosts that serve them.

use std::collections::BTreeMap;

use arco_core::event::ErrorInfo;
use arco_core::{Digest, HostId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LogPosition, Time};

/// All code locations of a workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Definitions {
    /// The locations, by name.
    pub locations: Vec<Location>,
}

/// One code location.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    /// Its name.
    pub name: String,
    /// Version of the current definitions; absent before the first good load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub version: Option<Digest>,
    /// When they were deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Time>,
    /// Where the deploy stands in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<LogPosition>,
    /// Who made the manifest: name, version, language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sdk: BTreeMap<String, String>,
    /// Assets it defines.
    pub assets: u64,
    /// Checks it defines.
    pub checks: u64,
    /// Steps it defines.
    pub steps: u64,
    /// The last load that failed after the current definitions, which stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<LoadFailure>,
    /// Worker hosts that serve it.
    pub hosts: Vec<HostInfo>,
}

/// User code that did not load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoadFailure {
    /// When.
    pub time: Time,
    /// What was raised, with the traceback.
    pub error: ErrorInfo,
}

/// One worker host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostInfo {
    /// Its id.
    #[schema(value_type = String)]
    pub id: HostId,
    /// Code location.
    pub location: String,
    /// Machine.
    pub hostname: String,
    /// Process id.
    pub pid: u32,
    /// How many tasks it runs at once.
    pub slots: u32,
    /// How many attempts it holds.
    pub attempts: u64,
    /// Whether it may still lease and report.
    pub state: HostState,
    /// When it announced itself.
    pub registered: Time,
}

/// Whether a host may still act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    /// It leases and reports.
    Alive,
    /// It was not heard from for its lease.
    Lost,
}
