//! The catalog, and what happened to its assets, as selections see them.

mod facts;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arco_core::AssetKey;
use arco_core::definitions::{AssetDef, Catalog, Definitions};
use arco_core::partition::PartitionsKind;
use arco_core::selection::{SelectionError, SelectionFacts, SelectionGraph, Selections};
use facts::Facts;
pub use facts::status;
use imbl::OrdMap;

use crate::state::AssetState;

/// What is known of the assets of a workspace, by key.
type AssetStates = OrdMap<AssetKey, Arc<AssetState>>;

/// Assets by number, with their edges.
struct CatalogGraph<'a> {
    assets: Vec<(&'a AssetKey, &'a AssetDef, &'a Definitions)>,
    numbers: BTreeMap<&'a AssetKey, usize>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    facts: Facts<'a>,
}

impl<'a> CatalogGraph<'a> {
    /// All assets, or those of `within`. What lies between two of these and is not one of them makes
    /// them neighbours: order follows reachability (D-12).
    fn new(
        catalog: &'a Catalog,
        states: &'a AssetStates,
        within: Option<&BTreeSet<AssetKey>>,
    ) -> Self {
        let assets: Vec<_> = catalog
            .keys()
            .filter(|key| within.is_none_or(|within| within.contains(*key)))
            .filter_map(|key| {
                let found = catalog.asset(key)?;
                Some((key, found.asset, &**found.definitions))
            })
            .collect();
        let numbers: BTreeMap<&AssetKey, usize> = assets
            .iter()
            .enumerate()
            .map(|(n, (key, _, _))| (*key, n))
            .collect();
        let mut parents = vec![Vec::new(); assets.len()];
        let mut children = vec![Vec::new(); assets.len()];
        for (child, (key, asset, _)) in assets.iter().enumerate() {
            for parent in parents_within(catalog, key, asset, &numbers) {
                parents[child].push(parent);
                children[parent].push(child);
            }
        }
        let facts = Facts::new(
            assets
                .iter()
                .map(|(key, asset, _)| (*asset, states.get(*key))),
        );
        Self {
            facts,
            assets,
            numbers,
            parents,
            children,
        }
    }
}

/// The nearest numbered ancestors of an asset, in the order the definitions give.
fn parents_within(
    catalog: &Catalog,
    key: &AssetKey,
    asset: &AssetDef,
    numbers: &BTreeMap<&AssetKey, usize>,
) -> Vec<usize> {
    let mut out = Vec::new();
    let mut seen: BTreeSet<AssetKey> = BTreeSet::from([key.clone()]);
    let mut next: Vec<AssetKey> = asset.deps.iter().map(|dep| dep.asset.clone()).collect();
    next.reverse();
    while let Some(above) = next.pop() {
        if !seen.insert(above.clone()) {
            continue;
        }
        match numbers.get(&above) {
            Some(parent) => out.push(*parent),
            None => next.extend(catalog.parents(&above).into_iter().rev()),
        }
    }
    out
}

impl SelectionGraph for CatalogGraph<'_> {
    fn len(&self) -> usize {
        self.assets.len()
    }
    fn key(&self, node: usize) -> &AssetKey {
        self.assets[node].0
    }
    fn group(&self, node: usize) -> &str {
        &self.assets[node].1.group
    }
    fn kinds(&self, node: usize) -> &[String] {
        &self.assets[node].1.kinds
    }
    fn tags(&self, node: usize) -> &BTreeMap<String, String> {
        &self.assets[node].1.tags
    }
    fn owners(&self, node: usize) -> &[String] {
        &self.assets[node].1.owners
    }
    fn location(&self, node: usize) -> &str {
        self.assets[node].2.location()
    }
    fn is_external(&self, node: usize) -> bool {
        let (_, asset, definitions) = self.assets[node];
        definitions.is_external(asset)
    }
    fn partitions(&self, node: usize) -> Option<PartitionsKind> {
        self.assets[node]
            .1
            .partitions
            .as_ref()
            .map(arco_core::partition::PartitionsDef::kind)
    }
    fn parents(&self, node: usize) -> &[usize] {
        &self.parents[node]
    }
    fn children(&self, node: usize) -> &[usize] {
        &self.children[node]
    }
    fn facts(&self) -> Option<&dyn SelectionFacts> {
        Some(&self.facts)
    }
    fn find(&self, key: &AssetKey) -> Option<usize> {
        self.numbers.get(key).copied()
    }
}

/// The assets a selection selects, in order of key; `states` is what is known of them.
///
/// # Errors
/// [`SelectionError`] for a bare key nobody defines, or an attribute that cannot be evaluated.
pub fn select(
    catalog: &Catalog,
    states: &AssetStates,
    selections: &Selections,
) -> Result<Vec<AssetKey>, SelectionError> {
    evaluate(&CatalogGraph::new(catalog, states, None), selections)
}

/// The assets that a selection selects among these alone, with the edges between them.
///
/// # Errors
/// As [`select`]; a bare key that is not among them is one that nobody defines.
pub fn select_within(
    catalog: &Catalog,
    states: &AssetStates,
    within: &BTreeSet<AssetKey>,
    selections: &Selections,
) -> Result<Vec<AssetKey>, SelectionError> {
    evaluate(
        &CatalogGraph::new(catalog, states, Some(within)),
        selections,
    )
}

fn evaluate(
    graph: &CatalogGraph<'_>,
    selections: &Selections,
) -> Result<Vec<AssetKey>, SelectionError> {
    let nodes = selections.evaluate(graph)?;
    Ok(nodes
        .into_iter()
        .map(|node| graph.key(node).clone())
        .collect())
}
