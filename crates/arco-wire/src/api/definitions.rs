//! Code locations, what they define, and the hosts that serve them.

use std::collections::BTreeMap;

use arco_core::event::ErrorInfo;
use arco_core::{Digest, HostId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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

/// Asks to make a manifest the current definitions of a location.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The manifest, as an SDK makes it.
    #[schema(value_type = Object)]
    pub manifest: Value,
    /// Only say what would change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// What a deploy changed, or would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deployed {
    /// Code location.
    pub location: String,
    /// Version of the definitions.
    #[schema(value_type = String)]
    pub version: Digest,
    /// Version of those before them; absent for a new location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub previous: Option<Digest>,
    /// Whether anything was written: not for a dry run, and not when the version is the current one.
    pub deployed: bool,
    /// Assets.
    pub assets: Changes,
    /// Checks, `ASSET:CHECK`.
    pub checks: Changes,
    /// Jobs.
    pub jobs: Changes,
    /// Resources.
    pub resources: Changes,
}

/// Names that were added, removed and changed: the first 1,000 of each, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Changes {
    /// New names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// Names that are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Names that mean something else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// How many were added.
    pub added_count: u64,
    /// How many are gone.
    pub removed_count: u64,
    /// How many changed.
    pub changed_count: u64,
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
