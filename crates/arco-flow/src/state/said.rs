//! What the live attempt of a task has said.
//!
//! A host repeats reports whose answer was lost, perhaps to a control plane that does not remember
//! the call. The very same fact of an attempt counts once; another one is news. The facts are known
//! by their content, and only while the attempt lives: afterwards nothing it says counts.

use std::collections::BTreeSet;

use arco_core::Digest;
use serde::{Deserialize, Serialize};

/// Digests of facts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Said(BTreeSet<Digest>);

impl Said {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this very fact was said.
    #[must_use]
    pub fn contains(&self, fact: &impl Serialize) -> bool {
        !self.0.is_empty() && self.0.contains(&digest(fact))
    }

    pub(super) fn insert(&mut self, fact: &impl Serialize) {
        self.0.insert(digest(fact));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn digest(fact: &impl Serialize) -> Digest {
    Digest::of(&serde_json::to_vec(fact).expect("facts serialise: the log holds them as JSON"))
}
