//! Which partitions an asset has.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::error::{PartitionKeyError, PartitionsError, Reason};
use super::key::PartitionKey;
use super::static_def::StaticPartitions;
use super::window::{TimeWindowPartitions, TimeWindowSpec};
use crate::Timestamp;

mod document;

#[cfg(test)]
mod tests;

use document::Document;

/// The partitions of an asset. A value that exists is valid: reading one checks it. Cloning is cheap.
///
/// Partitions are numbered by ordinal from the first one on. What exists at an instant is the ordinals
/// `0..count(now)`; keys and ordinals beyond that have a meaning too (they will exist).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub enum PartitionsDef {
    /// A fixed list.
    Static(StaticPartitions),
    /// One partition per window of time.
    TimeWindow(TimeWindowPartitions),
}

/// What sort of partitions a definition has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartitionsKind {
    /// A fixed list.
    Static,
    /// Windows of time.
    TimeWindow,
}

impl PartitionsDef {
    /// Reads the JSON of a definition.
    ///
    /// # Errors
    /// When it is not a definition or cannot stand; says what to change.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, PartitionsError> {
        Document::deserialize(value)
            .map_err(|e| PartitionsError(e.to_string()))?
            .try_into()
    }

    /// A fixed list of keys.
    ///
    /// # Errors
    /// When a key repeats or has characters that keys cannot have (P-16).
    pub fn fixed<S: Into<String>>(
        keys: impl IntoIterator<Item = S>,
    ) -> Result<Self, PartitionsError> {
        StaticPartitions::new(keys.into_iter().map(Into::into).collect()).map(Self::Static)
    }

    /// Windows of time.
    ///
    /// # Errors
    /// When the start, the zone, the format or an offset cannot stand.
    pub fn time_window(spec: TimeWindowSpec) -> Result<Self, PartitionsError> {
        TimeWindowPartitions::new(spec).map(Self::TimeWindow)
    }

    /// What sort of partitions these are.
    #[must_use]
    pub fn kind(&self) -> PartitionsKind {
        match self {
            Self::Static(_) => PartitionsKind::Static,
            Self::TimeWindow(_) => PartitionsKind::TimeWindow,
        }
    }

    /// `static`, `hourly`, `daily`, `weekly` or `monthly`.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Static(_) => "static",
            Self::TimeWindow(windows) => windows.spec().cadence.noun(),
        }
    }

    /// How many partitions exist at `now` (P-4): the ordinals `0..count`.
    #[must_use]
    pub fn count(&self, now: Timestamp) -> u64 {
        match self {
            Self::Static(list) => list.count(),
            Self::TimeWindow(windows) => windows.count(now),
        }
    }

    /// The key with `ordinal`, whether or not it exists yet; `None` past the last there will ever be.
    #[must_use]
    pub fn key_at(&self, ordinal: u64) -> Option<PartitionKey> {
        match self {
            Self::Static(list) => list.key_at(ordinal),
            Self::TimeWindow(windows) => windows.key_at(ordinal),
        }
    }

    /// The ordinal of `key`, whether or not it exists yet; `None` when the key is not of this
    /// definition.
    #[must_use]
    pub fn ordinal_of(&self, key: &PartitionKey) -> Option<u64> {
        self.require_known(key).ok()
    }

    /// The keys that exist at `now`, in order.
    #[must_use]
    pub fn keys(&self, now: Timestamp) -> Keys<'_> {
        self.keys_in(0..self.count(now))
    }

    /// The keys with these ordinals, in order; ends early where there are no more.
    #[must_use]
    pub fn keys_in(&self, ordinals: Range<u64>) -> Keys<'_> {
        let most = match self {
            Self::Static(list) => list.count(),
            Self::TimeWindow(windows) => windows.most(),
        };
        let end = ordinals.end.min(most);
        Keys {
            def: self,
            ordinals: ordinals.start.min(end)..end,
        }
    }

    /// Reads a key as people write it (`2024-01-31`), the exact text only (P-17), whether or not the
    /// partition exists yet.
    ///
    /// # Errors
    /// When `text` is no key of this definition; says what keys look like.
    pub fn parse_key(&self, text: &str) -> Result<PartitionKey, PartitionKeyError> {
        match self {
            Self::Static(list) => list.parse_key(text),
            Self::TimeWindow(windows) => windows.parse_key(text).map(|(key, _)| key),
        }
    }

    /// Whether the partition exists at `now` (P-4).
    #[must_use]
    pub fn exists(&self, key: &PartitionKey, now: Timestamp) -> bool {
        self.ordinal_of(key)
            .is_some_and(|ordinal| ordinal < self.count(now))
    }

    /// The ordinal of a partition that exists at `now`.
    ///
    /// # Errors
    /// When it does not exist; says whether it never will, or when.
    pub fn require(&self, key: &PartitionKey, now: Timestamp) -> Result<u64, PartitionKeyError> {
        let ordinal = self.require_known(key)?;
        match self {
            Self::TimeWindow(windows) if ordinal >= windows.count(now) => {
                Err(windows.not_yet(key, ordinal))
            }
            _ => Ok(ordinal),
        }
    }

    /// As [`PartitionsDef::ordinal_of`], with the reason.
    pub(super) fn require_known(&self, key: &PartitionKey) -> Result<u64, PartitionKeyError> {
        match self {
            Self::Static(list) => list.require(key),
            Self::TimeWindow(windows) => windows.ordinal_of(key),
        }
    }

    /// The window of a time key, from its start to before its end; `None` for static keys and keys
    /// of other definitions.
    #[must_use]
    pub fn window(&self, key: &PartitionKey) -> Option<(Timestamp, Timestamp)> {
        match self {
            Self::Static(_) => None,
            Self::TimeWindow(windows) => windows.ordinal_of(key).ok().map(|o| windows.window(o)),
        }
    }

    /// The keys from `from` to `to`, both included (P-18, P-19). A reversed range is empty. A range
    /// that goes beyond what exists now is not cut: the caller says what does not exist, so that
    /// nobody asks for twenty partitions and silently gets thirteen.
    ///
    /// # Errors
    /// When an end is no key of this definition.
    pub fn range(
        &self,
        from: &PartitionKey,
        to: &PartitionKey,
    ) -> Result<Keys<'_>, PartitionKeyError> {
        let from = self.require_known(from)?;
        let to = self.require_known(to)?;
        Ok(self.keys_in(from..to + 1))
    }

    /// Reads a range as people write it: `[a...b]`, `a...b`, or one key.
    ///
    /// # Errors
    /// When an end is no key of this definition, or the range is reversed: who writes one means
    /// the other order.
    pub fn parse_range(&self, text: &str) -> Result<Keys<'_>, PartitionKeyError> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .filter(|rest| rest.contains("..."));
        let (from, to) = match bare.unwrap_or(text).split_once("...") {
            Some(ends) => ends,
            None if text.contains("..") && self.parse_key(text).is_err() => {
                return Err(PartitionKeyError::new(text, Reason::TwoDots));
            }
            None => (text, text),
        };
        let keys = self.range(&self.parse_key(from)?, &self.parse_key(to)?)?;
        match keys.len() {
            0 => Err(PartitionKeyError::new(text, Reason::Reversed)),
            _ => Ok(keys),
        }
    }

    /// The first key that exists at `now`.
    #[must_use]
    pub fn first_key(&self, now: Timestamp) -> Option<PartitionKey> {
        self.keys(now).next()
    }

    /// The last key that exists at `now`.
    #[must_use]
    pub fn last_key(&self, now: Timestamp) -> Option<PartitionKey> {
        self.keys(now).next_back()
    }

    /// What a key looks like, as people write it.
    #[must_use]
    pub fn example_key(&self) -> String {
        match self {
            Self::Static(list) => list.example(),
            Self::TimeWindow(windows) => windows.example(),
        }
    }
}

/// Keys of a definition, in order, made one at a time.
#[derive(Debug, Clone)]
pub struct Keys<'a> {
    def: &'a PartitionsDef,
    ordinals: Range<u64>,
}

impl Keys<'_> {
    /// The ordinals of the keys that are still to come.
    #[must_use]
    pub fn ordinals(&self) -> Range<u64> {
        self.ordinals.clone()
    }
}

impl Iterator for Keys<'_> {
    type Item = PartitionKey;

    fn next(&mut self) -> Option<PartitionKey> {
        self.ordinals
            .next()
            .and_then(|ordinal| self.def.key_at(ordinal))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.ordinals.end - self.ordinals.start).unwrap_or(usize::MAX);
        (left, Some(left))
    }

    fn nth(&mut self, n: usize) -> Option<PartitionKey> {
        self.ordinals
            .nth(n)
            .and_then(|ordinal| self.def.key_at(ordinal))
    }
}

impl DoubleEndedIterator for Keys<'_> {
    fn next_back(&mut self) -> Option<PartitionKey> {
        self.ordinals
            .next_back()
            .and_then(|ordinal| self.def.key_at(ordinal))
    }
}

impl ExactSizeIterator for Keys<'_> {}
