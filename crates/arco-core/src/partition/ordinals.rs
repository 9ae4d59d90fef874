//! Sets of ordinals as ranges.
//!
//! What a mapping answers is mostly one range, whatever its length; with several dimensions it is a
//! few. So a plan of a million partitions makes no million lists.

use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(test)]
mod tests;

/// A set of ordinals: ranges in order, none of them empty, no two of them touching.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ordinals {
    ranges: Vec<Range<u64>>,
}

impl Ordinals {
    /// The set with one ordinal.
    #[must_use]
    pub fn one(ordinal: u64) -> Self {
        Self::from(ordinal..ordinal.saturating_add(1))
    }

    /// The ranges, in order.
    #[must_use]
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The least one.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.ranges.first().map(|range| range.start)
    }

    /// The greatest one.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.ranges.last().map(|range| range.end - 1)
    }

    /// Whether `ordinal` is one of them.
    #[must_use]
    pub fn contains(&self, ordinal: u64) -> bool {
        let after = self.ranges.partition_point(|range| range.end <= ordinal);
        self.ranges
            .get(after)
            .is_some_and(|range| range.contains(&ordinal))
    }

    /// Adds a range that begins at or after the last one's start: the quick way to build a set in
    /// order.
    pub fn push(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        match self.ranges.last_mut() {
            Some(last) if range.start <= last.end => {
                debug_assert!(last.start <= range.start, "ranges are pushed in order");
                last.end = last.end.max(range.end);
            }
            _ => self.ranges.push(range),
        }
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all: Vec<Range<u64>> = self.ranges.iter().chain(&other.ranges).cloned().collect();
        all.sort_by_key(|range| range.start);
        let mut out = Self::default();
        all.into_iter().for_each(|range| out.push(range));
        out
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut out = Self::default();
        let (mut a, mut b) = (
            self.ranges.iter().peekable(),
            other.ranges.iter().peekable(),
        );
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            out.push(x.start.max(y.start)..x.end.min(y.end));
            if x.end <= y.end {
                a.next();
            } else {
                b.next();
            }
        }
        out
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut out = Self::default();
        let mut others = other.ranges.iter().peekable();
        for range in &self.ranges {
            let mut from = range.start;
            while others.next_if(|next| next.end <= from).is_some() {}
            while let Some(next) = others.peek()
                && next.start < range.end
            {
                out.push(from..next.start.max(from));
                from = next.end;
                if next.end > range.end {
                    // The next range may need it too.
                    break;
                }
                others.next();
            }
            out.push(from..range.end.max(from));
        }
        out
    }

    /// Them, in order, from either end.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.ranges.iter().cloned().flatten()
    }
}

impl From<Range<u64>> for Ordinals {
    fn from(range: Range<u64>) -> Self {
        let mut out = Self::default();
        out.push(range);
        out
    }
}

/// Gap and length of each range in turn: `[0, 31]`, `[2, 29, 1, 5]`. A million in a row are two numbers.
impl Serialize for Ordinals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut last = 0;
        let numbers = self.ranges.iter().flat_map(|range| {
            let gap = range.start - last;
            last = range.end;
            [gap, range.end - range.start]
        });
        serializer.collect_seq(numbers.collect::<Vec<u64>>())
    }
}

impl<'de> Deserialize<'de> for Ordinals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers = Vec::<u64>::deserialize(deserializer)?;
        let mut out = Self::default();
        let mut at = 0_u64;
        for pair in numbers.chunks(2) {
            let end = |start: u64| start.checked_add(*pair.get(1)?);
            let Some((start, end)) = at.checked_add(pair[0]).and_then(|s| Some((s, end(s)?)))
            else {
                return Err(serde::de::Error::custom(
                    "ordinals are pairs of a gap and a length, below 2^64",
                ));
            };
            out.push(start..end);
            at = end;
        }
        Ok(out)
    }
}

/// From any order, with repeats.
impl FromIterator<u64> for Ordinals {
    fn from_iter<I: IntoIterator<Item = u64>>(ordinals: I) -> Self {
        let mut all: Vec<u64> = ordinals.into_iter().collect();
        all.sort_unstable();
        let mut out = Self::default();
        for ordinal in all {
            out.push(ordinal..ordinal.saturating_add(1));
        }
        out
    }
}

/// From any order, overlapping or not.
impl FromIterator<Range<u64>> for Ordinals {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        let mut all: Vec<Range<u64>> = ranges.into_iter().collect();
        all.sort_unstable_by_key(|range| range.start);
        let mut out = Self::default();
        all.into_iter().for_each(|range| out.push(range));
        out
    }
}
