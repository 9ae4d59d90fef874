//! Facts about runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{EvaluationId, Stored, TickId};
use crate::backfill::ChunkOf;
use crate::limits::TimeLimits;
use crate::plan::Plan;
use crate::run_retries::RunRetries;
use crate::{AssetKey, Digest, RunId, TaskIndex};

/// Someone asked for a run: the plan, whole, and what identifies the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRequested {
    /// The run.
    pub run: RunId,
    /// Scope of the run key: `workspace` for people.
    pub scope: String,
    /// At most one run per scope and key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// Digest of what was asked: assets, partitions, config, user tags.
    pub fingerprint: Digest,
    /// What was asked, as the person wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// Resolved assets, in order; empty for a run that only judges checks.
    pub assets: Vec<AssetKey>,
    /// The checks that were asked for, (asset, name); absent for those of the assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_checks: Option<Vec<(AssetKey, String)>>,
    /// The partitions asked for, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<String>,
    /// Run configuration.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub config: Value,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Definitions version pinned per location.
    pub definitions: BTreeMap<String, Digest>,
    /// Higher goes first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// The client's idempotency key and the digest of the request under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<(String, Digest)>,
    /// The job it is a run of; absent for a run of a selection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobRef>,
    /// The run it does again, in whole or in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<RerunOf>,
    /// The chunk of a backfill that it makes. From fold version 3 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<ChunkOf>,
    /// Time limits of its own.
    #[serde(default, skip_serializing_if = "TimeLimits::is_empty")]
    pub time_limits: TimeLimits,
    /// The tick that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<TickId>,
    /// The evaluation of a sensor that asked for it. From fold version 4 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<EvaluationId>,
    /// What will be done.
    pub plan: Stored<Plan>,
}

/// A job, by the location that defines it and its name there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct JobRef {
    /// Code location.
    pub location: String,
    /// Name.
    pub name: String,
}

/// Which run is done again, and what of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RerunOf {
    /// The run that is done again.
    pub parent: RunId,
    /// The first run of the lineage: the parent, or the parent's root.
    pub root: RunId,
    /// Which tasks.
    pub kind: RerunKind,
    /// Of a subset: the selection as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// Of a subset: what the selected tasks need comes along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_upstream: bool,
    /// Of a subset: what needs the selected tasks comes along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_downstream: bool,
    /// Of an automatic retry: its number in the lineage, from 1. Absent when someone asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<u32>,
}

/// Which tasks of a run are done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RerunKind {
    /// All.
    Whole,
    /// Those that did not succeed.
    FromFailure,
    /// Those of selected assets.
    Subset,
}

fn is_zero(n: &i32) -> bool {
    *n == 0
}

/// Someone asked to stop a run. Tasks without a live attempt end with this event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCancelRequested {
    /// The run.
    pub run: RunId,
}

/// A run waited or went on for too long. Tasks without a live attempt end with this event, and what is
/// alive is asked to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTimedOut {
    /// The run.
    pub run: RunId,
    /// Which limit it went beyond.
    pub limit: RunTimeLimit,
    /// The limit, in milliseconds.
    pub limit_ms: u64,
}

/// A time limit of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunTimeLimit {
    /// From the request to the first lease.
    Queue,
    /// From the first lease to the end.
    Run,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Every task succeeded, or was skipped for a reason that is no failure.
    Succeeded,
    /// A task failed, or a blocking check did.
    Failed,
    /// It was asked to stop.
    Cancelled,
}

/// The last task of a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFinished {
    /// The run.
    pub run: RunId,
    /// How.
    pub outcome: RunOutcome,
    /// The run is to be done again, without anyone asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryOwed>,
}

/// An automatic retry that a failed run is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryOwed {
    /// Its number in the lineage, from 1.
    pub number: u32,
    /// Which tasks.
    pub kind: RerunKind,
}

/// A retry that was owed cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRetryDropped {
    /// The run that failed.
    pub run: RunId,
    /// Why, for people.
    pub reason: String,
}

/// Someone set how often the runs of the workspace are retried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRetriesSet {
    /// The setting from here.
    pub retries: RunRetries,
}

/// Why a task will not be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// A task it needs failed.
    UpstreamFailed(TaskIndex),
    /// A blocking check judged by this task failed.
    CheckFailed(TaskIndex),
    /// A task it needs was cancelled.
    UpstreamCancelled(TaskIndex),
    /// This task left unmade, as it may, an asset that is read: by the skipped task, or by one that
    /// it reads itself. No failure. Written from fold version 3 on.
    OutputNotMade {
        /// The task.
        task: TaskIndex,
        /// The asset.
        asset: AssetKey,
    },
    /// This task, an op, left out a value that is read, as it may. No failure. Written from fold
    /// version 3 on.
    ValueNotMade {
        /// The task.
        task: TaskIndex,
        /// The output.
        output: String,
    },
}

impl SkipReason {
    /// Whether something went wrong.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !matches!(self, Self::OutputNotMade { .. } | Self::ValueNotMade { .. })
    }
}

/// Tasks will not be tried. One event for all that one end brings down, so that every planned task
/// has exactly one recorded outcome (D-18).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TasksSkipped {
    /// The run.
    pub run: RunId,
    /// The tasks, in order.
    pub tasks: Vec<TaskIndex>,
    /// Why.
    pub because: SkipReason,
}

/// The keys of a dynamic output are known: the tasks that are there for each of them join the run. The
/// keys stand in the last [`AttemptValues`](super::AttemptValues) of the task, what the tasks are in the
/// plan of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TasksMapped {
    /// The run.
    pub run: RunId,
    /// The task whose output it is.
    pub task: TaskIndex,
}

/// Ended runs moved from memory to a history object. The fold drops them; reads find them there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryPacked {
    /// How the log finds the object again (`HistoryRef` of `arco-log`).
    pub object: Value,
    /// The runs in it, in order of id.
    pub runs: Vec<RunId>,
}
