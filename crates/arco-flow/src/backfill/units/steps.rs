//! Which assets of a target one function makes at once.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::AssetKey;
use arco_core::definitions::Catalog;

use super::policy;
use crate::backfill::target::{Target, Wanted};

/// Assets of which the same is wanted and that are made at once, or one alone.
type Together<'a> = Vec<(&'a AssetKey, &'a Wanted)>;

/// The assets of a target: those of a step that makes all or none stand together, after all that any of them
/// reads.
pub(super) fn in_order<'a>(catalog: &'a Catalog, target: &'a Target) -> Vec<Together<'a>> {
    let mut sets: Vec<Together<'a>> = Vec::new();
    let mut set_of: BTreeMap<&AssetKey, usize> = BTreeMap::new();
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (key, wanted) in &target.assets {
        let found = catalog.step_of(key);
        let whole = found.filter(|found| found.step.outputs.len() > 1 && !found.step.can_subset);
        let name = whole.map(|found| (found.definitions.location(), found.step.name.as_str()));
        let fits = |at: &usize| {
            let (first, same) = sets[*at][0];
            same == wanted && policy(catalog, first) == policy(catalog, key)
        };
        let at = name.and_then(|name| known.get(&name).copied().filter(fits));
        let at = at.unwrap_or(sets.len());
        match sets.get_mut(at) {
            Some(set) => set.push((key, wanted)),
            None => sets.push(vec![(key, wanted)]),
        }
        if let Some(name) = name {
            known.insert(name, at);
        }
        set_of.insert(key, at);
    }
    if sets.len() == target.assets.len() {
        return sets;
    }
    let order = after_what_they_read(catalog, &sets, &set_of);
    order
        .iter()
        .map(|at| std::mem::take(&mut sets[*at]))
        .collect()
}

/// The numbers of the sets, each after those it reads, else as they are. Sets that read each other, which no run
/// could make, stay as they are.
fn after_what_they_read(
    catalog: &Catalog,
    sets: &[Together<'_>],
    set_of: &BTreeMap<&AssetKey, usize>,
) -> Vec<usize> {
    let parents = |at: usize| -> BTreeSet<usize> {
        let assets = sets[at].iter().filter_map(|(key, _)| catalog.asset(key));
        let deps = assets.flat_map(|found| &found.asset.deps);
        deps.filter_map(|dep| set_of.get(&dep.asset).copied())
            .collect()
    };
    let mut begun = vec![false; sets.len()];
    let mut order = Vec::with_capacity(sets.len());
    for first in 0..sets.len() {
        if begun[first] {
            continue;
        }
        begun[first] = true;
        let mut open = vec![(first, parents(first))];
        while let Some((at, left)) = open.last_mut() {
            match left.pop_first() {
                Some(parent) if begun[parent] => {}
                Some(parent) => {
                    begun[parent] = true;
                    open.push((parent, parents(parent)));
                }
                None => {
                    order.push(*at);
                    open.pop();
                }
            }
        }
    }
    order
}
