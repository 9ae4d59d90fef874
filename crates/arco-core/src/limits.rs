//! How much may go on at once, and for how long: settings of a workspace.
//!
//! A run takes a slot of every limit that speaks of it, from its first lease to its end; a task takes
//! a slot of its pool while an attempt of it is alive (R-6..R-9, R-14, R-15;
//! `docs/adr/0012-admission.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

mod times;

pub use times::TimeLimits;

/// Rules a workspace may have: each is looked at for every run.
const RULES_MAX: usize = 1_000;

/// The limits of a workspace. What is absent is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Runs under way at once; 0 starts none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u32>,
    /// Limits on runs by their tags. All that speak of a run must have room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<TagLimit>,
    /// Limits of pools, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<String, PoolLimit>,
    /// Limit of each pool that is not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_default: Option<PoolLimit>,
    /// How long each run may wait and go on, unless it says otherwise.
    #[serde(default, skip_serializing_if = "TimeLimits::is_empty")]
    pub times: TimeLimits,
}

/// Runs with a tag that may be under way at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TagLimit {
    /// The tag's key.
    pub key: String,
    /// Only runs with this value; all values together when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// For each value by itself. Not together with `value`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub per_value: bool,
    /// Slots.
    pub limit: u32,
}

/// Slots of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PoolLimit {
    /// Slots.
    pub limit: u32,
    /// What takes a slot.
    #[serde(default)]
    pub granularity: Granularity,
}

/// What takes a slot of a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// Each task, while an attempt of it is alive.
    #[default]
    Task,
    /// Each run that has a task of the pool, from its first lease to its end.
    Run,
}

/// A limit of which a run takes a slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunLimit {
    /// All runs.
    Runs,
    /// Runs with a tag of this key.
    Tag(String),
    /// Runs with this tag.
    TagValue(String, String),
    /// Runs with a task of this pool.
    Pool(String),
}

impl fmt::Display for RunLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runs => f.write_str("runs"),
            Self::Tag(key) => write!(f, "tag {key}"),
            Self::TagValue(key, value) => write!(f, "tag {key}={value}"),
            Self::Pool(pool) => write!(f, "pool {pool}"),
        }
    }
}

/// Limits that do not hold together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LimitsError {
    /// Two rules for the same runs.
    #[error("there are two limits for tag `{0}`; give one")]
    Twice(String),
    /// One value, and each value.
    #[error(
        "the limit for tag `{key}` has a value (`{value}`) and `per_value`; give one of the two"
    )]
    ValueAndEach {
        /// The tag's key.
        key: String,
        /// Its value.
        value: String,
    },
    /// No name.
    #[error("a limit has an empty {0}; name it")]
    Nameless(&'static str),
    /// A tag that should be a number.
    #[error("tag `{tag}` is `{value}`, which is no number of seconds; write `3600` for an hour")]
    NoSeconds {
        /// The tag's key.
        tag: &'static str,
        /// What was given.
        value: String,
    },
    /// Too many rules.
    #[error(
        "there are {0} limits, a workspace may have at most {RULES_MAX}; use `per_value` for tags or `pool_default` for pools"
    )]
    TooMany(usize),
}

impl Limits {
    /// Says what is wrong with them.
    ///
    /// # Errors
    /// [`LimitsError`].
    pub fn check(&self) -> Result<(), LimitsError> {
        let count = self.tags.len() + self.pools.len();
        if count > RULES_MAX {
            return Err(LimitsError::TooMany(count));
        }
        if self.pools.keys().any(String::is_empty) {
            return Err(LimitsError::Nameless("pool"));
        }
        let mut seen = BTreeSet::new();
        for rule in &self.tags {
            if rule.key.is_empty() {
                return Err(LimitsError::Nameless("tag key"));
            }
            if let (Some(value), true) = (&rule.value, rule.per_value) {
                let (key, value) = (rule.key.clone(), value.clone());
                return Err(LimitsError::ValueAndEach { key, value });
            }
            if !seen.insert((&rule.key, &rule.value, rule.per_value)) {
                let value = rule.value.as_ref().map(|value| format!("={value}"));
                let name = format!("{}{}", rule.key, value.unwrap_or_default());
                return Err(LimitsError::Twice(name));
            }
        }
        Ok(())
    }

    /// The limit of a pool; none when it has no limit.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<PoolLimit> {
        self.pools.get(name).copied().or(self.pool_default)
    }

    /// The slots of a pool that its tasks take; none when they take none.
    #[must_use]
    pub fn task_pool(&self, name: &str) -> Option<u32> {
        let pool = self.pool(name)?;
        (pool.granularity == Granularity::Task).then_some(pool.limit)
    }

    /// The limits of which a run with these tags and pools takes a slot, sorted.
    #[must_use]
    pub fn of_run<'a>(
        &self,
        tags: &BTreeMap<String, String>,
        pools: impl IntoIterator<Item = &'a str>,
    ) -> Vec<RunLimit> {
        let mut out = BTreeSet::new();
        if self.runs.is_some() {
            out.insert(RunLimit::Runs);
        }
        for rule in &self.tags {
            match (tags.get(&rule.key), &rule.value) {
                (Some(_), None) if !rule.per_value => {
                    out.insert(RunLimit::Tag(rule.key.clone()));
                }
                (Some(value), wanted) if wanted.as_ref().is_none_or(|wanted| wanted == value) => {
                    out.insert(RunLimit::TagValue(rule.key.clone(), value.clone()));
                }
                _ => {}
            }
        }
        for pool in pools {
            let limit = self.pool(pool);
            if limit.is_some_and(|pool| pool.granularity == Granularity::Run) {
                out.insert(RunLimit::Pool(pool.to_owned()));
            }
        }
        out.into_iter().collect()
    }

    /// The slots of a limit; the least where several rules say something.
    #[must_use]
    pub fn slots(&self, of: &RunLimit) -> u32 {
        let tags = |matches: &dyn Fn(&TagLimit) -> bool| {
            let rules = self.tags.iter().filter(|rule| matches(rule));
            rules.map(|rule| rule.limit).min()
        };
        let slots = match of {
            RunLimit::Runs => self.runs,
            RunLimit::Tag(key) => {
                tags(&|rule| rule.key == *key && rule.value.is_none() && !rule.per_value)
            }
            RunLimit::TagValue(key, value) => tags(&|rule| {
                rule.key == *key && (rule.per_value || rule.value.as_ref() == Some(value))
            }),
            RunLimit::Pool(pool) => self.pool(pool).map(|pool| pool.limit),
        };
        slots.unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
