//! How often a run that failed is done again without anyone asking (R-25 to R-28,
//! `docs/adr/0017-run-retries.md`).
//!
//! The workspace has a setting; Dagster's tags on a run go before it. A run's own words are read when
//! it is asked for, so that a number that is none is refused and does not fail in the night.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::{FailureClass, RerunKind};
use crate::policy_tags::{self, PolicyTagError};

#[cfg(test)]
mod tests;

/// Tag: how many automatic retries at most.
pub const MAX_RETRIES_TAG: &str = "dagster/max_retries";
/// Tag: which tasks an automatic retry does again.
pub const STRATEGY_TAG: &str = "dagster/retry_strategy";
/// Tag: whether a run is retried in which user code failed.
pub const ON_TASK_FAILURE_TAG: &str = "dagster/retry_on_asset_or_op_failure";

/// More would be a loop, and not a policy.
pub const MAX_RETRIES_MAX: u32 = 1_000;

/// How often, and what. The default is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunRetries {
    /// Reruns of one lineage at most, those by hand included.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(maximum = 1000))]
    pub max_retries: u32,
    /// Which tasks.
    #[serde(default)]
    pub strategy: RetryStrategy,
    /// Whether a run is retried in which user code failed; else only when processes or hosts did.
    #[serde(default = "yes")]
    pub on_task_failure: bool,
}

fn yes() -> bool {
    true
}

impl Default for RunRetries {
    fn default() -> Self {
        Self {
            max_retries: 0,
            strategy: RetryStrategy::default(),
            on_task_failure: true,
        }
    }
}

/// Which tasks an automatic retry does again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RetryStrategy {
    /// Those that did not succeed. Dagster's FROM_FAILURE, and its FROM_ASSET_FAILURE: tasks are made
    /// of assets here.
    #[default]
    FromFailure,
    /// All. Dagster's ALL_STEPS.
    AllSteps,
}

impl RetryStrategy {
    /// The kind of rerun it is.
    #[must_use]
    pub fn kind(self) -> RerunKind {
        match self {
            Self::FromFailure => RerunKind::FromFailure,
            Self::AllSteps => RerunKind::Whole,
        }
    }
}

impl RunRetries {
    /// The policy of a run: its tags before the workspace's setting.
    ///
    /// # Errors
    /// [`PolicyTagError`] when a tag says nothing that can be done.
    pub fn of(tags: &BTreeMap<String, String>, setting: Self) -> Result<Self, PolicyTagError> {
        let expected = "a whole number from 0 to 1000";
        let max_retries = policy_tags::read(tags, MAX_RETRIES_TAG, expected, |text| {
            text.parse().ok().filter(|max| *max <= MAX_RETRIES_MAX)
        })?;
        let expected = "`FROM_FAILURE`, `FROM_ASSET_FAILURE` or `ALL_STEPS`";
        let strategy = policy_tags::read(tags, STRATEGY_TAG, expected, |text| match text {
            "FROM_FAILURE" | "FROM_ASSET_FAILURE" => Some(RetryStrategy::FromFailure),
            "ALL_STEPS" => Some(RetryStrategy::AllSteps),
            _ => None,
        })?;
        let expected = "`true` or `false`";
        let on_task_failure = policy_tags::read(tags, ON_TASK_FAILURE_TAG, expected, |text| {
            text.to_lowercase().parse().ok()
        })?;
        Ok(Self {
            max_retries: max_retries.unwrap_or(setting.max_retries),
            strategy: strategy.unwrap_or(setting.strategy),
            on_task_failure: on_task_failure.unwrap_or(setting.on_task_failure),
        })
    }

    /// Whether a run that failed in these ways is retried, as far as the ways go.
    #[must_use]
    pub fn covers(self, failures: impl IntoIterator<Item = FailureClass>) -> bool {
        self.on_task_failure || failures.into_iter().all(FailureClass::is_of_the_platform)
    }
}
