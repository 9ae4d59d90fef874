//! Which parent partitions a child partition reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::custom::{CustomMapping, MappingAnswers};
use super::def::PartitionsDef;
use super::edge::{PartitionEdge, single_dimension};
use super::error::MappingError;
use super::key::PartitionKey;
use crate::{Digest, Timestamp};

#[cfg(test)]
mod tests;

/// A rule from child partitions to the parent partitions they read (statements P-26 to P-40).
///
/// A rule speaks of one child partition at a time; a set of children needs the union of what its
/// members need. (Dagster shifts merged windows, so its answer for a set may differ: P-33, D-29.)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Document", into = "Document")]
pub enum PartitionMapping {
    /// The same key.
    Identity,
    /// Every parent window that overlaps the child's window, shifted by whole child windows.
    TimeWindow {
        /// Shift of the child window's start.
        start_offset: i32,
        /// Shift of the child window's end.
        end_offset: i32,
        /// Whether overlapped parents that do not exist are simply not needed.
        allow_nonexistent_upstream_partitions: bool,
    },
    /// Every parent partition that exists.
    All,
    /// The last parent partition that exists.
    Last,
    /// These keys of the parent (P-28).
    Specific {
        /// In Dagster's text.
        keys: Vec<String>,
    },
    /// The pairs of static keys that are listed (P-29).
    Static {
        /// For each key of the parent the keys of the child that it feeds.
        downstream_keys_by_upstream_key: BTreeMap<String, Vec<String>>,
    },
    /// Between one dimension and several: the same key in one dimension, every key in the others (P-38).
    MultiToSingle {
        /// Which of the several; the one that fits when not given.
        dimension: Option<String>,
    },
    /// Between several dimensions and several, each by its own mapping; dimensions that are not named need
    /// every key (P-39).
    Multi {
        /// Each dimension of either side at most once.
        dimensions: Vec<DimensionMapping>,
    },
    /// What user code answers for each child key.
    Custom(CustomMapping),
}

/// How one dimension of the child reads one of the parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DimensionMapping {
    /// Name of the parent's dimension.
    pub upstream: String,
    /// Name of the child's dimension.
    pub downstream: String,
    /// The rule between them.
    pub mapping: PartitionMapping,
}

/// What a child partition needs of a parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapped {
    /// Parent partitions that exist, in the parent's order.
    pub keys: Vec<PartitionKey>,
    /// Parent partitions that are required and do not exist.
    pub nonexistent: Vec<PartitionKey>,
}

impl PartitionMapping {
    /// The rule used when a dependency gives none.
    #[must_use]
    pub fn infer(child: Option<&PartitionsDef>, parent: Option<&PartitionsDef>) -> Self {
        match (child, parent) {
            (Some(PartitionsDef::TimeWindow(_)), Some(PartitionsDef::TimeWindow(_))) => {
                Self::TimeWindow {
                    start_offset: 0,
                    end_offset: 0,
                    allow_nonexistent_upstream_partitions: false,
                }
            }
            (None, _) | (_, None) => Self::All,
            (Some(child), Some(parent)) if single_dimension(None, child, parent).is_ok() => {
                Self::MultiToSingle { dimension: None }
            }
            _ => Self::Identity,
        }
    }

    /// The mapping with what its code answered; itself when it has no code.
    #[must_use]
    pub fn resolved(&self, answers: &MappingAnswers) -> Self {
        match self {
            Self::Custom(custom) => Self::Custom(custom.with(answers.clone())),
            _ => self.clone(),
        }
    }

    /// The code that says it, if code does.
    #[must_use]
    pub fn custom(&self) -> Option<&CustomMapping> {
        match self {
            Self::Custom(custom) => Some(custom),
            _ => None,
        }
    }

    /// The parent partitions that `key` of `child` needs at `now`. `child` and `key` are `None` for
    /// an unpartitioned child.
    ///
    /// # Errors
    /// When the rule cannot join these definitions, `key` is not of `child`, or its code did not answer yet.
    pub fn upstream(
        &self,
        child: Option<&PartitionsDef>,
        key: Option<&PartitionKey>,
        parent: &PartitionsDef,
        now: Timestamp,
    ) -> Result<Mapped, MappingError> {
        let edge = PartitionEdge::new(self, child, parent)?;
        let ordinal = match (child, key) {
            (Some(child), Some(key)) => Some(child.require_known(key)?),
            _ => None,
        };
        if !edge.is_answered(ordinal) {
            return Err(MappingError::Unanswered {
                key: key.map_or_else(String::new, |key| key.display().into_owned()),
            });
        }
        let upstream = edge.upstream(ordinal, now);
        Ok(Mapped {
            keys: parent.keys_of(upstream.ordinals).collect(),
            nonexistent: upstream.nonexistent,
        })
    }

    /// The child partitions that exist at `now` and read `key` of `parent`.
    ///
    /// # Errors
    /// When the rule cannot join these definitions, or `key` is not of `parent`.
    pub fn downstream(
        &self,
        parent: &PartitionsDef,
        key: &PartitionKey,
        child: &PartitionsDef,
        now: Timestamp,
    ) -> Result<Vec<PartitionKey>, MappingError> {
        let edge = PartitionEdge::new(self, Some(child), parent)?;
        let ordinal = parent.require_known(key)?;
        Ok(child.keys_of(edge.downstream(ordinal, now)).collect())
    }

    /// Whether an unpartitioned child reads `key` of `parent` at `now`.
    #[must_use]
    pub fn feeds_unpartitioned(
        &self,
        parent: &PartitionsDef,
        key: &PartitionKey,
        now: Timestamp,
    ) -> bool {
        match self {
            Self::Last => parent.last_key(now).as_ref() == Some(key),
            Self::Specific { keys } => {
                parent.exists(key, now) && keys.iter().any(|text| *text == key.display())
            }
            _ => parent.exists(key, now),
        }
    }
}

/// The JSON of a mapping. Braces on every variant, because serde lets unknown fields pass on a tagged
/// variant without them.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Document {
    Identity {},
    TimeWindow {
        #[serde(default)]
        start_offset: i32,
        #[serde(default)]
        end_offset: i32,
        #[serde(default)]
        allow_nonexistent_upstream_partitions: bool,
    },
    All {},
    Last {},
    Specific {
        keys: Vec<String>,
    },
    Static {
        downstream_keys_by_upstream_key: BTreeMap<String, Vec<String>>,
    },
    MultiToSingle {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dimension: Option<String>,
    },
    Multi {
        dimensions: Vec<DimensionMapping>,
    },
    Custom {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<Digest>,
    },
}

impl From<Document> for PartitionMapping {
    fn from(document: Document) -> Self {
        match document {
            Document::Identity {} => Self::Identity,
            Document::TimeWindow {
                start_offset,
                end_offset,
                allow_nonexistent_upstream_partitions,
            } => Self::TimeWindow {
                start_offset,
                end_offset,
                allow_nonexistent_upstream_partitions,
            },
            Document::All {} => Self::All,
            Document::Last {} => Self::Last,
            Document::Specific { keys } => Self::Specific { keys },
            Document::Static {
                downstream_keys_by_upstream_key,
            } => Self::Static {
                downstream_keys_by_upstream_key,
            },
            Document::MultiToSingle { dimension } => Self::MultiToSingle { dimension },
            Document::Multi { dimensions } => Self::Multi { dimensions },
            Document::Custom { name, code } => Self::Custom(CustomMapping::new(name, code)),
        }
    }
}

impl From<PartitionMapping> for Document {
    fn from(mapping: PartitionMapping) -> Self {
        match mapping {
            PartitionMapping::Identity => Self::Identity {},
            PartitionMapping::TimeWindow {
                start_offset,
                end_offset,
                allow_nonexistent_upstream_partitions,
            } => Self::TimeWindow {
                start_offset,
                end_offset,
                allow_nonexistent_upstream_partitions,
            },
            PartitionMapping::All => Self::All {},
            PartitionMapping::Last => Self::Last {},
            PartitionMapping::Specific { keys } => Self::Specific { keys },
            PartitionMapping::Static {
                downstream_keys_by_upstream_key,
            } => Self::Static {
                downstream_keys_by_upstream_key,
            },
            PartitionMapping::MultiToSingle { dimension } => Self::MultiToSingle { dimension },
            PartitionMapping::Multi { dimensions } => Self::Multi { dimensions },
            PartitionMapping::Custom(custom) => Self::Custom {
                name: custom.name().to_owned(),
                code: custom.code(),
            },
        }
    }
}
