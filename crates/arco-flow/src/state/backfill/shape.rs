//! The shape of a backfill, derived from its target once: members, chunks, and what reads what.

use std::ops::Range;

use arco_core::backfill::{BackfillTarget, TargetUnit};
use arco_core::partition::{
    MappingError, Ordinals, PartitionEdge, PartitionMapping, PartitionsDef,
};
use arco_core::{PartitionKey, Timestamp};

/// Ordinals numbered in order: member n is the n-th of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    ranges: Vec<Range<u64>>,
    /// Members before each range.
    before: Vec<u32>,
    count: u32,
}

impl Members {
    fn new(ordinals: &Ordinals) -> Self {
        let mut before = Vec::with_capacity(ordinals.ranges().len());
        let mut count = 0_u32;
        for range in ordinals.ranges() {
            before.push(count);
            let len = u32::try_from(range.end - range.start).unwrap_or(u32::MAX);
            count = count.saturating_add(len);
        }
        Self {
            ranges: ordinals.ranges().to_vec(),
            before,
            count,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The ordinal of a member.
    #[must_use]
    pub fn ordinal(&self, member: u32) -> Option<u64> {
        let at = self.before.partition_point(|before| *before <= member);
        let at = at.checked_sub(1)?;
        let ordinal = self.ranges[at].start + u64::from(member - self.before[at]);
        self.ranges[at].contains(&ordinal).then_some(ordinal)
    }

    /// The member with an ordinal.
    #[must_use]
    pub fn member(&self, ordinal: u64) -> Option<u32> {
        let at = self.ranges.partition_point(|range| range.end <= ordinal);
        let range = self
            .ranges
            .get(at)
            .filter(|range| range.contains(&ordinal))?;
        Some(self.before[at] + u32::try_from(ordinal - range.start).ok()?)
    }

    /// The members with ordinals in a range.
    pub fn within(&self, ordinals: Range<u64>) -> impl Iterator<Item = Range<u32>> + '_ {
        let first = self
            .ranges
            .partition_point(|range| range.end <= ordinals.start);
        let theirs = self.ranges[first..].iter().zip(&self.before[first..]);
        theirs
            .take_while({
                let end = ordinals.end;
                move |(range, _)| range.start < end
            })
            .map(move |(range, before)| {
                let from = range.start.max(ordinals.start) - range.start;
                let to = range.end.min(ordinals.end) - range.start;
                let at = |n: u64| before + u32::try_from(n).unwrap_or(u32::MAX);
                at(from)..at(to)
            })
    }

    /// The ordinals of some members.
    #[must_use]
    pub fn ordinals(&self, members: impl IntoIterator<Item = u32>) -> Ordinals {
        let ordinals = members.into_iter().filter_map(|n| self.ordinal(n));
        ordinals.collect()
    }
}

/// What a unit reads of another, or of itself.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub(super) unit: usize,
    /// Which of its assets, by number; none for all of them.
    pub(super) assets: Vec<u32>,
    /// `None` when the parent has no partitions.
    pub(super) edge: Option<PartitionEdge>,
    /// Every partition of the child reads all of the parent.
    pub(super) reads_all: bool,
}

/// One unit, made ready for questions.
#[derive(Debug, Clone)]
pub struct UnitShape {
    /// The definition; `None` for assets without partitions.
    pub def: Option<PartitionsDef>,
    /// Its partitions; of a unit without partitions it has no ordinals and one member.
    pub members: Members,
    /// Members of a chunk.
    pub chunk_size: u32,
    /// The number of its first chunk.
    pub first_chunk: u64,
    pub(super) needs: Vec<Need>,
    /// (unit, place among its needs) that reads this one.
    pub(super) readers: Vec<(usize, usize)>,
}

impl UnitShape {
    /// How many members it has.
    #[must_use]
    pub fn count(&self) -> u32 {
        match self.def {
            Some(_) => self.members.count(),
            None => 1,
        }
    }

    /// Whether it reads nothing of the target.
    #[must_use]
    pub fn needs_nothing(&self) -> bool {
        self.needs.is_empty()
    }

    /// How many chunks it has.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        self.count().div_ceil(self.chunk_size.max(1))
    }

    /// The chunk of a member, within the unit.
    #[must_use]
    pub fn chunk_of(&self, member: u32) -> u32 {
        member / self.chunk_size.max(1)
    }

    /// The members of a chunk of the unit.
    #[must_use]
    pub fn members_of(&self, chunk: u32) -> Range<u32> {
        let size = self.chunk_size.max(1);
        let from = chunk.saturating_mul(size);
        from..from.saturating_add(size).min(self.count())
    }

    /// The key of a member; `None` for a unit without partitions.
    #[must_use]
    pub fn key(&self, member: u32) -> Option<PartitionKey> {
        let def = self.def.as_ref()?;
        def.key_at(self.members.ordinal(member)?)
    }

    /// The member with a key; member 0 of a unit without partitions.
    #[must_use]
    pub fn member(&self, key: Option<&PartitionKey>) -> Option<u32> {
        match (&self.def, key) {
            (None, None) => Some(0),
            (Some(def), Some(key)) => self.members.member(def.ordinal_of(key)?),
            _ => None,
        }
    }
}

/// All units of a backfill.
#[derive(Debug, Clone)]
pub struct Shape {
    /// When the target was worked out.
    pub now: Timestamp,
    /// The units.
    pub units: Vec<UnitShape>,
}

impl Shape {
    /// Derives it.
    ///
    /// # Errors
    /// When a mapping cannot join the definitions of its units.
    pub fn of(target: &BackfillTarget) -> Result<Self, MappingError> {
        let def = |unit: &TargetUnit| {
            let def = unit.partitions.as_ref()?;
            Some(def.resolved(&target.sets).into_owned())
        };
        let defs: Vec<Option<PartitionsDef>> = target.units.iter().map(def).collect();
        let mut units: Vec<UnitShape> = Vec::with_capacity(target.units.len());
        let mut first_chunk = 0;
        for (at, unit) in target.units.iter().enumerate() {
            let mut needs = Vec::with_capacity(unit.needs.len());
            for need in &unit.needs {
                let parent = need.unit as usize;
                let edge = match (&need.mapping, defs.get(parent).and_then(Option::as_ref)) {
                    (Some(mapping), Some(def)) => {
                        let mapping = mapping.resolved(&need.answers);
                        Some(PartitionEdge::new(&mapping, defs[at].as_ref(), def)?)
                    }
                    _ => None,
                };
                let reads_all = defs[at].is_none() || need.mapping == Some(PartitionMapping::All);
                needs.push(Need {
                    unit: parent,
                    assets: need.assets.clone(),
                    reads_all: edge.is_none() || reads_all && !is_part(need.mapping.as_ref()),
                    edge,
                });
            }
            let shape = UnitShape {
                def: defs[at].clone(),
                members: Members::new(&unit.members),
                chunk_size: unit.chunk_size.max(1),
                first_chunk,
                needs,
                readers: Vec::new(),
            };
            first_chunk += u64::from(shape.chunks());
            units.push(shape);
        }
        for at in 0..units.len() {
            for place in 0..units[at].needs.len() {
                let parent = units[at].needs[place].unit;
                if let Some(parent) = units.get_mut(parent) {
                    parent.readers.push((at, place));
                }
            }
        }
        Ok(Self {
            now: target.now,
            units,
        })
    }

    /// How many chunks there are: their numbers are 0 to this.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.units
            .last()
            .map_or(0, |unit| unit.first_chunk + u64::from(unit.chunks()))
    }

    /// The unit of a chunk, and the chunk's number within it.
    #[must_use]
    pub fn place(&self, chunk: u64) -> Option<(usize, u32)> {
        let after = self.units.partition_point(|unit| unit.first_chunk <= chunk);
        // Units without members have no chunks, and begin where the next one does.
        let at = (0..after).rev().find(|at| self.units[*at].chunks() > 0)?;
        let within = u32::try_from(chunk - self.units[at].first_chunk).ok()?;
        (within < self.units[at].chunks()).then_some((at, within))
    }

    /// The number of a chunk of a unit.
    #[must_use]
    pub fn number(&self, unit: usize, chunk: u32) -> u64 {
        self.units[unit].first_chunk + u64::from(chunk)
    }

    /// How many partitions there are, those of units without partitions counted as one.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.units.iter().map(|unit| u64::from(unit.count())).sum()
    }
}

/// Whether a mapping of an asset without partitions reads a part of its parent.
fn is_part(mapping: Option<&PartitionMapping>) -> bool {
    matches!(
        mapping,
        Some(PartitionMapping::Last | PartitionMapping::Specific { .. })
    )
}
