//! Runs.

use std::collections::BTreeMap;

use arco_core::event::{ErrorInfo, FailureClass, JobRef, RerunKind, RunTimeLimit};
use arco_core::limits::TimeLimits;
use arco_core::{AssetKey, Digest, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{LogPosition, TaskCounts, Time};

/// Asks for a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRun {
    /// Which assets: one selection or several, joined by "or". Of a job: which of its assets, all when
    /// absent.
    #[serde(default, skip_serializing_if = "SelectionText::is_empty")]
    #[schema(required = false)]
    pub selection: SelectionText,
    /// The job to run: its assets, with its configuration and tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Code location of the job, when several have one of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_location: Option<String>,
    /// Which checks: `ASSET:CHECK`, or `ASSET` for all of an asset. Absent: those of the assets. Without
    /// `selection` and `job` these alone are judged; `[]` judges none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<String>>,
    /// Which partitions of the partitioned ones; absent when none is partitioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionsWanted>,
    /// At most one run per key. The same key and request again is the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// Run configuration: `{"ops": {…}, "resources": {…}}`. In place of that of the job, when given.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Object)]
    pub config: Value,
    /// Tags, beside those of the job or in their place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Higher goes first.
    #[serde(default)]
    pub priority: i32,
    /// How long it may wait and go on; the workspace's limits where nothing is said.
    #[serde(default, skip_serializing_if = "TimeLimits::is_empty")]
    pub time_limits: TimeLimits,
}

/// Asks to do a run again. An empty object does all of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rerun {
    /// Only the tasks that did not succeed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_failure: bool,
    /// Only the tasks of these assets of the run; not together with `from_failure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<SelectionText>,
    /// With the tasks of the run that the selected ones need.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_upstream: bool,
    /// With the tasks of the run that need the selected ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_downstream: bool,
    /// At most one run per key. Without one the rerun has a key of its own, and asking for the same
    /// rerun again while it is not over is that rerun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// Tags beside the run's, or in their place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Higher goes first; the run's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// How long it may wait and go on; as the run where nothing is said.
    #[serde(default, skip_serializing_if = "TimeLimits::is_empty")]
    pub time_limits: TimeLimits,
}

/// Which run is done again, and what of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RerunOf {
    /// The run that is done again.
    #[schema(value_type = String)]
    pub parent: RunId,
    /// The first run of the lineage.
    #[schema(value_type = String)]
    pub root: RunId,
    /// Which tasks.
    pub kind: RerunKind,
    /// Of a subset: the selection as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// Of a subset: what the selected tasks need came along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_upstream: bool,
    /// Of a subset: what needs the selected tasks came along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_downstream: bool,
    /// Of an automatic retry: its number in the lineage, from 1. Absent when someone asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<u32>,
}

/// What becomes of the automatic retry of a run that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Retried {
    /// Its number in the lineage, from 1.
    pub number: u32,
    /// Which tasks it does again.
    pub kind: RerunKind,
    /// The run that it is, once it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub by: Option<RunId>,
    /// Why it could not be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
}

/// One selection, or several joined by "or".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SelectionText {
    /// `kind:table and group:sales`
    One(String),
    /// `["raw_sales", "+daily_sales"]`
    Many(Vec<String>),
}

impl Default for SelectionText {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl SelectionText {
    /// Whether no selection is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Many(texts) if texts.is_empty())
    }

    /// The selections, as a list.
    #[must_use]
    pub fn into_list(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// Partitions of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartitionsWanted {
    /// Keys, or ranges with both ends in: `2026-01-01`, `2026-01-01...2026-01-31`.
    Keys(Vec<String>),
    /// Every partition that exists.
    All,
}

/// A run that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunCreated {
    /// False when the same request had made it before (`run_key`, `Idempotency-Key`).
    pub created: bool,
    /// Read from here to see it (`arco-min-position`).
    pub position: LogPosition,
    /// The run.
    pub run: RunSummary,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// No task of it was leased yet.
    Queued,
    /// A task was leased.
    Started,
    /// Asked to stop; some attempts are still alive.
    Canceling,
    /// Over, and good.
    Success,
    /// Over, with a failure.
    Failure,
    /// Over, stopped.
    Canceled,
}

impl RunStatus {
    /// Whether it will never change again.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Canceled)
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Started => "started",
            Self::Canceling => "canceling",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Canceled => "canceled",
        }
    }
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunSummary {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RunId,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was asked for.
    pub requested: Time,
    /// Where the request stands in the log.
    pub position: LogPosition,
    /// Who asked.
    pub requested_by: String,
    /// When its first task was leased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// The selection, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// The partitions, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<String>,
    /// Its assets: the first 20 in a list, the first 10,000 of one run.
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<AssetKey>,
    /// How many assets it has.
    pub asset_count: u64,
    /// The checks that were asked for, `ASSET:CHECK`: the first 20 in a list, the first 10,000 of one run.
    /// Absent for those of the assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_checks: Option<Vec<String>>,
    /// Its run key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// Scope of the run key; `workspace` for people.
    pub scope: String,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Higher goes first.
    pub priority: i32,
    /// The job it is a run of; absent for a run of a selection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobRef>,
    /// The run it does again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<RerunOf>,
    /// The time limit that stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_out: Option<RunTimedOut>,
    /// Its automatic retry, when it failed and is owed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<Retried>,
    /// The tick of a schedule that asked for it, `nightly:2026-01-31T02:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<String>,
    /// The evaluation of a sensor that asked for it, `drop_folder:17`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<String>,
    /// Tasks per status.
    pub tasks: TaskCounts,
    /// Materializations it made so far.
    pub materializations: u64,
    /// Observations it made so far.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub observations: u64,
    /// Checks that passed so far.
    pub checks_passed: u64,
    /// Checks that failed so far.
    pub checks_failed: u64,
}

/// A time limit that a run went beyond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunTimedOut {
    /// Which: of waiting in the queue, or of going on from its first lease.
    pub limit: RunTimeLimit,
    /// The limit, in milliseconds.
    pub limit_ms: u64,
    /// When that was found.
    pub at: Time,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// Run configuration.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Object)]
    pub config: Value,
    /// Definitions version pinned per location.
    #[schema(value_type = BTreeMap<String, String>)]
    pub definitions: BTreeMap<String, Digest>,
    /// Digest of what was asked.
    #[schema(value_type = String)]
    pub fingerprint: Digest,
    /// Time limits of its own.
    #[serde(default, skip_serializing_if = "TimeLimits::is_empty")]
    pub time_limits: TimeLimits,
    /// The first 10 tasks that failed, each with what its last attempt said, and those whose blocking
    /// checks stopped others (class `data_quality`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<TaskFailure>,
}

/// A task that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskFailure {
    /// Its number in the run.
    pub task: u32,
    /// Its step.
    pub step: String,
    /// Of an op that is carried out for one value of a dynamic output: its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_key: Option<String>,
    /// Its first partition, in Dagster's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The kind of failure.
    pub class: FailureClass,
    /// What was raised.
    pub error: ErrorInfo,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
