//! What can go wrong with a log, named by what to do about it.

use std::fmt;

/// An error of the log. The variant says what to do; the fields say where.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Stop and call someone: bytes that were durable are gone or changed. Nothing is guessed.
    #[error("object `{object}` is corrupt: {problem}; {mend}")]
    Corrupt {
        /// The object.
        object: String,
        /// What is wrong with it.
        problem: String,
        /// The way back.
        mend: String,
    },
    /// Upgrade this binary: a newer one has written what this one must not guess at.
    #[error(
        "object `{object}` needs reader version {needs} and this one is {have}; upgrade this arco to \
         the version that wrote it"
    )]
    TooNew {
        /// The object.
        object: String,
        /// The reader version it asks for.
        needs: u32,
        /// The reader version of this binary.
        have: u32,
    },
    /// Try again later: the store did not answer, or not in time. Repeating is safe.
    #[error("could not {doing} `{object}`: the store did not do it; trying again is safe")]
    Unavailable {
        /// What was attempted, `read`, `create`.
        doing: &'static str,
        /// On which object.
        object: String,
        /// The store's own words.
        source: Cause,
    },
    /// Use another store: this one cannot hold a log.
    #[error("store `{store}` cannot hold a log: {problem}; {mend}")]
    Refused {
        /// The store.
        store: String,
        /// What it does wrong.
        problem: String,
        /// What to do instead.
        mend: String,
    },
    /// A create-only object is there already with other content.
    #[error("object `{object}` exists with other content: {problem}")]
    Conflict {
        /// The object.
        object: String,
        /// What differs.
        problem: String,
    },
    /// Drop the state and recover: the log was trimmed past this replica while it stood still.
    /// Whether the last command was applied is for its idempotency key in the new state to say.
    #[error(
        "block {block} of the log was trimmed while this replica stood still; recover from a snapshot"
    )]
    Reload {
        /// The block that has a tombstone.
        block: u64,
    },
    /// Stop, put the folder back, start again: its path leads elsewhere now, and what were put there
    /// would be lost to the log.
    #[error("folder `{folder}` is no longer the one that this process opened: {what}; {mend}")]
    Moved {
        /// The folder of the store.
        folder: String,
        /// What became of it.
        what: &'static str,
        /// The way back.
        mend: String,
    },
    /// Mend the request.
    #[error("{problem}; {mend}")]
    Invalid {
        /// What is wrong.
        problem: String,
        /// What to write instead.
        mend: String,
    },
}

/// What the store said, without its type: callers match on [`LogError`] alone.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl LogError {
    /// Whether the same call may simply be made again later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Corrupt { .. }
            | Self::TooNew { .. }
            | Self::Refused { .. }
            | Self::Conflict { .. }
            | Self::Reload { .. }
            | Self::Moved { .. }
            | Self::Invalid { .. } => false,
        }
    }

    pub(crate) fn corrupt(object: impl fmt::Display, problem: impl Into<String>) -> Self {
        Self::Corrupt {
            object: object.to_string(),
            problem: problem.into(),
            mend: "put this object back from a backup or from the bucket's older versions, then \
                   run `arco log verify`"
                .into(),
        }
    }

    pub(crate) fn unavailable(
        doing: &'static str,
        object: impl fmt::Display,
        source: impl Into<Cause>,
    ) -> Self {
        Self::Unavailable {
            doing,
            object: object.to_string(),
            source: source.into(),
        }
    }

    pub(crate) fn invalid(problem: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Invalid {
            problem: problem.into(),
            mend: mend.into(),
        }
    }
}
