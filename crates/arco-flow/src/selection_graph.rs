//! The catalog as selections see it.

use std::collections::BTreeMap;

use arco_core::AssetKey;
use arco_core::definitions::{AssetDef, Catalog};
use arco_core::partition::PartitionsKind;
use arco_core::selection::{SelectionError, SelectionGraph, Selections};

/// Assets by number, with their edges.
struct CatalogGraph<'a> {
    assets: Vec<(&'a AssetKey, &'a AssetDef, &'a str)>,
    numbers: BTreeMap<&'a AssetKey, usize>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
}

impl<'a> CatalogGraph<'a> {
    fn new(catalog: &'a Catalog) -> Self {
        let assets: Vec<_> = catalog
            .keys()
            .filter_map(|key| {
                let found = catalog.asset(key)?;
                Some((key, found.asset, found.definitions.location()))
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
            for dep in asset.deps.iter().filter(|dep| dep.asset != **key) {
                if let Some(parent) = numbers.get(&dep.asset) {
                    parents[child].push(*parent);
                    children[*parent].push(child);
                }
            }
        }
        Self {
            assets,
            numbers,
            parents,
            children,
        }
    }
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
        self.assets[node].2
    }
    fn is_external(&self, node: usize) -> bool {
        self.assets[node].1.step.is_none()
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
    fn find(&self, key: &AssetKey) -> Option<usize> {
        self.numbers.get(key).copied()
    }
}

/// The assets a selection selects, in order of key.
///
/// # Errors
/// [`SelectionError`] for a bare key nobody defines, or an attribute that cannot be evaluated.
pub fn select(catalog: &Catalog, selections: &Selections) -> Result<Vec<AssetKey>, SelectionError> {
    let graph = CatalogGraph::new(catalog);
    let nodes = selections.evaluate(&graph)?;
    Ok(nodes
        .into_iter()
        .map(|node| graph.key(node).clone())
        .collect())
}
