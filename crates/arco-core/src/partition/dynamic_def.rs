//! Keys that come and go while Arco runs (P-23).

use std::borrow::Cow;
use std::collections::BTreeMap;

use imbl::{HashMap, Vector};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::{PartitionKeyError, PartitionsError, Reason};
use super::key::PartitionKey;
use super::static_def::check_text;
use crate::selection::suggest::nearest;

#[cfg(test)]
mod tests;

/// The keys of one set, in the order in which they were added. Clones share what they have in common.
#[derive(Debug, Clone, Default)]
pub struct DynamicKeys {
    keys: Vector<PartitionKey>,
    ordinals: HashMap<PartitionKey, u64>,
}

/// The sets of a workspace, by name.
pub type DynamicSets = BTreeMap<String, DynamicKeys>;

impl DynamicKeys {
    /// The most keys a set has: ordinals of several dimensions are numbered with room for so many.
    pub const MAX: u64 = 1 << 24;

    /// Reads a key as people write it.
    ///
    /// # Errors
    /// When it has characters that keys cannot have (P-16), or is empty.
    pub fn read(text: &str) -> Result<PartitionKey, PartitionsError> {
        if text.is_empty() {
            return Err(PartitionsError(
                "a dynamic partition key is empty; give it a name".into(),
            ));
        }
        check_text("dynamic", text)?;
        Ok(PartitionKey::text(text))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether the key is one of them.
    #[must_use]
    pub fn contains(&self, key: &PartitionKey) -> bool {
        self.ordinals.contains_key(key)
    }

    /// Them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &PartitionKey> {
        self.keys.iter()
    }

    /// Adds a key at the end; says whether it is new (P-23: one that is there stays where it is).
    pub fn add(&mut self, key: PartitionKey) -> bool {
        if self.contains(&key) {
            return false;
        }
        self.ordinals.insert(key.clone(), self.len());
        self.keys.push_back(key);
        true
    }

    /// Takes keys out; says how many were there. Costs the length of the set, however many they are.
    pub fn remove<'a>(&mut self, keys: impl IntoIterator<Item = &'a PartitionKey>) -> u64 {
        let before = self.len();
        for key in keys {
            self.ordinals.remove(key);
        }
        if self.ordinals.len() as u64 == before {
            return 0;
        }
        let left = &self.ordinals;
        self.keys = self
            .keys
            .iter()
            .filter(|key| left.contains_key(*key))
            .cloned()
            .collect();
        self.ordinals = self.keys.iter().cloned().zip(0..).collect();
        before - self.len()
    }

    pub(super) fn key_at(&self, ordinal: u64) -> Option<PartitionKey> {
        self.keys.get(usize::try_from(ordinal).ok()?).cloned()
    }
}

impl PartialEq for DynamicKeys {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

impl Serialize for DynamicKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.keys)
    }
}

impl<'de> Deserialize<'de> for DynamicKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut out = Self::default();
        for key in Vec::<PartitionKey>::deserialize(deserializer)? {
            out.add(key);
        }
        Ok(out)
    }
}

/// The partitions of a set, by its name. User code names the set; which keys it has is a fact of the
/// workspace, put in by [`super::PartitionsDef::resolved`]. Two are equal when they name one set.
#[derive(Debug, Clone)]
pub struct DynamicPartitions {
    name: String,
    keys: DynamicKeys,
}

impl PartialEq for DynamicPartitions {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl DynamicPartitions {
    pub(super) fn new(name: String) -> Result<Self, PartitionsError> {
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(PartitionsError(format!(
                "dynamic partitions {name:?} have no name; write DynamicPartitionsDefinition(name=\"customers\")"
            )));
        }
        Ok(Self {
            name,
            keys: DynamicKeys::default(),
        })
    }

    /// The name of the set.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn with_keys(&self, sets: &DynamicSets) -> Self {
        Self {
            name: self.name.clone(),
            keys: sets.get(&self.name).cloned().unwrap_or_default(),
        }
    }

    pub(super) fn keys(&self) -> &DynamicKeys {
        &self.keys
    }

    pub(super) fn ordinal_of(&self, key: &PartitionKey) -> Option<u64> {
        self.keys.ordinals.get(key).copied()
    }

    pub(super) fn require(&self, key: &PartitionKey) -> Result<u64, PartitionKeyError> {
        self.ordinal_of(key).ok_or_else(|| {
            let text = key.display();
            let known = self.keys.keys.iter().map(PartitionKey::display);
            let near = nearest(&text, known).map(Cow::into_owned);
            PartitionKeyError::new(
                &text,
                Reason::NotInSet {
                    set: self.name.clone(),
                    near,
                },
            )
        })
    }

    pub(super) fn example(&self) -> String {
        self.keys.keys.front().map_or_else(
            || "a key of the set".into(),
            |key| key.display().into_owned(),
        )
    }
}
