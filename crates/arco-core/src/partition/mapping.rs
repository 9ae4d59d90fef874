//! Which parent partitions a child partition reads.

use serde::{Deserialize, Serialize};

use super::def::PartitionsDef;
use super::edge::PartitionEdge;
use super::error::MappingError;
use super::key::PartitionKey;
use crate::Timestamp;

#[cfg(test)]
mod tests;

/// A rule from child partitions to the parent partitions they read (statements P-26 to P-37).
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
            _ => Self::Identity,
        }
    }

    /// The parent partitions that `key` of `child` needs at `now`. `child` and `key` are `None` for
    /// an unpartitioned child.
    ///
    /// # Errors
    /// When the rule cannot join these definitions, or `key` is not of `child`.
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
        let upstream = edge.upstream(ordinal, now);
        Ok(Mapped {
            keys: parent.keys_in(upstream.ordinals).collect(),
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
        Ok(child.keys_in(edge.downstream(ordinal, now)).collect())
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
        }
    }
}
