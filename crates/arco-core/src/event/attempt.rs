//! Facts about attempts: the tries at a task.

use serde::{Deserialize, Serialize};

use super::{ErrorInfo, FailureClass};
use crate::plan::OutputValues;
use crate::{AttemptId, HostId, Timestamp};

/// A host holds an attempt. Nobody else may until it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptLeased {
    /// The attempt.
    pub attempt: AttemptId,
    /// The host.
    pub host: HostId,
}

/// The body began. Absent when the attempt's end was reported in the same breath.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptStarted {
    /// The attempt.
    pub attempt: AttemptId,
}

/// A host holds an attempt for too long without beginning it: it is asked to stop it, and the attempt
/// fails when it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptStartTimedOut {
    /// The attempt.
    pub attempt: AttemptId,
    /// The limit, in milliseconds.
    pub limit_ms: u64,
}

/// An op gave these outputs; their values are kept by IO managers, for the ops that read them. The last
/// such word of an attempt counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptValues {
    /// The attempt.
    pub attempt: AttemptId,
    /// The outputs, each once. One that is not here was left out.
    pub outputs: Vec<OutputValues>,
}

/// An attempt is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFinished {
    /// The attempt.
    pub attempt: AttemptId,
    /// How.
    pub outcome: AttemptOutcome,
    /// When the next try is due; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

/// A host said that a body succeeded whose attempt had ended otherwise: it changed nothing, and it is
/// known that the body went on. Once for an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRefused {
    /// The attempt.
    pub attempt: AttemptId,
    /// Who spoke.
    pub host: HostId,
    /// What was said, in order: `started`, `materialized raw/flights`, `succeeded`.
    pub said: Vec<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The body returned.
    Succeeded,
    /// The body raised, or its process died, or its host was lost.
    Failed {
        /// Which kind of failure.
        class: FailureClass,
        /// What was raised, or how the process ended.
        error: ErrorInfo,
    },
    /// Stopped because it was asked to.
    Cancelled,
    /// Given back before the body began; costs no try.
    Released,
}
