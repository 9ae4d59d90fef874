//! One run: what was asked, the plan, and the tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::backfill::ChunkOf;
use arco_core::event::{
    EvaluationId, JobRef, Position, Principal, RerunOf, RetryOwed, RunOutcome, RunTimeLimit, TickId,
};
use arco_core::limits::TimeLimits;
use arco_core::plan::{Plan, PlannedTask};
use arco_core::{AssetKey, Digest, RunId, TaskIndex, Timestamp};
use imbl::Vector;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Task, TaskStatus};

/// Where a run stands. The user-facing words are Dagster's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

    /// The word on the API and the command line.
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

impl From<RunOutcome> for RunStatus {
    fn from(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::Succeeded => Self::Success,
            RunOutcome::Failed => Self::Failure,
            RunOutcome::Cancelled => Self::Canceled,
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Where and when it was requested.
    pub requested: (Position, Timestamp),
    /// Who asked.
    pub principal: Principal,
    /// Scope of its run key.
    pub scope: String,
    /// Its run key.
    pub run_key: Option<String>,
    /// Digest of what was asked.
    pub fingerprint: Digest,
    /// What was asked, as written.
    pub selection: Option<String>,
    /// The assets. Shared: a run is copied on write, and may have thousands.
    pub assets: Arc<Vec<AssetKey>>,
    /// The checks that were asked for; `None` for those of the assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_checks: Option<Arc<Vec<(AssetKey, String)>>>,
    /// The partitions, as written.
    pub partitions: Option<String>,
    /// Run configuration.
    pub config: Arc<Value>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Pinned definitions per location.
    pub definitions: BTreeMap<String, Digest>,
    /// Higher goes first.
    pub priority: i32,
    /// The job it is a run of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobRef>,
    /// The chunk of a backfill that it makes. From fold version 3 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<ChunkOf>,
    /// The run it does again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<RerunOf>,
    /// Time limits of its own.
    #[serde(default, skip_serializing_if = "TimeLimits::is_empty")]
    pub time_limits: TimeLimits,
    /// The time limit that stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_out: Option<TimedOut>,
    /// The tick that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<TickId>,
    /// The evaluation of a sensor that asked for it. From fold version 4 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<EvaluationId>,
    /// The plan.
    pub plan: Arc<Plan>,
    /// Which tasks need a task. Derived from the plan.
    #[serde(skip)]
    pub dependents: Arc<Vec<Vec<TaskIndex>>>,
    /// The pool of each task; empty when none has one. Derived from the pinned definitions.
    #[serde(skip)]
    pub pools: Arc<Vec<Option<Arc<str>>>>,
    /// The tasks, as in the plan.
    pub tasks: Vector<Arc<Task>>,
    /// Tasks per status.
    pub counts: Counts,
    /// Where it stands.
    pub status: RunStatus,
    /// Where and when it was asked to stop, and by whom. From fold version 3 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<(Position, Timestamp, Principal)>,
    /// Its automatic retry, when it failed and is owed one. From fold version 3 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<Retried>,
    /// When the first task was leased.
    pub started: Option<Timestamp>,
    /// Where and when it ended.
    pub ended: Option<(Position, Timestamp)>,
    /// Materializations it made.
    pub materializations: u64,
    /// Observations it made.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub observations: u64,
    /// Checks it judged: passed, failed.
    pub checks: (u64, u64),
}

/// A time limit that a run went beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedOut {
    /// Which.
    pub limit: RunTimeLimit,
    /// The limit, in milliseconds.
    pub limit_ms: u64,
    /// When that was found.
    pub at: Timestamp,
}

impl TimedOut {
    /// What happened, for people.
    #[must_use]
    pub fn message(&self) -> String {
        let what = match self.limit {
            RunTimeLimit::Queue => "waited in the queue",
            RunTimeLimit::Run => "went on",
        };
        format!(
            "the run {what} for longer than its limit of {} ms",
            self.limit_ms
        )
    }
}

/// What became of the automatic retry of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// What is owed.
    #[serde(flatten)]
    pub owed: RetryOwed,
    /// The run that is the retry, once it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<RunId>,
    /// Why it could not be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
}

/// Tasks per status. The sum is the number of tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts([u32; 9]);

impl Counts {
    /// Tasks with this status.
    #[must_use]
    pub fn of(&self, status: TaskStatus) -> u32 {
        self.0[status as usize]
    }

    pub(super) fn add(&mut self, status: TaskStatus) {
        self.0[status as usize] += 1;
    }

    pub(super) fn moved(&mut self, from: TaskStatus, to: TaskStatus) {
        self.0[from as usize] -= 1;
        self.0[to as usize] += 1;
    }

    /// Tasks that a host holds.
    #[must_use]
    pub fn held(&self) -> u32 {
        self.of(TaskStatus::Leased) + self.of(TaskStatus::Running)
    }

    /// Tasks that will change again.
    #[must_use]
    pub fn open(&self) -> u32 {
        self.of(TaskStatus::Waiting)
            + self.of(TaskStatus::Ready)
            + self.of(TaskStatus::Retrying)
            + self.held()
    }

    /// All tasks.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }
}

impl Run {
    /// One task.
    #[must_use]
    pub fn task(&self, index: TaskIndex) -> Option<&Arc<Task>> {
        self.tasks.get(index as usize)
    }

    /// One task of the plan.
    #[must_use]
    pub fn planned(&self, index: TaskIndex) -> Option<&PlannedTask> {
        self.plan.tasks.get(index as usize)
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_canceling(&self) -> bool {
        self.status == RunStatus::Canceling
    }

    /// How it will have ended once no task is open: failed when a time limit stopped it, stopped
    /// if that was asked, else failed if any task failed or was skipped because of a failure.
    #[must_use]
    pub fn outcome(&self) -> RunOutcome {
        if self.timed_out.is_some() {
            RunOutcome::Failed
        } else if self.is_canceling() {
            RunOutcome::Cancelled
        } else if self.counts.of(TaskStatus::Failed) > 0
            || self
                .tasks
                .iter()
                .any(|task| task.blocked || task.is_brought_down())
        {
            RunOutcome::Failed
        } else {
            RunOutcome::Succeeded
        }
    }
}

/// For each task, the tasks that need it.
#[must_use]
pub(super) fn dependents(plan: &Plan) -> Vec<Vec<TaskIndex>> {
    let mut out = vec![Vec::new(); plan.tasks.len()];
    for (index, task) in (0_u32..).zip(&plan.tasks) {
        for need in &task.needs {
            out[*need as usize].push(index);
        }
    }
    out
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
