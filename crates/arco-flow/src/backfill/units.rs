//! Which assets of a backfill go into one run (B-12).

mod steps;

use std::collections::BTreeMap;

use arco_core::AssetKey;
use arco_core::definitions::{BackfillPolicy, Catalog, Dep};
use arco_core::partition::{PartitionMapping, PartitionsDef};

use super::target::{Target, Wanted, definition};

/// Assets that are made together: their partitions are one and the same, and each reads its own partition of
/// the others, or what all of them read. So nothing waits for what it does not read.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Each after all its ancestors among them.
    pub assets: Vec<AssetKey>,
    /// What is made of each.
    pub wanted: Wanted,
    /// Units before this one of which it reads partitions, and which; no mapping when those have none.
    pub needs: Vec<(usize, Option<PartitionMapping>)>,
    /// One of its assets reads the past of what is made at once with it, or its own: others would wait for that.
    is_past: bool,
    /// The code location, since a run of several has no order to gain.
    location: String,
    /// How many partitions a run makes.
    pub policy: Option<BackfillPolicy>,
}

fn policy(catalog: &Catalog, key: &AssetKey) -> Option<BackfillPolicy> {
    catalog.asset(key)?.asset.backfill_policy
}

impl Unit {
    /// Groups the assets of a target; each unit comes after those it needs.
    #[must_use]
    pub fn of(catalog: &Catalog, target: &Target) -> Vec<Self> {
        let mut units: Vec<Self> = Vec::new();
        let mut of_asset: BTreeMap<&AssetKey, usize> = BTreeMap::new();
        for made_at_once in steps::in_order(catalog, target) {
            let wanted = made_at_once[0].1;
            let reads = made_at_once.iter();
            let reads: Vec<Read> = reads
                .flat_map(|asset| reads_of(catalog, target, *asset, &of_asset))
                .collect();
            let alone = Self::alone(catalog, &made_at_once, wanted, &reads);
            let joined = units
                .iter()
                .enumerate()
                .position(|(at, unit)| unit.takes(catalog, at, &alone, &reads));
            let at = joined.unwrap_or(units.len());
            match units.get_mut(at) {
                Some(unit) => unit.assets.extend(alone.assets),
                None => units.push(alone),
            }
            of_asset.extend(made_at_once.into_iter().map(|(key, _)| (key, at)));
        }
        units
    }

    /// The unit of assets that are made at once, of which the same is wanted.
    fn alone(
        catalog: &Catalog,
        assets: &[(&AssetKey, &Wanted)],
        wanted: &Wanted,
        reads: &[Read],
    ) -> Self {
        let key = assets[0].0;
        let is_here = |key: &AssetKey| assets.iter().any(|(known, _)| *known == key);
        let is_past = |key: &AssetKey| {
            let deps = catalog.asset(key).map(|found| found.asset.deps.iter());
            let mut here = deps.into_iter().flatten().filter(|dep| is_here(&dep.asset));
            here.any(|dep| dep.asset == *key || !reads_its_own_of(catalog, key, dep))
        };
        Self {
            assets: assets.iter().map(|(key, _)| (*key).clone()).collect(),
            wanted: wanted.clone(),
            needs: distinct(reads.iter().map(|(_, need)| need)),
            is_past: assets.iter().any(|(key, _)| is_past(key)),
            location: catalog
                .step_of(key)
                .map(|step| step.definitions.location().to_owned())
                .unwrap_or_default(),
            policy: policy(catalog, key),
        }
    }

    /// Whether assets that are made at once may be made with those of this unit, of number `at`.
    fn takes(&self, catalog: &Catalog, at: usize, alone: &Self, reads: &[Read]) -> bool {
        let same = definition(catalog, &self.assets[0]) == definition(catalog, &alone.assets[0]);
        let fits = same
            && self.wanted == alone.wanted
            && self.location == alone.location
            && self.policy == alone.policy;
        let is_here = |(is_own, need): &&Read| *is_own && need.0 == at;
        let is_child = reads.iter().any(|read| is_here(&read));
        let apart = reads.iter().filter(|read| !is_here(read));
        let apart = distinct(apart.map(|(_, need)| need));
        fits && !self.is_past
            && !alone.is_past
            && apart.iter().all(|need| self.needs.contains(need))
            && (is_child || apart.len() == self.needs.len())
    }
}

/// What an asset reads of a unit, and whether that is its own partition of an asset of which the same is made.
type Read = (bool, (usize, Option<PartitionMapping>));

/// What an asset reads of those that have a unit.
fn reads_of(
    catalog: &Catalog,
    target: &Target,
    (key, wanted): (&AssetKey, &Wanted),
    of_asset: &BTreeMap<&AssetKey, usize>,
) -> Vec<Read> {
    let deps = catalog
        .asset(key)
        .map_or(&[][..], |found| found.asset.deps.as_slice());
    let read = |dep: &Dep| {
        let at = *of_asset.get(&dep.asset)?;
        let parent = definition(catalog, &dep.asset);
        let mapping = mapping_of(catalog, key, dep);
        let is_same = reads_its_own_of(catalog, key, dep);
        let is_own = is_same && target.wanted(&dep.asset) == Some(wanted);
        let mapping = if is_same {
            PartitionMapping::Identity
        } else {
            mapping
        };
        Some((is_own, (at, parent.is_some().then_some(mapping))))
    };
    deps.iter().filter_map(read).collect()
}

fn mapping_of(catalog: &Catalog, key: &AssetKey, dep: &Dep) -> PartitionMapping {
    let (child, parent) = (definition(catalog, key), definition(catalog, &dep.asset));
    let given = dep.mapping.clone();
    given.unwrap_or_else(|| PartitionMapping::infer(child, parent))
}

/// Whether each partition of an asset reads exactly the same one of what it depends on.
pub(super) fn reads_its_own_of(catalog: &Catalog, key: &AssetKey, dep: &Dep) -> bool {
    let (child, parent) = (definition(catalog, key), definition(catalog, &dep.asset));
    child == parent && reads_its_own(child, &mapping_of(catalog, key, dep))
}

fn distinct<'a, T: PartialEq + Clone + 'a>(all: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut out: Vec<T> = Vec::new();
    for one in all {
        if !out.contains(one) {
            out.push(one.clone());
        }
    }
    out
}

/// Whether a child partition reads exactly the same partition of a parent with one definition.
fn reads_its_own(def: Option<&PartitionsDef>, mapping: &PartitionMapping) -> bool {
    match mapping {
        PartitionMapping::Identity => true,
        PartitionMapping::TimeWindow {
            start_offset,
            end_offset,
            ..
        } => *start_offset == 0 && *end_offset == 0,
        PartitionMapping::All => def.is_none(),
        _ => false,
    }
}
