//! Partitions of several dimensions (P-20 to P-22), any number of them (D-31).
//!
//! The ordinals of the dimensions are **coordinates**. The ordinal of a partition is its coordinates in
//! mixed radix, the first dimension (by name) outermost, each dimension numbered with room for all it
//! will ever have. So an ordinal keeps its meaning as time goes on, the order is Dagster's, and what
//! exists is a product of ranges: a few ranges, where dimensions are full.

use std::sync::Arc;

use super::def::PartitionsDef;
use super::dynamic_def::DynamicSets;
use super::error::{PartitionKeyError, PartitionsError, Reason};
use super::key::{PartitionKey, PartitionValue};
use super::ordinals::Ordinals;
use crate::Timestamp;

#[cfg(test)]
mod tests;

/// Partitions of several dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiPartitions {
    /// By name.
    dimensions: Arc<[Dimension]>,
}

/// One of several dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// Its name: letters, digits and underscores.
    pub name: String,
    /// Its partitions, of one dimension.
    pub def: PartitionsDef,
    /// How far apart the ordinals of two neighbours are.
    stride: u64,
}

impl MultiPartitions {
    pub(super) fn new(dimensions: Vec<(String, PartitionsDef)>) -> Result<Self, PartitionsError> {
        if dimensions.is_empty() {
            return Err(PartitionsError(
                "multi-partitions have no dimension; give each a name and a definition".into(),
            ));
        }
        let mut sorted = dimensions;
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        for pair in sorted.windows(2) {
            if pair[0].0 == pair[1].0 {
                return Err(PartitionsError(format!(
                    "dimension `{}` is given twice; names of dimensions are unique",
                    pair[0].0
                )));
            }
        }
        sorted.iter().try_for_each(|(name, def)| check(name, def))?;
        let mut stride = 1_u64;
        let mut out = Vec::with_capacity(sorted.len());
        for (name, def) in sorted.into_iter().rev() {
            let room = def.most().max(1);
            out.push(Dimension { name, def, stride });
            stride = stride
                .checked_mul(room)
                .filter(|all| *all <= i64::MAX.unsigned_abs())
                .ok_or_else(|| {
                    PartitionsError(
                        "the dimensions have more partitions in all than can be numbered; give \
                         those of time an `end`"
                            .into(),
                    )
                })?;
        }
        out.reverse();
        Ok(Self {
            dimensions: out.into(),
        })
    }

    /// The dimensions, by name, which is the order of the values in a key.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// Where a dimension stands among them.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.dimensions
            .iter()
            .position(|dimension| dimension.name == name)
    }

    pub(super) fn with_keys(&self, sets: &DynamicSets) -> Self {
        let resolved = |dimension: &Dimension| Dimension {
            def: dimension.def.resolved(sets).into_owned(),
            ..dimension.clone()
        };
        Self {
            dimensions: self.dimensions.iter().map(resolved).collect(),
        }
    }

    pub(super) fn most(&self) -> u64 {
        let first = &self.dimensions[0];
        first.stride * first.def.most()
    }

    pub(super) fn count(&self, now: Timestamp) -> u64 {
        let counts = self
            .dimensions
            .iter()
            .map(|dimension| dimension.def.count(now));
        counts.product()
    }

    pub(super) fn existing(&self, now: Timestamp) -> Ordinals {
        let all: Vec<Ordinals> = self
            .dimensions
            .iter()
            .map(|dimension| dimension.def.existing(now))
            .collect();
        self.product(&all)
    }

    /// The combinations of what each dimension has, and has after the next windows.
    pub(super) fn existing_soon(&self, now: Timestamp, windows: u64) -> Ordinals {
        let of_each: Vec<Ordinals> = self
            .dimensions
            .iter()
            .map(|dimension| dimension.def.existing_soon(now, windows))
            .collect();
        self.product(&of_each)
    }

    /// The combinations of what each dimension has of it.
    pub(super) fn latest(&self, now: Timestamp) -> Ordinals {
        let of_each: Vec<Ordinals> = self
            .dimensions
            .iter()
            .map(|dimension| dimension.def.latest(now))
            .collect();
        self.product(&of_each)
    }

    /// The ordinals of all combinations of coordinates.
    pub(super) fn product(&self, coordinates: &[Ordinals]) -> Ordinals {
        let mut out = Ordinals::from(0..1);
        for (dimension, chosen) in self.dimensions.iter().zip(coordinates) {
            // The ordinals so far are those of the outer dimensions, counted in their own room.
            let room = dimension.def.most().max(1);
            let is_all = *chosen == Ordinals::from(0..room);
            let mut next = Ordinals::default();
            for outer in out.ranges() {
                if is_all {
                    next.push(outer.start * room..outer.end * room);
                    continue;
                }
                for at in outer.clone() {
                    for range in chosen.ranges() {
                        next.push(at * room + range.start..at * room + range.end);
                    }
                }
            }
            out = next;
        }
        out
    }

    /// The coordinates of an ordinal.
    pub(super) fn coordinates(&self, ordinal: u64) -> Vec<u64> {
        let mut left = ordinal;
        let coordinate = |dimension: &Dimension| {
            let at = left / dimension.stride;
            left %= dimension.stride;
            at
        };
        self.dimensions.iter().map(coordinate).collect()
    }

    fn ordinal(&self, coordinates: impl IntoIterator<Item = u64>) -> u64 {
        self.dimensions
            .iter()
            .zip(coordinates)
            .map(|(dimension, at)| dimension.stride * at)
            .sum()
    }

    /// The partition with a number among those that exist at `now`.
    pub(super) fn nth(&self, number: u64, now: Timestamp) -> Option<u64> {
        let mut left = number;
        let mut coordinates = Vec::with_capacity(self.dimensions.len());
        for dimension in self.dimensions.iter().rev() {
            let count = dimension.def.count(now);
            coordinates.push(left.checked_rem(count)?);
            left /= count;
        }
        (left == 0).then(|| self.ordinal(coordinates.into_iter().rev()))
    }

    pub(super) fn key_at(&self, ordinal: u64) -> Option<PartitionKey> {
        let keys: Option<Vec<PartitionKey>> = self
            .dimensions
            .iter()
            .zip(self.coordinates(ordinal))
            .map(|(dimension, at)| dimension.def.key_at(at))
            .collect();
        self.joined(&keys?)
    }

    /// One key of the keys of each dimension.
    pub(super) fn joined(&self, keys: &[PartitionKey]) -> Option<PartitionKey> {
        let values: Option<Vec<(&str, PartitionValue)>> = self
            .dimensions
            .iter()
            .zip(keys)
            .map(|(dimension, key)| Some((dimension.name.as_str(), key.only_value()?)))
            .collect();
        PartitionKey::from_dimensions(&values?).ok()
    }

    /// The key of each dimension; `None` when the key has other dimensions.
    pub(super) fn split(&self, key: &PartitionKey) -> Option<Vec<PartitionKey>> {
        let values = key.dimensions();
        let same = values.len() == self.dimensions.len()
            && values
                .iter()
                .zip(&*self.dimensions)
                .all(|((name, _), dimension)| *name == dimension.name);
        same.then(|| {
            values
                .iter()
                .map(|(_, value)| PartitionKey::one(value))
                .collect()
        })
    }

    pub(super) fn ordinal_of(&self, key: &PartitionKey) -> Option<u64> {
        self.ordinal_by(key, PartitionsDef::ordinal_of)
    }

    pub(super) fn existing_ordinal_of(&self, key: &PartitionKey, now: Timestamp) -> Option<u64> {
        self.ordinal_by(key, |def, one| def.existing_ordinal_of(one, now))
    }

    fn ordinal_by(
        &self,
        key: &PartitionKey,
        of_one: impl Fn(&PartitionsDef, &PartitionKey) -> Option<u64>,
    ) -> Option<u64> {
        let keys = self.split(key)?;
        let coordinates: Option<Vec<u64>> = self
            .dimensions
            .iter()
            .zip(&keys)
            .map(|(dimension, one)| of_one(&dimension.def, one))
            .collect();
        Some(self.ordinal(coordinates?))
    }

    pub(super) fn require(&self, key: &PartitionKey) -> Result<u64, PartitionKeyError> {
        let text = key.display();
        let keys = self.split(key).ok_or_else(|| self.foreign(&text))?;
        let mut coordinates = Vec::with_capacity(keys.len());
        for (dimension, one) in self.dimensions.iter().zip(&keys) {
            let at = dimension.def.require_known(one);
            coordinates.push(at.map_err(|error| error.within(&text, &dimension.name))?);
        }
        Ok(self.ordinal(coordinates))
    }

    /// Refuses a key of a partition that does not exist at `now`; the key is known.
    pub(super) fn require_now(
        &self,
        key: &PartitionKey,
        now: Timestamp,
    ) -> Result<u64, PartitionKeyError> {
        let ordinal = self.require(key)?;
        let keys = self.split(key).unwrap_or_default();
        for (dimension, one) in self.dimensions.iter().zip(&keys) {
            let known = dimension.def.require(one, now);
            known.map_err(|error| error.within(&key.display(), &dimension.name))?;
        }
        Ok(ordinal)
    }

    /// `2025-01-15|us-east`: the values in the order of the names. The canonical text is read too, for
    /// keys with `|` in a value.
    pub(super) fn parse_key(&self, text: &str) -> Result<PartitionKey, PartitionKeyError> {
        self.key_by(text, PartitionsDef::parse_key)
    }

    /// As [`Self::parse_key`], of keys that dynamic dimensions may have.
    pub(super) fn read_key(&self, text: &str) -> Result<PartitionKey, PartitionKeyError> {
        self.key_by(text, PartitionsDef::read_key)
    }

    fn key_by(
        &self,
        text: &str,
        of_one: impl Fn(&PartitionsDef, &str) -> Result<PartitionKey, PartitionKeyError>,
    ) -> Result<PartitionKey, PartitionKeyError> {
        let values: Vec<&str> = text.split('|').collect();
        if values.len() != self.dimensions.len() {
            return match PartitionKey::parse(text) {
                Ok(key) => self.require(&key).map(|_| key),
                Err(_) => Err(self.foreign(text)),
            };
        }
        let mut keys = Vec::with_capacity(values.len());
        for (dimension, value) in self.dimensions.iter().zip(values) {
            let key = of_one(&dimension.def, value);
            keys.push(key.map_err(|error| error.within(text, &dimension.name))?);
        }
        self.joined(&keys).ok_or_else(|| self.foreign(text))
    }

    /// The combinations of the ranges of each dimension (P-22).
    pub(super) fn range(
        &self,
        from: &PartitionKey,
        to: &PartitionKey,
    ) -> Result<Ordinals, PartitionKeyError> {
        let (from, to) = (self.require(from)?, self.require(to)?);
        let ends = self.coordinates(from).into_iter().zip(self.coordinates(to));
        let ranges: Vec<Ordinals> = ends.map(|(a, b)| Ordinals::from(a..b + 1)).collect();
        Ok(self.product(&ranges))
    }

    pub(super) fn example(&self) -> String {
        let values: Vec<String> = self
            .dimensions
            .iter()
            .map(|dimension| dimension.def.example_key())
            .collect();
        values.join("|")
    }

    fn foreign(&self, text: &str) -> PartitionKeyError {
        let names: Vec<&str> = self.dimensions.iter().map(|d| d.name.as_str()).collect();
        PartitionKeyError::new(
            text,
            Reason::NotDimensions {
                names: names.join("|"),
                example: self.example(),
            },
        )
    }
}

fn check(name: &str, def: &PartitionsDef) -> Result<(), PartitionsError> {
    let refuse = |why: &str| Err(PartitionsError(format!("dimension `{name}` {why}")));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if name.is_empty() || name == "_" || !name.bytes().all(plain) {
        return refuse(
            "cannot be called so; use letters, digits and underscores, and not `_` alone",
        );
    }
    match def {
        PartitionsDef::Multi(_) => refuse("has dimensions itself; give them all in one definition"),
        PartitionsDef::Static(list) => {
            let bad = |value: &&String| value.contains(['|', ',', '[', ']']);
            match list.values().iter().find(bad) {
                Some(value) => refuse(&format!(
                    "has the key `{value}`, and keys of several dimensions cannot contain `|`, `,`, \
                     `[` or `]`; rename it"
                )),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
