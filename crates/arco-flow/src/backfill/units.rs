//! Which assets of a backfill go into one run (B-12).

use std::collections::{BTreeMap, BTreeSet};

use arco_core::AssetKey;
use arco_core::definitions::{BackfillPolicy, Catalog};
use arco_core::partition::{PartitionMapping, PartitionsDef};

use super::target::{Target, Wanted, definition};

/// Assets that are made together: their partitions are one and the same, and each reads its own partition of
/// the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Each after all its ancestors among them.
    pub assets: Vec<AssetKey>,
    /// What is made of each.
    pub wanted: Wanted,
    /// Units before this one of which it reads partitions.
    pub needs: BTreeSet<usize>,
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
        for (key, wanted) in &target.assets {
            let (together, apart) = parents(catalog, target, key, wanted, &of_asset);
            let location = catalog
                .step_of(key)
                .map(|step| step.definitions.location().to_owned())
                .unwrap_or_default();
            let policy = policy(catalog, key);
            let fits = |unit: &Unit| {
                let same =
                    |other: &AssetKey| definition(catalog, other) == definition(catalog, key);
                unit.wanted == *wanted
                    && unit.location == location
                    && unit.policy == policy
                    && same(&unit.assets[0])
            };
            let joined = units.iter().enumerate().position(|(at, unit)| {
                let all_here = together.iter().all(|parent| *parent == at);
                let none_here = together.is_empty() && apart == unit.needs;
                fits(unit)
                    && all_here
                    && apart.is_subset(&unit.needs)
                    && (!together.is_empty() || none_here)
            });
            let at = joined.unwrap_or(units.len());
            match units.get_mut(at) {
                Some(unit) => unit.assets.push(key.clone()),
                None => units.push(Self {
                    assets: vec![key.clone()],
                    wanted: wanted.clone(),
                    needs: apart.union(&together).copied().collect(),
                    location,
                    policy,
                }),
            }
            of_asset.insert(key, at);
        }
        units
    }
}

/// Units of the targeted parents: those that could be of one unit with the child, and the others.
fn parents(
    catalog: &Catalog,
    target: &Target,
    key: &AssetKey,
    wanted: &Wanted,
    of_asset: &BTreeMap<&AssetKey, usize>,
) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let (mut together, mut apart) = (BTreeSet::new(), BTreeSet::new());
    let deps = catalog
        .asset(key)
        .map_or(&[][..], |found| found.asset.deps.as_slice());
    for dep in deps {
        let Some(at) = of_asset.get(&dep.asset) else {
            continue;
        };
        let child = definition(catalog, key);
        let parent = definition(catalog, &dep.asset);
        let mapping = dep
            .mapping
            .clone()
            .unwrap_or_else(|| PartitionMapping::infer(child, parent));
        let is_same = child == parent && reads_its_own(child, &mapping);
        if is_same && target.wanted(&dep.asset) == Some(wanted) {
            together.insert(*at);
        } else {
            apart.insert(*at);
        }
    }
    (together, apart)
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
