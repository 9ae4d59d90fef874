//! Which assets of a step one task makes.
//!
//! A step is carried out whole, unless it says that it can make a part of its assets (M-2). Such a step
//! makes those selected; and when one of them stands, through another step, on another of them, it is
//! carried out once for each, in that order. The ops of a graph are carried out together.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arco_core::definitions::{Catalog, Definitions, StepDef, StepRef};
use arco_core::{AssetKey, graph};

use super::visit;
use crate::Rejection;

/// Assets of one step that one task makes.
pub(super) struct Part<'a> {
    pub(super) definitions: &'a Arc<Definitions>,
    pub(super) step: &'a StepDef,
    /// At least one.
    pub(super) assets: Vec<AssetKey>,
}

impl Part<'_> {
    /// As a planned task has them: empty when they are all of the step's, else in the step's order.
    pub(super) fn outputs(&self) -> Vec<AssetKey> {
        if self.assets.len() == self.step.outputs.len() {
            return Vec::new();
        }
        let own = self.step.outputs.iter();
        own.filter(|key| self.assets.contains(key))
            .cloned()
            .collect()
    }
}

/// The parts that make `assets`, which are in order, in the order of their first assets.
///
/// # Errors
/// [`Rejection::PartialStep`] when a part of a step is asked for that is carried out whole.
pub(super) fn of<'a>(
    catalog: &'a Catalog,
    assets: &[AssetKey],
) -> Result<Vec<Part<'a>>, Rejection> {
    let mut of_step: BTreeMap<(&str, &str), Vec<&AssetKey>> = BTreeMap::new();
    for key in assets {
        let step = step_of(catalog, key)?;
        if step.step.graph.is_some() || step.step.outputs.len() > 1 {
            of_step.entry(name(step)).or_default().push(key);
        }
    }
    let mut selected: BTreeSet<&AssetKey> = BTreeSet::new();
    if !of_step.is_empty() {
        selected.extend(assets);
    }
    let mut layers: BTreeMap<&AssetKey, usize> = BTreeMap::new();
    for chosen in of_step.values() {
        let found = step_of(catalog, chosen[0])?;
        let whole = found.definitions.makes(found.step);
        if found.step.can_subset {
            layers.extend(layers_of(catalog, &selected, chosen));
        } else if chosen.len() < whole.len() {
            return Err(partial(name(found).1, &whole, chosen));
        }
    }
    let mut parts: Vec<Part<'a>> = Vec::new();
    let mut known: HashMap<((&str, &str), usize), usize> = HashMap::new();
    for key in assets {
        let found = step_of(catalog, key)?;
        let layer = layers.get(key).copied().unwrap_or(0);
        let at = *known.entry((name(found), layer)).or_insert_with(|| {
            parts.push(Part {
                definitions: found.definitions,
                step: found.step,
                assets: Vec::new(),
            });
            parts.len() - 1
        });
        parts[at].assets.push(key.clone());
    }
    Ok(parts)
}

fn step_of<'a>(catalog: &'a Catalog, key: &AssetKey) -> Result<StepRef<'a>, Rejection> {
    let found = catalog.step_of(key);
    found.ok_or_else(|| Rejection::External(key.clone()))
}

/// Location, and step or graph.
fn name(found: StepRef<'_>) -> (&str, &str) {
    let step = found.step;
    let name = step.graph.as_ref().unwrap_or(&step.name);
    (found.definitions.location(), name)
}

fn partial(step: &str, whole: &[AssetKey], chosen: &[&AssetKey]) -> Rejection {
    let missing = whole.iter().filter(|key| !chosen.contains(key));
    let list = |keys: &mut dyn Iterator<Item = &AssetKey>| {
        let keys: Vec<String> = keys.map(|key| format!("`{key}`")).collect();
        keys.join(", ")
    };
    Rejection::PartialStep {
        step: step.to_owned(),
        chosen: list(&mut chosen.iter().copied()),
        missing: list(&mut missing.into_iter()),
    }
}

/// How often the way to each of these assets of a step leaves the step, through something that is made
/// in this run, and comes back. Assets of one number can be made at once.
fn layers_of<'k>(
    catalog: &Catalog,
    selected: &BTreeSet<&AssetKey>,
    chosen: &[&'k AssetKey],
) -> Vec<(&'k AssetKey, usize)> {
    let own: BTreeSet<&AssetKey> = chosen.iter().copied().collect();
    let parents = |key: &AssetKey| {
        let mut parents = catalog.parents(key);
        parents.retain(|parent| parent != key);
        parents
    };
    let direct = chosen.iter().flat_map(|key| parents(key));
    let outside = direct.filter(|key| !own.contains(key));
    let above = graph::reachable(outside, None, |key| parents(key));
    if !above.iter().any(|key| own.contains(key)) {
        return Vec::new();
    }
    let all: BTreeSet<AssetKey> = above
        .into_iter()
        .chain(chosen.iter().map(|key| (*key).clone()))
        .collect();
    let (mut done, mut order) = (HashSet::new(), Vec::new());
    for key in &all {
        visit(catalog, key, &all, &mut done, &mut order);
    }
    // Of an asset outside: the last layer on the way to it, and whether something was made since.
    let mut layers: BTreeMap<AssetKey, (usize, bool)> = BTreeMap::new();
    for key in order {
        let found = parents(&key);
        let last = found.iter().filter_map(|parent| layers.get(parent)).max();
        let (layer, made) = last.copied().unwrap_or((0, false));
        let here = if own.contains(&key) {
            (layer + usize::from(made), false)
        } else {
            (layer, made || selected.contains(&key))
        };
        layers.insert(key, here);
    }
    let layer = |key: &AssetKey| layers.get(key).map_or(0, |(layer, _)| *layer);
    chosen.iter().map(|key| (*key, layer(key))).collect()
}
