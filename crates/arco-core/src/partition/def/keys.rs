//! Keys of a definition, one at a time.

use super::{Ordinals, PartitionKey, PartitionsDef};

/// Keys of a definition, in order, made one at a time.
#[derive(Debug, Clone)]
pub struct Keys<'a> {
    def: &'a PartitionsDef,
    ordinals: Ordinals,
    /// Range and ordinal of the next one.
    front: (usize, u64),
    /// How many are still to come.
    left: u64,
}

impl<'a> Keys<'a> {
    pub(super) fn new(def: &'a PartitionsDef, ordinals: Ordinals) -> Self {
        Self {
            def,
            front: (0, ordinals.first().unwrap_or(0)),
            left: ordinals.len(),
            ordinals,
        }
    }

    /// All the ordinals, from the first one on.
    #[must_use]
    pub fn ordinals(&self) -> &Ordinals {
        &self.ordinals
    }

    /// The next ordinal, and the one after it made ready.
    fn advance(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        let (range, ordinal) = self.front;
        let ranges = self.ordinals.ranges();
        self.front = match ranges.get(range) {
            Some(current) if ordinal + 1 < current.end => (range, ordinal + 1),
            _ => (
                range + 1,
                ranges.get(range + 1).map_or(0, |next| next.start),
            ),
        };
        Some(ordinal)
    }
}

impl Iterator for Keys<'_> {
    type Item = PartitionKey;

    fn next(&mut self) -> Option<PartitionKey> {
        self.advance().and_then(|ordinal| self.def.key_at(ordinal))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Keys<'_> {}
