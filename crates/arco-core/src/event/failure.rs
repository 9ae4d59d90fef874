//! How user code fails, in words that the log, the API and the worker protocol share.

use serde::{Deserialize, Serialize};

/// An error of user code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErrorInfo {
    /// Class name, `ValueError`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line.
    pub message: String,
    /// The rest; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub traceback: String,
}

/// Weight of a failed check (M-19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// A blocking check that fails with it stops what is downstream.
    Error,
    /// Said, and no more.
    Warn,
}

/// Kinds of failure. What a retry policy may do depends on the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// An exception of user code.
    UserCode,
    /// Configuration did not validate.
    Config,
    /// Reading an input or writing an output failed.
    Io,
    /// User code asked for another try.
    RetryRequested,
    /// The process was killed for memory.
    OutOfMemory,
    /// The process died by a signal or an unexpected exit.
    Crashed,
    /// The task ran longer than it may.
    Timeout,
    /// The host was lost.
    WorkerLost,
    /// The body was never begun, or went down with what carries it: no fault of the task.
    Infrastructure,
    /// A blocking check said no.
    DataQuality,
}

impl FailureClass {
    /// The word in the log, the API and the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserCode => "user_code",
            Self::Config => "config",
            Self::Io => "io",
            Self::RetryRequested => "retry_requested",
            Self::OutOfMemory => "out_of_memory",
            Self::Crashed => "crashed",
            Self::Timeout => "timeout",
            Self::WorkerLost => "worker_lost",
            Self::Infrastructure => "infrastructure",
            Self::DataQuality => "data_quality",
        }
    }

    /// Whether processes and machines failed, and not what user code did.
    #[must_use]
    pub fn is_of_the_platform(self) -> bool {
        match self {
            Self::OutOfMemory | Self::Crashed | Self::WorkerLost | Self::Infrastructure => true,
            Self::UserCode
            | Self::Config
            | Self::Io
            | Self::RetryRequested
            | Self::Timeout
            | Self::DataQuality => false,
        }
    }
}
