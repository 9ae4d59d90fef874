//! Facts about attempts: the tries at a task.

use serde::{Deserialize, Serialize};

use super::{ErrorInfo, FailureClass};
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
