//! A mapping made ready for one pair of definitions.
//!
//! Every mapping sends one partition to a contiguous range of the other side, so an edge speaks in
//! ordinals and ranges, and a plan of a million partitions makes no million lists.

use std::ops::Range;

use super::def::PartitionsDef;
use super::error::MappingError;
use super::key::PartitionKey;
use super::mapping::PartitionMapping;
use super::window::TimeWindowPartitions;
use crate::Timestamp;

#[cfg(test)]
mod tests;

/// How partitions of a child and of a partitioned parent belong together. Made once per edge of the
/// asset graph; the child may be unpartitioned.
#[derive(Debug, Clone)]
pub struct PartitionEdge {
    child: Option<PartitionsDef>,
    parent: PartitionsDef,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    All,
    Last,
    /// One definition on both sides: the same ordinal.
    Same,
    Identity,
    Windows(Overlap),
}

/// What a child partition needs of the parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upstream {
    /// Parent partitions that exist.
    pub ordinals: Range<u64>,
    /// Parent partitions that are required and do not exist.
    pub nonexistent: Vec<PartitionKey>,
}

impl PartitionEdge {
    /// Joins two definitions by a mapping.
    ///
    /// # Errors
    /// When the mapping cannot join them (P-26, P-36).
    pub fn new(
        mapping: &PartitionMapping,
        child: Option<&PartitionsDef>,
        parent: &PartitionsDef,
    ) -> Result<Self, MappingError> {
        let rule = match mapping {
            PartitionMapping::All => Rule::All,
            PartitionMapping::Last => Rule::Last,
            PartitionMapping::Identity => match child {
                Some(child) if child == parent => Rule::Same,
                Some(child) if child.kind() == parent.kind() => Rule::Identity,
                _ => {
                    return Err(MappingError::NotIdentical {
                        child: child.map_or("no partitions", words),
                        parent: words(parent),
                    });
                }
            },
            PartitionMapping::TimeWindow {
                start_offset,
                end_offset,
                allow_nonexistent_upstream_partitions,
            } => Rule::Windows(Overlap::new(
                child,
                parent,
                i64::from(*start_offset),
                i64::from(*end_offset),
                *allow_nonexistent_upstream_partitions,
            )?),
        };
        Ok(Self {
            child: child.cloned(),
            parent: parent.clone(),
            rule,
        })
    }

    /// What the child partition with this ordinal needs at `now`; `None` asks for an unpartitioned
    /// child. The child partition itself need not exist yet.
    #[must_use]
    pub fn upstream(&self, child: Option<u64>, now: Timestamp) -> Upstream {
        let count = self.parent.count(now);
        let ordinals = match (&self.rule, child) {
            (Rule::Last, _) => count.saturating_sub(1)..count,
            (Rule::Same | Rule::Identity, Some(ordinal)) => return self.identical(ordinal, count),
            (Rule::Windows(overlap), Some(ordinal)) => return overlap.upstream(ordinal, now),
            (Rule::All, _) | (_, None) => 0..count,
        };
        Upstream {
            ordinals,
            nonexistent: Vec::new(),
        }
    }

    /// The child partitions that exist at `now` and read the parent partition with this ordinal.
    /// Empty for an unpartitioned child, which is not a partition.
    #[must_use]
    pub fn downstream(&self, parent: u64, now: Timestamp) -> Range<u64> {
        let Some(child) = &self.child else {
            return 0..0;
        };
        let existing = child.count(now);
        match &self.rule {
            Rule::All => 0..existing,
            Rule::Last if parent.checked_add(1) == Some(self.parent.count(now)) => 0..existing,
            Rule::Last => 0..0,
            Rule::Same => only(Some(parent), existing),
            Rule::Identity => {
                let key = self.parent.key_at(parent);
                only(key.and_then(|key| child.ordinal_of(&key)), existing)
            }
            Rule::Windows(overlap) => overlap.downstream(parent, existing),
        }
    }

    fn identical(&self, child: u64, count: u64) -> Upstream {
        let key = self.child.as_ref().and_then(|def| def.key_at(child));
        let ordinal = match &self.rule {
            Rule::Same => Some(child),
            _ => key.as_ref().and_then(|key| self.parent.ordinal_of(key)),
        };
        let ordinals = only(ordinal, count);
        Upstream {
            nonexistent: match key {
                Some(key) if ordinals.is_empty() => vec![key],
                _ => Vec::new(),
            },
            ordinals,
        }
    }
}

/// A range of one, if there is one below `count`.
fn only(ordinal: Option<u64>, count: u64) -> Range<u64> {
    match ordinal {
        Some(ordinal) if ordinal < count => ordinal..ordinal + 1,
        _ => 0..0,
    }
}

fn words(def: &PartitionsDef) -> &'static str {
    match def {
        PartitionsDef::Static(_) => "static partitions",
        PartitionsDef::TimeWindow(_) => "time windows",
    }
}

/// Overlap of windows (P-30 to P-37).
#[derive(Debug, Clone)]
struct Overlap {
    child: TimeWindowPartitions,
    parent: TimeWindowPartitions,
    /// Whether both sides have one row of windows, so that slots need no looking up.
    one_row: bool,
    start_offset: i64,
    end_offset: i64,
    allow_nonexistent: bool,
}

impl Overlap {
    fn new(
        child: Option<&PartitionsDef>,
        parent: &PartitionsDef,
        start_offset: i64,
        end_offset: i64,
        allow_nonexistent: bool,
    ) -> Result<Self, MappingError> {
        let not = |side, def: Option<&PartitionsDef>| MappingError::NotTimeWindows {
            side,
            has: def.map_or("no partitions", words),
        };
        let Some(PartitionsDef::TimeWindow(child)) = child else {
            return Err(not("child", child));
        };
        let PartitionsDef::TimeWindow(parent) = parent else {
            return Err(not("parent", Some(parent)));
        };
        if child.spec().timezone != parent.spec().timezone {
            return Err(MappingError::TimeZones {
                child: child.spec().timezone.clone(),
                parent: parent.spec().timezone.clone(),
            });
        }
        Ok(Self {
            one_row: child.series().same_as(parent.series()),
            child: child.clone(),
            parent: parent.clone(),
            start_offset,
            end_offset,
            allow_nonexistent,
        })
    }

    fn upstream(&self, ordinal: u64, now: Timestamp) -> Upstream {
        let slot = self.child.first().saturating_add_unsigned(ordinal);
        let first = self.parent.first();
        let after = first.saturating_add_unsigned(self.parent.count(now));
        let needed = self.needed(slot);
        let needed = self.clamped(needed, first..after);
        let existing = needed.start.max(first)..needed.end.min(after);
        let mut nonexistent = Vec::new();
        if !self.allow_nonexistent {
            let before = needed.start..needed.end.min(first);
            let beyond = needed.start.max(after)..needed.end;
            // Without any parent partition `after` is `first`, and the two do not meet.
            nonexistent.extend(before.chain(beyond).map(|slot| self.parent.key_of(slot)));
        }
        Upstream {
            ordinals: if existing.is_empty() {
                0..0
            } else {
                (existing.start - first).unsigned_abs()..(existing.end - first).unsigned_abs()
            },
            nonexistent,
        }
    }

    /// Parent slots that overlap the shifted window of a child slot.
    fn needed(&self, slot: i64) -> Range<i64> {
        let (from, to) = (slot + self.start_offset, slot + self.end_offset + 1);
        if self.one_row {
            return from..to;
        }
        let (child, parent) = (self.child.series(), self.parent.series());
        parent.floor(child.start(from))..parent.ceil(child.start(to))
    }

    /// A shift stops at the bounds of what the parent has (P-32), so that the first partition of an
    /// asset that reads its own past needs nothing. Slots and instants clamp alike, because the
    /// bounds are begins of windows.
    fn clamped(&self, needed: Range<i64>, parent: Range<i64>) -> Range<i64> {
        if parent.is_empty() {
            return needed;
        }
        let clamp = |slot: i64, offset: i64| match offset {
            0 => slot,
            ..0 => slot.max(parent.start),
            1.. => slot.min(parent.end),
        };
        clamp(needed.start, self.start_offset)..clamp(needed.end, self.end_offset)
    }

    fn downstream(&self, ordinal: u64, existing: u64) -> Range<u64> {
        let slot = self.parent.first().saturating_add_unsigned(ordinal);
        // A child slot c overlaps when c + start_offset begins before the parent window ends and
        // c + end_offset ends after it begins.
        let (first, last) = if self.one_row {
            (slot, slot)
        } else {
            let (child, parent) = (self.child.series(), self.parent.series());
            (
                child.floor(parent.start(slot)),
                child.ceil(parent.start(slot + 1)) - 1,
            )
        };
        let base = self.child.first();
        let from = first - self.end_offset - base;
        let to = last - self.start_offset + 1 - base;
        let from = u64::try_from(from).unwrap_or(0);
        let to = u64::try_from(to).unwrap_or(0).min(existing);
        if from < to { from..to } else { 0..0 }
    }
}
