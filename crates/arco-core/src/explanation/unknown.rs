//! What an answer cannot say.

use serde::{Deserialize, Serialize};

/// What the history kept here does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// Who asked to stop the run.
    Canceller,
    /// How the run went that is done again, and who had asked for it.
    Parent,
    /// Which run made the materialization.
    Run,
    /// What came of the last run that was to make it.
    Attempt,
    /// Whether the step had a retry policy.
    RetryPolicy,
    /// What the materialization was made from.
    Inputs,
    /// What the check said at the time.
    CheckResult,
}
