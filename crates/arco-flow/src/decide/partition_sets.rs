//! Keys of dynamic partitions come and go.

use std::collections::BTreeSet;

use arco_core::PartitionKey;
use arco_core::event::{PartitionsAdded, PartitionsRemoved};
use arco_core::partition::DynamicKeys;

use super::Deciding;
use crate::Rejection;
use crate::command::Answer;

pub(super) fn add(
    d: &mut Deciding<'_>,
    name: &str,
    keys: &[PartitionKey],
) -> Result<Answer, Rejection> {
    let known = d
        .state
        .partition_sets
        .get(name)
        .cloned()
        .unwrap_or_default();
    let new = changed(keys, |key| !known.contains(key));
    let total = known.len() + new.len() as u64;
    if total > DynamicKeys::MAX {
        return Err(Rejection::TooManyPartitions {
            name: name.into(),
            keys: total,
            max: DynamicKeys::MAX,
        });
    }
    let answer = Answer::Partitions {
        changed: new.len() as u64,
        keys: total,
    };
    if !new.is_empty() {
        d.emit(PartitionsAdded {
            name: name.into(),
            keys: new,
        });
    }
    Ok(answer)
}

pub(super) fn remove(d: &mut Deciding<'_>, name: &str, keys: &[PartitionKey]) -> Answer {
    let known = d
        .state
        .partition_sets
        .get(name)
        .cloned()
        .unwrap_or_default();
    let gone = changed(keys, |key| known.contains(key));
    let answer = Answer::Partitions {
        changed: gone.len() as u64,
        keys: known.len() - gone.len() as u64,
    };
    if !gone.is_empty() {
        d.emit(PartitionsRemoved {
            name: name.into(),
            keys: gone,
        });
    }
    answer
}

/// The keys that make a difference, each once, in the order given.
fn changed(keys: &[PartitionKey], differs: impl Fn(&PartitionKey) -> bool) -> Vec<PartitionKey> {
    let mut seen = BTreeSet::new();
    let fresh = |key: &&PartitionKey| differs(key) && seen.insert((*key).clone());
    keys.iter().filter(fresh).cloned().collect()
}
