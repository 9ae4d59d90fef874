//! A mapping that lists which static key feeds which (P-29).

use std::collections::{BTreeMap, HashMap};

use super::words;
use crate::partition::def::PartitionsDef;
use crate::partition::error::MappingError;
use crate::partition::ordinals::Ordinals;

/// The listed pairs, both ways.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    parents: HashMap<u64, Ordinals>,
    children: HashMap<u64, Ordinals>,
}

impl Pairs {
    pub(super) fn new(
        listed: &BTreeMap<String, Vec<String>>,
        child: Option<&PartitionsDef>,
        parent: &PartitionsDef,
    ) -> Result<Self, MappingError> {
        let (Some(child @ PartitionsDef::Static(_)), PartitionsDef::Static(_)) = (child, parent)
        else {
            return Err(MappingError::Unfit(format!(
                "a static mapping needs static partitions on both sides; the child has {}, the \
                 parent {}; use another mapping, such as `AllPartitionMapping`",
                child.map_or("no partitions", words),
                words(parent)
            )));
        };
        let find = |side: &str, def: &PartitionsDef, text: &str| {
            let key = def.parse_key(text).ok();
            key.and_then(|key| def.ordinal_of(&key)).ok_or_else(|| {
                MappingError::Unfit(format!(
                    "the static mapping names the key `{text}`, which the {side} does not have; \
                     correct it, or add the key to its partitions"
                ))
            })
        };
        let mut pairs = Vec::new();
        for (up, downs) in listed {
            let up = find("parent", parent, up)?;
            for down in downs {
                pairs.push((up, find("child", child, down)?));
            }
        }
        let flipped = pairs.iter().map(|(up, down)| (*down, *up));
        Ok(Self {
            parents: grouped(flipped),
            children: grouped(pairs.iter().copied()),
        })
    }

    /// A child without an entry needs nothing.
    pub(super) fn upstream(&self, child: u64) -> Ordinals {
        self.parents.get(&child).cloned().unwrap_or_default()
    }

    pub(super) fn downstream(&self, parent: u64) -> Ordinals {
        self.children.get(&parent).cloned().unwrap_or_default()
    }
}

fn grouped(pairs: impl Iterator<Item = (u64, u64)>) -> HashMap<u64, Ordinals> {
    let mut lists: HashMap<u64, Vec<u64>> = HashMap::new();
    pairs.for_each(|(from, to)| lists.entry(from).or_default().push(to));
    let set = |(from, to): (u64, Vec<u64>)| (from, to.into_iter().collect());
    lists.into_iter().map(set).collect()
}
