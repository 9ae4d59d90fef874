//! What an engine answers when it does not do what was asked.

use arco_core::selection::SelectionError;
use arco_flow::Rejection;
use arco_flow::state::ApplyError;
use arco_log::LogError;
use thiserror::Error;

/// A refusal or a failure. [`EngineError::retryable`] says whether a repeat may help.
#[derive(Debug, Clone, Error)]
pub enum EngineError {
    /// The request cannot be granted in this state.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The selection cannot be read or evaluated.
    #[error("{}", .0.pointed())]
    Selection(SelectionError),
    /// The run configuration does not fit the schema.
    #[error("the run configuration is not valid at `{path}`: {message}")]
    Config {
        /// `ops.flights.config.limit`.
        path: String,
        /// What is wrong, and what was expected.
        message: String,
    },
    /// The log failed.
    #[error("{0}")]
    Log(std::sync::Arc<LogError>),
    /// The put was sent and nobody knows whether it took effect.
    #[error(
        "the store did not answer in time: the change may or may not have been made; repeat the request with the same Idempotency-Key or run key, that is safe ({0})"
    )]
    Unknown(String),
    /// The engine no longer decides: the log holds what it does not understand, or is corrupt.
    #[error("this process reads only: {0}")]
    ReadOnly(String),
    /// Another replica leads; workers speak to it.
    #[error("the leader is at {url}; call it there")]
    NotLeader {
        /// Its url.
        url: String,
    },
    /// This process leads no longer, or cannot prove that it does.
    #[error("leadership is in doubt, try again in a second")]
    LeadInDoubt,
    /// User code cannot be asked: no host of its location is there.
    #[error(
        "{what} cannot be asked: no worker host of location `{location}` is there; start one, `arco worker` or `arco dev`, then repeat"
    )]
    NoHost {
        /// `sensor `x``.
        what: String,
        /// Code location.
        location: String,
    },
    /// The engine is shutting down.
    #[error("the server is shutting down")]
    Stopped,
}

impl EngineError {
    /// Stable word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::Selection(_) => "bad_selection",
            Self::Config { .. } => "bad_config",
            Self::Log(_) => "log_failed",
            Self::Unknown(_) => "outcome_unknown",
            Self::ReadOnly(_) => "read_only",
            Self::NotLeader { .. } => "not_leader",
            Self::LeadInDoubt => "lead_in_doubt",
            Self::NoHost { .. } => "no_host",
            Self::Stopped => "stopped",
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Log(error) => error.retryable(),
            Self::Unknown(_)
            | Self::NotLeader { .. }
            | Self::LeadInDoubt
            | Self::NoHost { .. }
            | Self::Stopped => true,
            Self::Rejected(_) | Self::Selection(_) | Self::Config { .. } | Self::ReadOnly(_) => {
                false
            }
        }
    }
}

impl From<LogError> for EngineError {
    fn from(error: LogError) -> Self {
        Self::Log(std::sync::Arc::new(error))
    }
}

impl From<SelectionError> for EngineError {
    fn from(error: SelectionError) -> Self {
        Self::Selection(error)
    }
}

impl From<ApplyError> for EngineError {
    fn from(error: ApplyError) -> Self {
        Self::ReadOnly(error.to_string())
    }
}
