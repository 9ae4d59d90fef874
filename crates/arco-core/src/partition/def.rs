//! Which partitions an asset has.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::dynamic_def::{DynamicKeys, DynamicPartitions, DynamicSets};
use super::error::{PartitionKeyError, PartitionsError, Reason};
use super::key::PartitionKey;
use super::multi_def::MultiPartitions;
use super::ordinals::Ordinals;
use super::static_def::StaticPartitions;
use super::window::{TimeWindowPartitions, TimeWindowSpec};
use crate::Timestamp;

mod document;
mod keys;

#[cfg(test)]
mod tests;

use document::Document;
pub use keys::Keys;

/// The partitions of an asset. A value that exists is valid: reading one checks it. Cloning is cheap.
///
/// Partitions are numbered by ordinal. What exists at an instant are the ordinals [`Self::existing`]: all
/// from 0 on, except with several dimensions, where each dimension has room for what it will have. Keys
/// and ordinals beyond what exists have a meaning too (they will exist).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub enum PartitionsDef {
    /// A fixed list.
    Static(StaticPartitions),
    /// One partition per window of time.
    TimeWindow(TimeWindowPartitions),
    /// Keys that come and go, kept by the workspace under a name. As user code says it, it has no keys:
    /// see [`Self::resolved`].
    Dynamic(DynamicPartitions),
    /// All combinations of several dimensions.
    Multi(MultiPartitions),
}

/// What sort of partitions a definition has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartitionsKind {
    /// A fixed list.
    Static,
    /// Windows of time.
    TimeWindow,
    /// Keys that come and go.
    Dynamic,
    /// Several dimensions.
    Multi,
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

    /// The keys of the set `name` of the workspace (P-23).
    ///
    /// # Errors
    /// When the name is empty.
    pub fn dynamic(name: impl Into<String>) -> Result<Self, PartitionsError> {
        DynamicPartitions::new(name.into()).map(Self::Dynamic)
    }

    /// All combinations of some dimensions, each with a name (P-20).
    ///
    /// # Errors
    /// When there is none, a name repeats or is none, or a dimension has dimensions itself.
    pub fn multi(
        dimensions: impl IntoIterator<Item = (String, Self)>,
    ) -> Result<Self, PartitionsError> {
        MultiPartitions::new(dimensions.into_iter().collect()).map(Self::Multi)
    }

    /// The definition with the keys that dynamic sets have now; itself when it names none.
    #[must_use]
    pub fn resolved(&self, sets: &DynamicSets) -> Cow<'_, Self> {
        match self {
            Self::Dynamic(set) => Cow::Owned(Self::Dynamic(set.with_keys(sets))),
            Self::Multi(multi) if self.dynamic_names().next().is_some() => {
                Cow::Owned(Self::Multi(multi.with_keys(sets)))
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// The names of the dynamic sets it is made of.
    pub fn dynamic_names(&self) -> impl Iterator<Item = &str> {
        let own = match self {
            Self::Dynamic(set) => Some(set.name()),
            _ => None,
        };
        let of_dimensions = match self {
            Self::Multi(multi) => multi.dimensions(),
            _ => &[],
        };
        let dynamic = of_dimensions
            .iter()
            .filter_map(|dimension| match &dimension.def {
                Self::Dynamic(set) => Some(set.name()),
                _ => None,
            });
        own.into_iter().chain(dynamic)
    }

    /// What sort of partitions these are.
    #[must_use]
    pub fn kind(&self) -> PartitionsKind {
        match self {
            Self::Static(_) => PartitionsKind::Static,
            Self::TimeWindow(_) => PartitionsKind::TimeWindow,
            Self::Dynamic(_) => PartitionsKind::Dynamic,
            Self::Multi(_) => PartitionsKind::Multi,
        }
    }

    /// `static`, `hourly`, `daily`, `weekly`, `monthly`, `cron`, `dynamic` or `multi`.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Static(_) => "static",
            Self::TimeWindow(windows) => windows.spec().cadence.noun(),
            Self::Dynamic(_) => "dynamic",
            Self::Multi(_) => "multi",
        }
    }

    /// How many partitions exist at `now` (P-4).
    #[must_use]
    pub fn count(&self, now: Timestamp) -> u64 {
        match self {
            Self::Static(list) => list.count(),
            Self::TimeWindow(windows) => windows.count(now),
            Self::Dynamic(set) => set.keys().len(),
            Self::Multi(multi) => multi.count(now),
        }
    }

    /// The ordinals of the partitions that exist at `now`.
    #[must_use]
    pub fn existing(&self, now: Timestamp) -> Ordinals {
        match self {
            Self::Multi(multi) => multi.existing(now),
            _ => Ordinals::from(0..self.count(now)),
        }
    }

    /// The ordinals of the partitions that exist at `now`, and of the next `windows` of time.
    #[must_use]
    pub fn existing_soon(&self, now: Timestamp, windows: u64) -> Ordinals {
        match self {
            Self::TimeWindow(def) => {
                let soon = def.count(now).saturating_add(windows).min(def.most());
                // `most` counts windows that are left out too.
                let last = (0..soon).rev().find(|at| def.key_at(*at).is_some());
                Ordinals::from(0..last.map_or(0, |last| last + 1))
            }
            Self::Multi(multi) => multi.existing_soon(now, windows),
            Self::Static(_) | Self::Dynamic(_) => self.existing(now),
        }
    }

    /// Above every ordinal that there will ever be.
    pub(super) fn most(&self) -> u64 {
        match self {
            Self::Static(list) => list.count(),
            Self::TimeWindow(windows) => windows.most(),
            Self::Dynamic(_) => DynamicKeys::MAX,
            Self::Multi(multi) => multi.most(),
        }
    }

    /// The ordinal of the partition with this number among those that exist at `now`, from 0 on.
    #[must_use]
    pub fn nth(&self, number: u64, now: Timestamp) -> Option<u64> {
        match self {
            Self::Multi(multi) => multi.nth(number, now),
            _ => (number < self.count(now)).then_some(number),
        }
    }

    /// The key with `ordinal`, whether or not it exists yet; `None` past the last there will ever be.
    #[must_use]
    pub fn key_at(&self, ordinal: u64) -> Option<PartitionKey> {
        match self {
            Self::Static(list) => list.key_at(ordinal),
            Self::TimeWindow(windows) => windows.key_at(ordinal),
            Self::Dynamic(set) => set.keys().key_at(ordinal),
            Self::Multi(multi) => multi.key_at(ordinal),
        }
    }

    /// The ordinal of `key`, whether or not it exists yet; `None` when the key is not of this
    /// definition.
    #[must_use]
    pub fn ordinal_of(&self, key: &PartitionKey) -> Option<u64> {
        // Not by `require_known`: an error looks for the nearest of all keys, and this is asked of millions.
        match self {
            Self::Static(list) => list.ordinal_of(key),
            Self::TimeWindow(windows) => windows.ordinal_of(key).ok(),
            Self::Dynamic(set) => set.ordinal_of(key),
            Self::Multi(multi) => multi.ordinal_of(key),
        }
    }

    /// The ordinal of a partition that exists at `now`, or `None`: [`PartitionsDef::require`] without the
    /// reason, for many keys.
    #[must_use]
    pub fn existing_ordinal_of(&self, key: &PartitionKey, now: Timestamp) -> Option<u64> {
        match self {
            Self::Multi(multi) => multi.existing_ordinal_of(key, now),
            Self::TimeWindow(windows) => self.ordinal_of(key).filter(|at| *at < windows.count(now)),
            Self::Static(_) | Self::Dynamic(_) => self.ordinal_of(key),
        }
    }

    /// The keys that exist at `now`, in order.
    #[must_use]
    pub fn keys(&self, now: Timestamp) -> Keys<'_> {
        self.keys_of(self.existing(now))
    }

    /// The keys with these ordinals, in order; ends early where there are no more.
    #[must_use]
    pub fn keys_in(&self, ordinals: Range<u64>) -> Keys<'_> {
        self.keys_of(Ordinals::from(ordinals))
    }

    /// The keys with these ordinals, in order; ends early where there are no more.
    #[must_use]
    pub fn keys_of(&self, ordinals: Ordinals) -> Keys<'_> {
        Keys::new(self, ordinals.intersection(&Ordinals::from(0..self.most())))
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
            Self::Dynamic(set) => {
                let key = PartitionKey::text(text);
                set.require(&key).map(|_| key)
            }
            Self::Multi(multi) => multi.parse_key(text),
        }
    }

    /// As [`Self::parse_key`], of keys beyond what the definition has too: windows before the first one, after
    /// the last or left out, and keys that may be added to dynamic partitions yet.
    ///
    /// # Errors
    /// When `text` is not written as keys of this definition are; says what they look like.
    pub fn read_key(&self, text: &str) -> Result<PartitionKey, PartitionKeyError> {
        let refused =
            |error: PartitionsError| PartitionKeyError::new(text, Reason::Unwritable(error.0));
        match self {
            Self::Static(_) => self.parse_key(text),
            Self::TimeWindow(_) => self
                .parse_key(text)
                .or_else(|error| match error.is_beyond() {
                    true => Ok(PartitionKey::time(text)),
                    false => Err(error),
                }),
            Self::Dynamic(_) => DynamicKeys::read(text).map_err(refused),
            Self::Multi(multi) => multi.read_key(text),
        }
    }

    /// Whether the partition exists at `now` (P-4).
    #[must_use]
    pub fn exists(&self, key: &PartitionKey, now: Timestamp) -> bool {
        self.existing_ordinal_of(key, now).is_some()
    }

    /// The ordinal of a partition that exists at `now`.
    ///
    /// # Errors
    /// When it does not exist; says whether it never will, or when.
    pub fn require(&self, key: &PartitionKey, now: Timestamp) -> Result<u64, PartitionKeyError> {
        let ordinal = match self {
            Self::Multi(multi) => return multi.require_now(key, now),
            _ => self.require_known(key)?,
        };
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
            Self::Dynamic(set) => set.require(key),
            Self::Multi(multi) => multi.require(key),
        }
    }

    /// The window of a time key, from its start to before its end; of a key with several dimensions that
    /// of its only one of time. `None` for other keys and keys of other definitions.
    #[must_use]
    pub fn window(&self, key: &PartitionKey) -> Option<(Timestamp, Timestamp)> {
        match self {
            Self::Static(_) | Self::Dynamic(_) => None,
            Self::TimeWindow(windows) => windows.ordinal_of(key).ok().map(|o| windows.window(o)),
            Self::Multi(multi) => {
                let keys = multi.split(key)?;
                let mut windows = multi
                    .dimensions()
                    .iter()
                    .zip(&keys)
                    .filter_map(|(dimension, key)| dimension.def.window(key));
                windows.next().filter(|_| windows.next().is_none())
            }
        }
    }

    /// The keys from `from` to `to`, both included (P-18, P-19); with several dimensions the combinations
    /// of the ranges of each (P-22). A reversed range is empty. A range
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
        if let Self::Multi(multi) = self {
            return Ok(self.keys_of(multi.range(from, to)?));
        }
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
        self.key_at(self.nth(0, now)?)
    }

    /// The last key that exists at `now`.
    #[must_use]
    pub fn last_key(&self, now: Timestamp) -> Option<PartitionKey> {
        self.key_at(self.nth(self.count(now).checked_sub(1)?, now)?)
    }

    /// The ordinals of what one moment is about: of time the last window that exists at `now`, of keys
    /// without time all of them (S-44, S-46). None when the last window is one that is left out.
    #[must_use]
    pub fn latest(&self, now: Timestamp) -> Ordinals {
        match self {
            Self::TimeWindow(windows) => windows
                .latest(now)
                .map_or_else(Ordinals::default, Ordinals::one),
            Self::Static(_) | Self::Dynamic(_) => self.existing(now),
            Self::Multi(multi) => multi.latest(now),
        }
    }

    /// What a key looks like, as people write it.
    #[must_use]
    pub fn example_key(&self) -> String {
        match self {
            Self::Static(list) => list.example(),
            Self::TimeWindow(windows) => windows.example(),
            Self::Dynamic(set) => set.example(),
            Self::Multi(multi) => multi.example(),
        }
    }
}
