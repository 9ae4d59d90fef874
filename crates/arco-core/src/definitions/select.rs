//! The definitions of one location as selections see them: what others make is external to it, and
//! nobody knows here what happened to its assets.

use std::collections::BTreeMap;

use super::{AssetDef, Definitions};
use crate::AssetKey;
use crate::partition::{PartitionsDef, PartitionsKind};
use crate::selection::{SelectionError, SelectionGraph, Selections};

/// Assets by number, with their edges.
struct LocationGraph<'a> {
    definitions: &'a Definitions,
    assets: Vec<&'a AssetDef>,
    numbers: BTreeMap<&'a AssetKey, usize>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
}

impl<'a> LocationGraph<'a> {
    fn new(definitions: &'a Definitions) -> Self {
        let mut assets: Vec<&AssetDef> = definitions.manifest().assets.iter().collect();
        assets.sort_by_key(|asset| &asset.key);
        let numbered = assets.iter().enumerate();
        let numbers: BTreeMap<&AssetKey, usize> = numbered
            .map(|(number, asset)| (&asset.key, number))
            .collect();
        let mut parents = vec![Vec::new(); assets.len()];
        let mut children = vec![Vec::new(); assets.len()];
        for (child, asset) in assets.iter().enumerate() {
            let others = asset.deps.iter().filter(|dep| dep.asset != asset.key);
            for parent in others.filter_map(|dep| numbers.get(&dep.asset)) {
                parents[child].push(*parent);
                children[*parent].push(child);
            }
        }
        Self {
            definitions,
            assets,
            numbers,
            parents,
            children,
        }
    }
}

impl SelectionGraph for LocationGraph<'_> {
    fn len(&self) -> usize {
        self.assets.len()
    }
    fn key(&self, node: usize) -> &AssetKey {
        &self.assets[node].key
    }
    fn group(&self, node: usize) -> &str {
        &self.assets[node].group
    }
    fn kinds(&self, node: usize) -> &[String] {
        &self.assets[node].kinds
    }
    fn tags(&self, node: usize) -> &BTreeMap<String, String> {
        &self.assets[node].tags
    }
    fn owners(&self, node: usize) -> &[String] {
        &self.assets[node].owners
    }
    fn location(&self, _: usize) -> &str {
        self.definitions.location()
    }
    fn is_external(&self, node: usize) -> bool {
        self.definitions.is_external(self.assets[node])
    }
    fn partitions(&self, node: usize) -> Option<PartitionsKind> {
        self.assets[node]
            .partitions
            .as_ref()
            .map(PartitionsDef::kind)
    }
    fn parents(&self, node: usize) -> &[usize] {
        &self.parents[node]
    }
    fn children(&self, node: usize) -> &[usize] {
        &self.children[node]
    }
    fn find(&self, key: &AssetKey) -> Option<usize> {
        self.numbers.get(key).copied()
    }
}

/// The assets of a location that a selection selects there, in order of key.
///
/// # Errors
/// [`SelectionError`] for a bare key that the location does not define, or an attribute that cannot be
/// evaluated.
pub(super) fn select(
    definitions: &Definitions,
    selections: &Selections,
) -> Result<Vec<AssetKey>, SelectionError> {
    let graph = LocationGraph::new(definitions);
    let nodes = selections.evaluate(&graph)?.into_iter();
    Ok(nodes.map(|node| graph.key(node).clone()).collect())
}
