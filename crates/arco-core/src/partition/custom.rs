//! Mappings of one's own: what user code answered, kept for planning (`docs/adr/0021-mappings-of-ones-own.md`).

use std::sync::Arc;

use imbl::{HashMap, OrdSet};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::key::PartitionKey;
use crate::Digest;

#[cfg(test)]
mod tests;

/// A mapping that user code says. The code runs in a worker; what it answered is a fact of the workspace, put in
/// by [`super::PartitionMapping::resolved`]. Two are equal when they name one code.
#[derive(Debug, Clone)]
pub struct CustomMapping {
    name: String,
    code: Option<Digest>,
    answers: MappingAnswers,
}

impl CustomMapping {
    /// As definitions say it: without answers.
    #[must_use]
    pub fn new(name: impl Into<String>, code: Option<Digest>) -> Self {
        Self {
            name: name.into(),
            code,
            answers: MappingAnswers::default(),
        }
    }

    /// The name of the class, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Digest of its code, by which definitions with other code are other definitions.
    #[must_use]
    pub fn code(&self) -> Option<Digest> {
        self.code
    }

    /// What was answered.
    #[must_use]
    pub fn answers(&self) -> &MappingAnswers {
        &self.answers
    }

    pub(super) fn with(&self, answers: MappingAnswers) -> Self {
        Self {
            answers,
            ..self.clone()
        }
    }
}

impl PartialEq for CustomMapping {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.code) == (&other.name, other.code)
    }
}

impl Eq for CustomMapping {}

/// Which parent keys each child key reads, as far as it was answered, and the other way round. Clones share what
/// they have in common.
#[derive(Debug, Clone, Default)]
pub struct MappingAnswers {
    parents: HashMap<PartitionKey, Arc<[PartitionKey]>>,
    children: HashMap<PartitionKey, OrdSet<PartitionKey>>,
    /// What the code failed with last, for people; no part of what is answered.
    trouble: Option<Arc<str>>,
}

impl MappingAnswers {
    /// How many child keys are answered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// What a child key reads, each once and in order; `None` when that was not answered.
    #[must_use]
    pub fn parents(&self, child: &PartitionKey) -> Option<&[PartitionKey]> {
        self.parents.get(child).map(AsRef::as_ref)
    }

    /// What the code failed with when it was asked for what is not answered.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// The code failed with this, or not any more.
    pub fn set_trouble(&mut self, trouble: Option<&str>) {
        self.trouble = trouble.map(Arc::from);
    }

    /// The child keys that read a key, in order.
    pub fn children(&self, parent: &PartitionKey) -> impl Iterator<Item = &PartitionKey> {
        self.children.get(parent).into_iter().flatten()
    }

    /// The child keys that are answered, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &PartitionKey> {
        self.parents.keys()
    }

    /// A child key reads these, whatever was answered before.
    pub fn set(&mut self, child: PartitionKey, parents: impl IntoIterator<Item = PartitionKey>) {
        self.forget(&child);
        let mut parents: Vec<PartitionKey> = parents.into_iter().collect();
        parents.sort();
        parents.dedup();
        for parent in &parents {
            let children = self.children.entry(parent.clone()).or_default();
            children.insert(child.clone());
        }
        self.parents.insert(child, parents.into());
    }

    /// A child key is not answered any more.
    pub fn forget(&mut self, child: &PartitionKey) {
        let Some(parents) = self.parents.remove(child) else {
            return;
        };
        for parent in &*parents {
            if let Some(children) = self.children.get_mut(parent) {
                children.remove(child);
                if children.is_empty() {
                    self.children.remove(parent);
                }
            }
        }
    }

    /// The answers of some child keys alone.
    #[must_use]
    pub fn only(&self, keys: impl IntoIterator<Item = PartitionKey>) -> Self {
        let mut out = Self::default();
        for key in keys {
            if let Some(parents) = self.parents(&key) {
                let parents = parents.to_vec();
                out.set(key, parents);
            }
        }
        out
    }
}

impl PartialEq for MappingAnswers {
    fn eq(&self, other: &Self) -> bool {
        self.parents == other.parents
    }
}

impl Eq for MappingAnswers {}

/// Pairs of a child key and what it reads, in the order of the child keys.
impl Serialize for MappingAnswers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs: Vec<_> = self
            .parents
            .iter()
            .map(|(child, parents)| (child, &**parents))
            .collect();
        pairs.sort_unstable_by_key(|(child, _)| *child);
        serializer.collect_seq(pairs)
    }
}

impl<'de> Deserialize<'de> for MappingAnswers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut out = Self::default();
        for (child, parents) in Vec::<(PartitionKey, Vec<PartitionKey>)>::deserialize(deserializer)?
        {
            out.set(child, parents);
        }
        Ok(out)
    }
}
