//! One task of a run: its status, its needs and its attempts. The transition table is at the top.

use std::sync::Arc;

use arco_core::event::{AttemptOutcome, ErrorInfo, FailureClass, InputVersion, SkipReason};
use arco_core::plan::OutputValues;
use arco_core::{AssetKey, HostId, TaskIndex, Timestamp};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::Said;

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// What can happen to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskEvent {
    /// The last of its needs was met.
    NeedsMet,
    /// A host took it.
    Leased,
    /// Its body began.
    Started,
    /// Its attempt succeeded.
    Succeeded,
    /// Its attempt failed and another try is due later.
    FailedWillRetry,
    /// Its attempt failed for good.
    Failed,
    /// Its attempt was given back before the body began.
    Released,
    /// Its attempt was stopped on request, or none was alive when the run was cancelled.
    Cancelled,
    /// Something it needs will never succeed.
    Skipped,
}

impl TaskStatus {
    /// The transition table; everything unlisted is illegal and changes nothing.
    #[must_use]
    pub fn after(self, event: TaskEvent) -> Option<Self> {
        use TaskEvent as E;
        use TaskStatus as S;
        Some(match (self, event) {
            (S::Waiting, E::NeedsMet) => S::Ready,
            (S::Waiting, E::Skipped) => S::Skipped,
            (S::Waiting | S::Ready | S::Retrying, E::Cancelled) => S::Cancelled,
            (S::Ready | S::Retrying, E::Leased) => S::Leased,
            (S::Leased, E::Started) => S::Running,
            (S::Leased | S::Running, E::Succeeded) => S::Succeeded,
            (S::Leased | S::Running, E::FailedWillRetry) => S::Retrying,
            (S::Leased | S::Running, E::Failed) => S::Failed,
            (S::Leased | S::Running, E::Cancelled) => S::Cancelled,
            (S::Leased | S::Running, E::Released) => S::Ready,
            _ => return None,
        })
    }

    /// Whether it will never change again.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled
        )
    }

    /// Whether a host holds it.
    #[must_use]
    pub fn is_held(self) -> bool {
        matches!(self, Self::Leased | Self::Running)
    }

    /// The word on the API and the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What became of one asset of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStatus {
    /// Not yet made.
    Pending,
    /// Made.
    Materialized,
    /// The task succeeded without it, as it may.
    NotMade,
    /// The task failed before it was made.
    Failed,
    /// The task was skipped.
    Skipped,
    /// The task was cancelled before it was made.
    Cancelled,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Where it stands.
    pub status: TaskStatus,
    /// Tasks it still needs: a set, so that hearing twice of one end changes nothing.
    #[serde(default, skip_serializing_if = "RoaringBitmap::is_empty")]
    pub unmet: RoaringBitmap,
    /// A blocking check judged by it failed: what needs it will not run (M-21).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
    /// Tries that failed; a try given back is none.
    pub failures: u32,
    /// When the next try is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// Why it will not be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<SkipReason>,
    /// What it reads, as it stood when the live attempt was leased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Arc<Vec<InputVersion>>>,
    /// Assets it made, by whichever attempt, in order; empty once it succeeded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<AssetKey>,
    /// Assets that it left unmade although it succeeded: only such as its step may leave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<AssetKey>,
    /// Outputs that an op gave, by its last attempt that said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Arc<Vec<OutputValues>>>,
    /// Materializations and verdicts of the live attempt.
    #[serde(default, skip_serializing_if = "Said::is_empty")]
    pub said: Said,
    /// Its attempts, first to last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<AttemptRow>,
}

/// One try at a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptRow {
    /// From 1.
    pub number: u32,
    /// Who held it.
    pub host: HostId,
    /// When it was leased.
    pub leased: Timestamp,
    /// When its body was known to have begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// The time limit, in milliseconds, that it went beyond without beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_timed_out: Option<u64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AttemptOutcome>,
    /// What its host said of it afterwards, which changed nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late: Vec<String>,
}

impl Task {
    /// A task that needs `needs`.
    #[must_use]
    pub fn planned(needs: &[TaskIndex]) -> Self {
        Self {
            status: if needs.is_empty() {
                TaskStatus::Ready
            } else {
                TaskStatus::Waiting
            },
            unmet: needs.iter().copied().collect(),
            blocked: false,
            failures: 0,
            retry_at: None,
            skipped: None,
            inputs: None,
            made: Vec::new(),
            left_out: Vec::new(),
            values: None,
            said: Said::default(),
            attempts: Vec::new(),
        }
    }

    /// The attempt that is alive, when one is.
    #[must_use]
    pub fn live(&self) -> Option<&AttemptRow> {
        self.attempts.last().filter(|row| row.outcome.is_none())
    }

    /// What became of one of its assets: a task of several makes some of them and fails at others.
    #[must_use]
    pub fn output(&self, asset: &AssetKey) -> OutputStatus {
        match self.status {
            TaskStatus::Succeeded if self.left_out.contains(asset) => OutputStatus::NotMade,
            TaskStatus::Succeeded => OutputStatus::Materialized,
            _ if self.made.contains(asset) => OutputStatus::Materialized,
            TaskStatus::Failed => OutputStatus::Failed,
            TaskStatus::Skipped => OutputStatus::Skipped,
            TaskStatus::Cancelled => OutputStatus::Cancelled,
            _ => OutputStatus::Pending,
        }
    }

    /// Whether it was left out for a reason that is a failure of another task.
    #[must_use]
    pub fn is_brought_down(&self) -> bool {
        self.status == TaskStatus::Skipped
            && self.skipped.as_ref().is_none_or(SkipReason::is_failure)
    }

    /// What the last failed attempt said.
    #[must_use]
    pub fn failure(&self) -> Option<(FailureClass, &ErrorInfo)> {
        self.attempts
            .iter()
            .rev()
            .find_map(|row| match &row.outcome {
                Some(AttemptOutcome::Failed { class, error }) => Some((*class, error)),
                _ => None,
            })
    }
}
