//! Tasks of a run and their attempts.

use arco_core::definitions::StepKind;
use arco_core::event::{ErrorInfo, FailureClass};
use arco_core::{AssetKey, AttemptId, HostId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{InputUsed, Time};

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Needs tasks that have not succeeded yet.
    Waiting,
    /// May be leased.
    Ready,
    /// Held by a host; its body has not begun.
    Leased,
    /// Its body began.
    Running,
    /// Waits for its next try.
    Retrying,
    /// Done.
    Succeeded,
    /// Every try failed.
    Failed,
    /// Will not be tried, because of another task.
    Skipped,
    /// Stopped, or never begun, because the run was asked to stop.
    Cancelled,
}

/// Tasks per status. The sum is the number of tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskCounts {
    /// All tasks.
    pub total: u32,
    /// See [`TaskStatus::Waiting`].
    pub waiting: u32,
    /// See [`TaskStatus::Ready`].
    pub ready: u32,
    /// See [`TaskStatus::Leased`].
    pub leased: u32,
    /// See [`TaskStatus::Running`].
    pub running: u32,
    /// See [`TaskStatus::Retrying`].
    pub retrying: u32,
    /// See [`TaskStatus::Succeeded`].
    pub succeeded: u32,
    /// See [`TaskStatus::Failed`].
    pub failed: u32,
    /// See [`TaskStatus::Skipped`].
    pub skipped: u32,
    /// See [`TaskStatus::Cancelled`].
    pub cancelled: u32,
}

impl TaskCounts {
    /// Tasks that will not change again.
    #[must_use]
    pub fn done(&self) -> u32 {
        self.succeeded + self.failed + self.skipped + self.cancelled
    }
}

/// A task in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskSummary {
    /// Its number in the run, from 0.
    pub task: u32,
    /// Code location.
    pub location: String,
    /// Step of the definitions.
    pub step: String,
    /// Of an op that is carried out for one value of a dynamic output: its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_key: Option<String>,
    /// Asset step, check step or op; absent when the definitions the run pinned are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<StepKind>,
    /// Assets it makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub outputs: Vec<AssetKey>,
    /// What became of each of them, when there are several or it may be left unmade.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output_statuses: Vec<TaskOutput>,
    /// Its partitions in Dagster's text: the first 20. Absent for an unpartitioned task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<String>,
    /// How many partitions it has.
    pub partition_count: u64,
    /// Where it stands.
    pub status: TaskStatus,
    /// How many tries there were.
    pub attempts: u32,
    /// When the body of its last try began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When its last try ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// When the next try is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// Why it will not be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skipped>,
    /// A blocking check it judged failed: what needs it will not run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
    /// The kind of its last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// One line of its last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of one asset of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskOutput {
    /// The asset.
    #[schema(value_type = String)]
    pub asset: AssetKey,
    /// What became of it.
    pub status: OutputStatus,
}

/// What became of an asset that a task was to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputStatus {
    /// Not yet made.
    Pending,
    /// Made, also when the task failed afterwards.
    Materialized,
    /// The task succeeded without it, as it may; what reads it was skipped.
    NotMade,
    /// The task failed before it was made.
    Failed,
    /// The task was skipped.
    Skipped,
    /// The task was cancelled before it was made.
    Cancelled,
}

impl OutputStatus {
    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Materialized => "made",
            Self::NotMade => "not made",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a task will not be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Skipped {
    /// The kind of reason.
    pub because: SkipCause,
    /// The task that is the reason.
    pub task: u32,
    /// The output that it, an op, left out, when that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The asset that it left unmade, when that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub asset: Option<AssetKey>,
}

/// Kinds of reason to skip a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipCause {
    /// A task it needs failed.
    UpstreamFailed,
    /// A blocking check failed.
    CheckFailed,
    /// A task it needs was cancelled.
    UpstreamCancelled,
    /// A task left unmade, as it may, what is read. No failure.
    OutputNotMade,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Task {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: TaskSummary,
    /// Tasks it needs: the first 1,000.
    pub needs: Vec<u32>,
    /// Checks judged within it, (asset, name).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Vec<String>>)]
    pub checks: Vec<(AssetKey, String)>,
    /// Its attempts, the last 100, first to last.
    pub tries: Vec<Attempt>,
    /// What its live attempt reads: the first 1,000. Of an attempt that is over, its materializations
    /// say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputUsed>,
}

/// One try at a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// Its id.
    #[schema(value_type = String)]
    pub id: AttemptId,
    /// From 1.
    pub number: u32,
    /// Who held it.
    #[schema(value_type = String)]
    pub host: HostId,
    /// Where it stands.
    pub status: AttemptStatus,
    /// When it was leased.
    pub leased: Time,
    /// When its body was known to have begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// The kind of failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// What was raised, or how the process ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// What its host said of it after it was over, which changed nothing: `succeeded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late: Vec<String>,
}

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// A host holds it.
    Leased,
    /// Its body began.
    Running,
    /// The body returned.
    Succeeded,
    /// The body raised, or its process died, or its host was lost.
    Failed,
    /// Stopped because it was asked to.
    Cancelled,
    /// Given back before the body began.
    Released,
}
