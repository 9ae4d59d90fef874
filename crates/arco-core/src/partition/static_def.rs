//! A fixed list of keys (P-16).

use std::collections::HashMap;
use std::sync::Arc;

use super::error::{PartitionKeyError, PartitionsError, Reason};
use super::key::{PartitionKey, PartitionValue};
use crate::selection::suggest::nearest;

/// A fixed list of keys, in the order in which they were given.
#[derive(Debug, Clone)]
pub struct StaticPartitions(Arc<Keys>);

#[derive(Debug)]
struct Keys {
    values: Vec<String>,
    keys: Vec<PartitionKey>,
    ordinals: HashMap<PartitionKey, u64>,
}

impl PartialEq for StaticPartitions {
    fn eq(&self, other: &Self) -> bool {
        self.0.values == other.0.values
    }
}

impl StaticPartitions {
    pub(super) fn new(values: Vec<String>) -> Result<Self, PartitionsError> {
        let mut keys = Vec::with_capacity(values.len());
        let mut ordinals = HashMap::with_capacity(values.len());
        for value in &values {
            check_text("static", value)?;
            let key = PartitionKey::text(value);
            if ordinals.insert(key.clone(), keys.len() as u64).is_some() {
                return Err(PartitionsError(format!(
                    "static partition key `{value}` is listed twice; keys are unique"
                )));
            }
            keys.push(key);
        }
        Ok(Self(Arc::new(Keys {
            values,
            keys,
            ordinals,
        })))
    }

    /// The keys as they were given.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.0.values
    }

    pub(super) fn count(&self) -> u64 {
        self.0.keys.len() as u64
    }

    pub(super) fn key_at(&self, ordinal: u64) -> Option<PartitionKey> {
        self.0.keys.get(usize::try_from(ordinal).ok()?).cloned()
    }

    pub(super) fn ordinal_of(&self, key: &PartitionKey) -> Option<u64> {
        self.0.ordinals.get(key).copied()
    }

    pub(super) fn parse_key(&self, text: &str) -> Result<PartitionKey, PartitionKeyError> {
        let key = PartitionKey::text(text);
        self.require(&key).map(|_| key)
    }

    pub(super) fn require(&self, key: &PartitionKey) -> Result<u64, PartitionKeyError> {
        if let Some(ordinal) = self.ordinal_of(key) {
            return Ok(ordinal);
        }
        let text = key.display();
        let reason = match key.only_value() {
            Some(PartitionValue::Text(_)) => Reason::NotListed {
                count: self.0.values.len(),
                near: nearest(&text, self.0.values.iter()).cloned(),
            },
            _ => Reason::Foreign {
                noun: "static",
                example: self.example(),
            },
        };
        Err(PartitionKeyError::new(&text, reason))
    }

    pub(super) fn example(&self) -> String {
        self.0.values.first().cloned().unwrap_or_default()
    }
}

/// Refuses characters that keys cannot have (P-16).
pub(super) fn check_text(kind: &str, value: &str) -> Result<(), PartitionsError> {
    if value.contains("...") || value.chars().any(char::is_control) {
        return Err(PartitionsError(format!(
            "{kind} partition key {value:?} contains `...` or a control character; rename \
             it: `...` separates the ends of a range"
        )));
    }
    Ok(())
}
