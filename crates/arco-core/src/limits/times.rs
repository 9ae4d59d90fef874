//! For how long runs and their tasks may wait and go on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LimitsError;

/// Dagster's tags for the longest a run may go on, in seconds; the first one counts.
const RUN_TAGS: [&str; 2] = ["dagster/max_runtime", "dagster/max_runtime_seconds"];

/// Time limits, in milliseconds. Of a workspace they hold for each run that does not say otherwise; of
/// a run, 0 is no limit although the workspace has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TimeLimits {
    /// A run that waits in the queue for longer fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_ms: Option<u64>,
    /// An attempt that a host holds for longer without beginning it is stopped and fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u64>,
    /// A run that goes on for longer, from its first lease, is stopped and fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_ms: Option<u64>,
}

impl TimeLimits {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These limits, and where they say nothing, those of `others`.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            queue_ms: self.queue_ms.or(others.queue_ms),
            start_ms: self.start_ms.or(others.start_ms),
            run_ms: self.run_ms.or(others.run_ms),
        }
    }

    /// What they come to: 0 is no limit.
    #[must_use]
    pub fn effective(self) -> Self {
        let limit = |ms: Option<u64>| ms.filter(|ms| *ms > 0);
        Self {
            queue_ms: limit(self.queue_ms),
            start_ms: limit(self.start_ms),
            run_ms: limit(self.run_ms),
        }
    }

    /// These limits, with what Dagster's tags say of the run where they say nothing themselves.
    ///
    /// # Errors
    /// [`LimitsError::NoSeconds`] for a tag that is no number of seconds.
    pub fn with_tags(self, tags: &BTreeMap<String, String>) -> Result<Self, LimitsError> {
        let tag = RUN_TAGS
            .into_iter()
            .find_map(|key| Some((key, tags.get(key)?)));
        let Some((key, text)) = tag else {
            return Ok(self);
        };
        let tagged = seconds(text).ok_or_else(|| LimitsError::NoSeconds {
            tag: key,
            value: text.clone(),
        })?;
        Ok(Self {
            run_ms: self.run_ms.or(Some(tagged)),
            ..self
        })
    }
}

/// Milliseconds of a text such as `90` or `1.5`.
fn seconds(text: &str) -> Option<u64> {
    let seconds: f64 = text.trim().parse().ok()?;
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    let ms = (seconds * 1_000.0).ceil() as u64;
    Some(ms)
}

#[cfg(test)]
mod tests;
