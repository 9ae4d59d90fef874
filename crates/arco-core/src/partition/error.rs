//! Why partitions, keys and mappings are refused. Each message carries the mend.

use std::fmt;

use thiserror::Error;

/// A partitions definition that cannot stand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PartitionsError(pub(super) String);

/// A partition key that is not one, or not one of a definition.
///
/// `Display` speaks of the key alone; [`PartitionKeyError::of`] names the asset too.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct PartitionKeyError {
    key: String,
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    Canonical(String),
    NotADate {
        noun: &'static str,
        example: String,
    },
    NotAStart {
        noun: &'static str,
        near: String,
    },
    NotListed {
        count: usize,
        near: Option<String>,
    },
    Foreign {
        noun: &'static str,
        example: String,
    },
    BeforeFirst {
        first: String,
    },
    AfterLast {
        last: String,
    },
    NotYet {
        until: String,
    },
    Excluded,
    NotInSet {
        set: String,
        near: Option<String>,
    },
    NotDimensions {
        names: String,
        example: String,
    },
    Within {
        dimension: String,
        why: Box<PartitionKeyError>,
    },
    TwoDots,
    Reversed,
    Unwritable(String),
}

impl PartitionKeyError {
    pub(super) fn new(key: &str, reason: Reason) -> Self {
        Self {
            key: key.into(),
            reason,
        }
    }

    pub(super) fn canonical(key: &str, why: &str) -> Self {
        Self::new(key, Reason::Canonical(why.into()))
    }

    /// The error of one dimension, as that of the whole key.
    #[must_use]
    pub fn within(self, key: &str, dimension: &str) -> Self {
        Self::new(
            key,
            Reason::Within {
                dimension: dimension.into(),
                why: Box::new(self),
            },
        )
    }

    /// The key as it was given.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the key is well formed and its partition will exist one day: wait, or ask for an
    /// earlier one.
    #[must_use]
    pub fn is_not_yet(&self) -> bool {
        match &self.reason {
            Reason::NotYet { .. } => true,
            Reason::Within { why, .. } => why.is_not_yet(),
            _ => false,
        }
    }

    /// Whether the key is written as those of its definition are, and lies beyond what this has.
    pub(super) fn is_beyond(&self) -> bool {
        matches!(
            self.reason,
            Reason::BeforeFirst { .. } | Reason::AfterLast { .. } | Reason::Excluded
        )
    }

    /// The message with the asset in it: *partition `2024-13-01` of `raw/events` is not a date; …*.
    #[must_use]
    pub fn of(&self, asset: &str) -> String {
        self.sentence(&format!(" of `{asset}`"))
    }

    fn sentence(&self, of: &str) -> String {
        let key = &self.key;
        let what = match &self.reason {
            Reason::Canonical(why) => {
                return format!(
                    "`{key}` is not the identity of a partition: {why}; it looks like `_=d:2024-01-31`"
                );
            }
            Reason::TwoDots => {
                return format!(
                    "`{key}` is no partition{of}; a range is written FIRST...LAST, with three dots"
                );
            }
            Reason::Reversed => {
                return format!("range `{key}`{of} ends before it begins; write FIRST...LAST");
            }
            Reason::NotADate { noun, example } => {
                format!("is not a date; {noun} partitions look like `{example}`")
            }
            Reason::NotAStart { noun, near } => {
                let article = if *noun == "hourly" { "an" } else { "a" };
                format!("is not the key of {article} {noun} partition; did you mean `{near}`?")
            }
            Reason::NotListed { count, near: None } => format!("is not one of its {count} keys"),
            Reason::NotListed {
                count,
                near: Some(near),
            } => format!("is not one of its {count} keys; did you mean `{near}`?"),
            Reason::Foreign { noun, example } => {
                format!("is of another kind; {noun} partitions look like `{example}`")
            }
            Reason::BeforeFirst { first } => format!("is before the first partition `{first}`"),
            Reason::AfterLast { last } => format!("is after the last partition `{last}`"),
            Reason::Unwritable(why) => format!("cannot be: {why}"),
            Reason::Excluded => "is left out by the exclusions of its definition".into(),
            Reason::NotInSet { set, near: None } => format!(
                "is not in the dynamic partitions `{set}`; `arco partitions add {set} KEY` adds one"
            ),
            Reason::NotInSet {
                set,
                near: Some(near),
            } => format!("is not in the dynamic partitions `{set}`; did you mean `{near}`?"),
            Reason::NotDimensions { names, example } => {
                format!("does not have the dimensions {names}; it looks like `{example}`")
            }
            Reason::Within { dimension, why } => {
                return format!(
                    "partition `{key}`{of} cannot be: in dimension `{dimension}`, {}",
                    why.sentence("")
                );
            }
            Reason::NotYet { until } => {
                format!("does not exist yet; its window ends at {until}")
            }
        };
        format!("partition `{key}`{of} {what}")
    }
}

impl fmt::Display for PartitionKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence(""))
    }
}

/// A mapping that cannot join two definitions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MappingError {
    /// The time zones differ (P-36).
    #[error(
        "a time window mapping needs one time zone on both sides; the child has `{child}`, the \
         parent `{parent}`; give both the same `timezone=`"
    )]
    TimeZones {
        /// Zone of the child.
        child: String,
        /// Zone of the parent.
        parent: String,
    },
    /// A time window mapping with something else than time windows.
    #[error(
        "a time window mapping needs time windows on both sides; the {side} has {has}; use \
         another mapping, such as `AllPartitionMapping`"
    )]
    NotTimeWindows {
        /// `child` or `parent`.
        side: &'static str,
        /// What it has.
        has: &'static str,
    },
    /// Code that says it did not answer yet.
    #[error("the mapping was not asked for `{key}` yet; try again in a moment")]
    Unanswered {
        /// The key of the child, as people write it.
        key: String,
    },
    /// An identity between keys that can never be the same (P-26).
    #[error(
        "an identity mapping needs the same kind of partitions on both sides; the child has \
         {child}, the parent {parent}; use another mapping, such as `AllPartitionMapping`"
    )]
    NotIdentical {
        /// What the child has.
        child: &'static str,
        /// What the parent has.
        parent: &'static str,
    },
    /// A mapping that speaks of keys, dimensions or kinds that the definitions do not have.
    #[error("{0}")]
    Unfit(String),
    /// The key asked about is not of its definition.
    #[error(transparent)]
    Key(#[from] PartitionKeyError),
}
