//! Stopping several runs at once.

use arco_core::RunId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LogPosition;

/// Which runs are asked to stop: those that are named, or all that match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRuns {
    /// Runs by id. Those that are over stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub runs: Option<Vec<RunId>>,
    /// All runs that are not over and match this; `{}` is every run that is not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching: Option<RunsMatching>,
    /// Say which runs would be asked to stop, and stop none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// What runs have in common. All that is given must hold; the words are those of `GET runs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunsMatching {
    /// Statuses, separated by commas: `queued,started`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Runs of this asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// Runs with all of these tags: `team` or `team=core`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The first run of a lineage and its reruns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub root: Option<RunId>,
}

/// What became of the runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunsCancelled {
    /// Read from here to see it (`arco-min-position`).
    pub position: LogPosition,
    /// Nothing was done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Runs that were asked to stop by this request, or would be; oldest first.
    #[schema(value_type = Vec<String>)]
    pub asked: Vec<RunId>,
    /// Runs of the request that were being stopped before.
    pub canceling: u64,
    /// Runs of the request that were over before.
    pub over: u64,
}
