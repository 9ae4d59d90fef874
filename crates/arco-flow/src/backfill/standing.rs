//! What a backfill may choose by where it stands, and what stands nowhere any more.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::backfill::{PartitionFilter, PartitionWanted};
use arco_core::partition::{Ordinals, PartitionsDef};
use arco_core::{AssetKey, Timestamp};

use super::target::definition;
use crate::state::{AssetState, Backfill, PagedBitmap, State};

#[cfg(test)]
mod tests;

/// Partitions named of those that are not defined any more.
const GONE_NAMED: usize = 3;

/// What of some assets stands as a filter wants it: each asset with partitions, with those that do; and each
/// without that does itself, or that its step makes together with one that does. `None` when the filter does
/// not ask.
#[must_use]
pub fn by_status(
    state: &State,
    assets: &BTreeSet<AssetKey>,
    filter: &PartitionFilter,
    now: Timestamp,
) -> Option<(BTreeSet<AssetKey>, BTreeMap<AssetKey, Ordinals>)> {
    if filter.statuses.is_empty() {
        return None;
    }
    let (mut chosen, mut only) = (BTreeSet::new(), BTreeMap::new());
    for key in assets {
        if let Some(def) = definition(&state.catalog, key) {
            only.insert(key.clone(), partitions_like(state, key, def, filter, now));
            chosen.insert(key.clone());
        } else if together(state, key, assets).any(|key| is_like(state, key, filter)) {
            chosen.insert(key.clone());
        }
    }
    Some((chosen, only))
}

fn partitions_like(
    state: &State,
    key: &AssetKey,
    def: &PartitionsDef,
    filter: &PartitionFilter,
    now: Timestamp,
) -> Ordinals {
    let known = state.assets.get(key).map(AsRef::as_ref);
    let with = |bits: fn(&AssetState) -> &PagedBitmap| -> Ordinals {
        let Some(asset) = known else {
            return Ordinals::default();
        };
        let slots = bits(asset).iter().filter_map(|at| asset.slot(at)?);
        slots.filter_map(|key| def.ordinal_of(&key)).collect()
    };
    let (made, failed) = (with(|a| &a.materialized), with(|a| &a.failed));
    let mut chosen = Ordinals::default();
    for status in &filter.statuses {
        chosen = chosen.union(&match status {
            PartitionWanted::Missing => def.existing(now).difference(&made),
            PartitionWanted::Failed => failed.clone(),
            PartitionWanted::Materialized => made.difference(&failed),
        });
    }
    chosen
}

/// The asset, and those among the chosen ones that are only ever made together with it.
fn together<'a>(
    state: &'a State,
    key: &'a AssetKey,
    assets: &'a BTreeSet<AssetKey>,
) -> impl Iterator<Item = &'a AssetKey> {
    let found = state.catalog.step_of(key);
    let step = found
        .map(|found| found.step)
        .filter(|step| !step.can_subset);
    let others = step.map_or(&[][..], |step| step.outputs.as_slice());
    std::iter::once(key).chain(others.iter().filter(|other| assets.contains(*other)))
}

/// An asset without partitions, as a whole.
fn is_like(state: &State, key: &AssetKey, filter: &PartitionFilter) -> bool {
    let known = state.assets.get(key);
    let has = |bits: fn(&AssetState) -> &PagedBitmap| {
        known.is_some_and(|asset| {
            asset
                .ordinal(&None)
                .is_some_and(|at| bits(asset).contains(at))
        })
    };
    let (made, failed) = (has(|a| &a.materialized), has(|a| &a.failed));
    filter.statuses.iter().any(|status| match status {
        PartitionWanted::Missing => !made,
        PartitionWanted::Failed => failed,
        PartitionWanted::Materialized => made && !failed,
    })
}

/// What a backfill left undone and nobody defines any more, in words.
#[must_use]
pub fn gone(state: &State, backfill: &Backfill) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    let mut all = 0_usize;
    let mut say = |name: String| {
        all += 1;
        if names.len() < GONE_NAMED {
            names.push(name);
        }
    };
    let held_up = backfill.progress.held_up(&backfill.shape);
    for (at, unit) in backfill.target.units.iter().enumerate() {
        let (shape, progress) = (&backfill.shape.units[at], &backfill.progress.units[at]);
        let is_over = |n: &u32| {
            let is_held_up = held_up.get(at).is_some_and(|members| members.contains(*n));
            is_held_up || progress.done.contains(*n) || progress.skipped.contains(*n)
        };
        let left: Vec<u32> = (0..shape.count()).filter(|n| !is_over(n)).collect();
        for (number, asset) in (0..).zip(&unit.assets) {
            let left = left.iter().filter(|n| !progress.made_partly(number, **n));
            let mut left = left.peekable();
            if left.peek().is_none() {
                continue;
            }
            if state.catalog.step_of(asset).is_none() {
                say(format!("asset `{asset}`"));
                continue;
            }
            match (definition(&state.catalog, asset), &shape.def) {
                (Some(now), Some(_)) => {
                    let keys = left.filter_map(|n| shape.key(*n));
                    for key in keys.filter(|key| now.ordinal_of(key).is_none()) {
                        say(format!("partition `{}` of `{asset}`", key.display()));
                    }
                }
                (None, Some(_)) => say(format!("`{asset}` with partitions")),
                (Some(_), None) => say(format!("`{asset}` without partitions")),
                (None, None) => {}
            }
        }
    }
    let is = if all == 1 { "is" } else { "are" };
    let more = match all - names.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    (all > 0).then(|| format!("{}{more} {is} not defined any more", names.join(", ")))
}
