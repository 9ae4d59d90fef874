//! Windows of the parent that overlap a window of the child (P-30 to P-37).

use std::ops::Range;

use super::{Upstream, words};
use crate::Timestamp;
use crate::partition::def::PartitionsDef;
use crate::partition::error::MappingError;
use crate::partition::ordinals::Ordinals;
use crate::partition::window::TimeWindowPartitions;

/// Overlap of windows. An offset moves a window of the child by whole windows of the child, those that
/// are left out not counted; windows of the parent that are left out are not needed (P-35).
#[derive(Debug, Clone)]
pub(super) struct Overlap {
    child: TimeWindowPartitions,
    parent: TimeWindowPartitions,
    /// Whether both sides have one row of windows, so that slots need no looking up.
    pub(super) one_row: bool,
    start_offset: i64,
    end_offset: i64,
    allow_nonexistent: bool,
}

impl Overlap {
    pub(super) fn new(
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
            one_row: child.series().same_as(parent.series()) && !child.has_exclusions(),
            child: child.clone(),
            parent: parent.clone(),
            start_offset,
            end_offset,
            allow_nonexistent,
        })
    }

    pub(super) fn upstream(&self, ordinal: u64, now: Timestamp) -> Upstream {
        let parent = &self.parent;
        let first = parent.first();
        let after = self.after(now);
        let needed = self.needed(i64::try_from(ordinal).unwrap_or(i64::MAX));
        let needed = self.clamped(needed, first..after);
        let existing = needed.start.max(first)..needed.end.min(after);
        let mut nonexistent = Vec::new();
        if !self.allow_nonexistent {
            let before = needed.start..needed.end.min(first);
            let beyond = needed.start.max(after)..needed.end;
            // Without any parent partition `after` is `first`, and the two do not meet.
            let slots = before
                .chain(beyond)
                .filter(|slot| !parent.is_excluded(*slot));
            nonexistent.extend(slots.map(|slot| parent.key_of(slot)));
        }
        Upstream {
            ordinals: match existing.is_empty() {
                true => Ordinals::default(),
                false => Ordinals::from(
                    parent.rank(existing.start).unsigned_abs()
                        ..parent.rank(existing.end).unsigned_abs(),
                ),
            },
            nonexistent,
        }
    }

    /// The slot after the last window of the parent that exists.
    fn after(&self, now: Timestamp) -> i64 {
        match i64::try_from(self.parent.count(now)) {
            Ok(count @ 1..) => self.parent.slot(count - 1) + 1,
            _ => self.parent.first(),
        }
    }

    /// Parent slots that overlap the shifted window of a child partition.
    fn needed(&self, ordinal: i64) -> Range<i64> {
        if self.one_row {
            let slot = self.child.slot(ordinal);
            return slot + self.start_offset..slot + self.end_offset + 1;
        }
        let parent = self.parent.series();
        parent.floor(self.begin(ordinal))..parent.ceil(self.finish(ordinal))
    }

    /// Where the shifted window of a child partition begins. Windows that are left out lie between the end
    /// of one window and the begin of the next: a shift forwards ends at an end, one backwards at a begin.
    fn begin(&self, ordinal: i64) -> i64 {
        match self.start_offset {
            1.. => self.child.finish(ordinal + self.start_offset - 1),
            _ => self.child.begin(ordinal + self.start_offset),
        }
    }

    /// Where it ends.
    fn finish(&self, ordinal: i64) -> i64 {
        match self.end_offset {
            ..0 => self.child.begin(ordinal + self.end_offset + 1),
            _ => self.child.finish(ordinal + self.end_offset),
        }
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

    pub(super) fn downstream(&self, ordinal: u64, existing: u64) -> Range<u64> {
        let slot = self.parent.slot(i64::try_from(ordinal).unwrap_or(i64::MAX));
        let (from, to) = if self.one_row {
            let base = self.child.first();
            (
                slot - self.end_offset - base,
                slot - self.start_offset + 1 - base,
            )
        } else {
            // A child overlaps when its shifted window ends after the parent's begins, and begins
            // before that ends. Both grow with the child.
            let begin = self.parent.series().start(slot);
            let end = self.parent.series().start(slot + 1);
            let existing = i64::try_from(existing).unwrap_or(i64::MAX);
            (
                first_where(existing, |child| self.finish(child) > begin),
                first_where(existing, |child| self.begin(child) >= end),
            )
        };
        let from = u64::try_from(from).unwrap_or(0);
        let to = u64::try_from(to).unwrap_or(0).min(existing);
        if from < to { from..to } else { 0..0 }
    }
}

/// The first of `0..end` for which something holds that holds for all after it; `end` when for none.
fn first_where(end: i64, holds: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}
