//! Schedules and their ticks.

use std::collections::BTreeMap;

use arco_core::definitions::{CatchUpPolicy, DefaultStatus, PartitionRule};
use arco_core::event::{ErrorInfo, MissedReason};
use arco_core::{Digest, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{LogPosition, Time};

/// A schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// Its name, unique in the workspace.
    pub name: String,
    /// Code location that defines it.
    pub location: String,
    /// Whether it runs.
    pub status: ScheduleStatus,
    /// What the code says; it holds while no operator has said otherwise.
    pub default_status: DefaultStatus,
    /// What an operator said over the code; absent when nothing was, or it was reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<ScheduleSet>,
    /// Its crons.
    pub cron: Vec<String>,
    /// IANA name of the zone they are read in.
    pub timezone: String,
    /// The job it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The assets it runs, when it names no job: selections, joined by "or".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selection: Vec<String>,
    /// Which partitions a tick runs; absent when the target is not partitioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionRule>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Typed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, Value>,
    /// Owners: e-mail addresses or `team:NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Tags of its runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Configuration of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub config: Option<Value>,
    /// What happens to instants that passed unfired.
    pub catch_up: CatchUp,
    /// Version of its declaration; ticks say with which they were made.
    #[schema(value_type = String)]
    pub version: Digest,
    /// Instants up to here are not its business: it was made, changed or started then.
    pub since: Time,
    /// When it is due next; absent when it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
    /// Its last tick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_tick: Option<Tick>,
}

/// Whether a schedule runs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleStatus {
    /// It fires.
    Running,
    /// It does not.
    Stopped,
}

impl ScheduleStatus {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
        }
    }
}

/// What an operator said of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleSet {
    /// To what.
    pub status: ScheduleStatus,
    /// Who.
    pub by: String,
    /// When.
    pub time: Time,
}

/// What happens to instants that passed unfired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatchUp {
    /// Which of them are fired.
    pub policy: CatchUpPolicy,
    /// Older ones are not fired; absent: as old as may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
    /// Under `all` the newest so many are fired.
    pub max_ticks: u32,
}

/// What came of an instant of a schedule. Primary key: schedule and instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tick {
    /// Schedule and instant, `nightly:2026-01-31T02:00:00Z`.
    pub id: String,
    /// The schedule.
    pub schedule: String,
    /// The due instant; of a series of missed ones the last.
    pub instant: Time,
    /// What came of it.
    pub status: TickStatus,
    /// The runs it asked for, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub runs: Vec<RunId>,
    /// Why it was skipped or missed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a failure: what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// Of missed instants: the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedInstants>,
    /// Version of the schedule's declaration.
    #[schema(value_type = String)]
    pub version: Digest,
    /// Where it stands in the log.
    pub position: LogPosition,
    /// When it was decided.
    pub time: Time,
}

/// A series of instants that were never fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissedInstants {
    /// The first; the last is the tick's instant.
    pub first: Time,
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: MissedReason,
}

/// What came of a tick. The words are Dagster's, and `missed`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TickStatus {
    /// It asked for runs.
    Success,
    /// There was nothing to run.
    Skipped,
    /// It could not be said what to run.
    Failure,
    /// It was never fired.
    Missed,
}

impl TickStatus {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Skipped => "skipped",
            Self::Failure => "failure",
            Self::Missed => "missed",
        }
    }
}

/// Instants that are to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextInstants {
    /// The schedule.
    pub schedule: String,
    /// Whether it runs; the instants are shown all the same.
    pub status: ScheduleStatus,
    /// The instants, in order.
    pub instants: Vec<NextInstant>,
}

/// An instant that is to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextInstant {
    /// The instant.
    pub instant: Time,
    /// As the clock on the wall shows it in the schedule's zone.
    pub local: String,
}

/// What a tick would do. Nothing is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TickTrial {
    /// The schedule.
    pub schedule: String,
    /// The instant that was tried.
    pub instant: Time,
    /// What would come of it: `success`, `skipped` or `failure`.
    pub status: TickStatus,
    /// The runs it would ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<TickTrialRun>,
    /// Why it would be skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it would fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
}

/// A run that a tick would ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TickTrialRun {
    /// At most one run per scope and key.
    pub run_key: String,
    /// Its partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<String>,
    /// Its assets: the first ones.
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<arco_core::AssetKey>,
    /// All of them.
    pub asset_count: u64,
    /// Its tasks.
    pub tasks: u64,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// What a wake-up did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimersFired {
    /// Ticks decided, and series of missed instants recorded.
    pub steps: u64,
    /// Whether the process that answers leads: another one does nothing.
    pub leads: bool,
    /// When something is due next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Time>,
}
