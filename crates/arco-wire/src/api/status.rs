//! A workspace on one page.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{HostInfo, LogPosition, TaskCounts, Time};

/// A workspace on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceStatus {
    /// Its name.
    pub workspace: String,
    /// Version of the program that answers.
    pub version: String,
    /// The last event.
    pub position: LogPosition,
    /// When the last event was decided.
    pub time: Time,
    /// Who leads.
    pub leader: Leader,
    /// Worker hosts, alive and lost: the first 1,000.
    pub hosts: Vec<HostInfo>,
    /// Runs that are not over.
    pub runs: ActiveRuns,
    /// Tasks of these runs per status.
    pub tasks: TaskCounts,
    /// Code locations.
    pub locations: u64,
    /// Code locations whose last load failed.
    pub locations_failed: u64,
    /// Assets, external ones included.
    pub assets: u64,
    /// Schedules that run.
    pub schedules_running: u64,
    /// Schedules, running or stopped.
    pub schedules: u64,
    /// When something is due next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Time>,
    /// The wall clock of the process that answers was set: by so much it is ahead of the time that is
    /// believed, or behind it when negative. Schedules wait until it is right again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_off_ms: Option<i64>,
}

/// Who leads a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Leader {
    /// Number of the leadership; 0 before the first.
    pub epoch: u64,
    /// Writer id of the holder; absent when nobody leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Where it is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether it is the process that answers.
    pub here: bool,
}

/// Runs that are not over, per status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActiveRuns {
    /// All of them.
    pub total: u64,
    /// No task leased yet.
    pub queued: u64,
    /// Under way.
    pub started: u64,
    /// Being stopped.
    pub canceling: u64,
}
