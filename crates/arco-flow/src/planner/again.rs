//! The plan of a rerun: given tasks of a plan that was carried out, with the definitions of now.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::definitions::{Catalog, Definitions, StepDef};
use arco_core::partition::PartitionsDef;
use arco_core::plan::PlannedTask;
use arco_core::{AssetKey, PartitionKey, RunId, Timestamp};

use super::{Planned, Units, finish, visit};
use crate::Rejection;

/// Plans these tasks of `run` again. The edges are those of the definitions in `catalog`; what a task
/// needs that is not among `tasks` is read from storage, as in any plan.
///
/// # Errors
/// [`Rejection`] when a step is not what it was, or a partition is no longer there.
pub fn again<'t>(
    catalog: &Catalog,
    run: RunId,
    tasks: impl IntoIterator<Item = &'t PlannedTask>,
    now: Timestamp,
) -> Result<Planned, Rejection> {
    let mut keys: BTreeMap<(&str, &str), Vec<&PartitionKey>> = BTreeMap::new();
    let mut order: Vec<(&str, &str)> = Vec::new();
    for task in tasks {
        let name = (task.location.as_str(), task.step.as_str());
        keys.entry(name)
            .or_insert_with(|| {
                order.push(name);
                Vec::new()
            })
            .extend(&task.partitions);
    }
    let mut makers: BTreeMap<&AssetKey, Step<'_>> = BTreeMap::new();
    let mut judges: Vec<Step<'_>> = Vec::new();
    for name in &order {
        let step = Step::find(catalog, run, *name)?;
        match step.step.outputs.as_slice() {
            [] => judges.push(step),
            outputs => makers.extend(outputs.iter().map(|key| (key, step))),
        }
    }
    let mut units = Units::default();
    let mut of_asset: BTreeMap<AssetKey, usize> = BTreeMap::new();
    for key in in_order(catalog, makers.keys().map(|key| (*key).clone()).collect()) {
        let step = makers[&key];
        let at = match units.place(step.definitions, &step.step.name) {
            Some(at) => at,
            None => {
                let keys = step.keys(run, &keys[&step.name()], now)?;
                units.push(step.definitions, &step.step.name, keys);
                units.list.len() - 1
            }
        };
        of_asset.insert(key, at);
    }
    let asset_units = units.list.len();
    for step in judges {
        let keys = step.keys(run, &keys[&step.name()], now)?;
        units.push(step.definitions, &step.step.name, keys);
    }
    finish(catalog, &units.list, asset_units, &of_asset, now)
}

/// The assets, each after all its ancestors.
fn in_order(catalog: &Catalog, assets: BTreeSet<AssetKey>) -> Vec<AssetKey> {
    let (mut done, mut out) = (BTreeSet::new(), Vec::new());
    for key in &assets {
        visit(catalog, key, &assets, &mut done, &mut out);
    }
    out
}

/// A step as it is defined now.
#[derive(Clone, Copy)]
struct Step<'a> {
    definitions: &'a std::sync::Arc<Definitions>,
    step: &'a StepDef,
}

impl<'a> Step<'a> {
    fn find(
        catalog: &'a Catalog,
        run: RunId,
        (location, name): (&str, &str),
    ) -> Result<Self, Rejection> {
        let found = catalog.locations().get(location).and_then(|definitions| {
            let step = definitions.step(name)?;
            Some(Self { definitions, step })
        });
        found.ok_or_else(|| Rejection::StepGone {
            run,
            location: location.to_owned(),
            step: name.to_owned(),
            why: "is no longer defined",
        })
    }

    fn name(self) -> (&'a str, &'a str) {
        (self.definitions.location(), &self.step.name)
    }

    /// What it makes or judges, and its partitions.
    fn subject(self) -> Option<(&'a AssetKey, Option<&'a PartitionsDef>)> {
        if let Some(key) = self.step.outputs.first() {
            let asset = self.definitions.asset(key)?;
            return Some((key, asset.partitions.as_ref()));
        }
        let (asset, name) = self.step.checks.first()?;
        let check = self.definitions.check(asset, name)?;
        Some((asset, check.partitions.as_ref()))
    }

    fn keys(
        self,
        run: RunId,
        had: &[&PartitionKey],
        now: Timestamp,
    ) -> Result<Option<Vec<PartitionKey>>, Rejection> {
        let gone = |why| Rejection::StepGone {
            run,
            location: self.definitions.location().to_owned(),
            step: self.step.name.clone(),
            why,
        };
        let (asset, def) = self.subject().ok_or_else(|| gone("is no longer defined"))?;
        let Some(def) = def else {
            return match had {
                [] => Ok(None),
                _ => Err(gone("is no longer partitioned")),
            };
        };
        if had.is_empty() {
            return Err(gone("is partitioned by now"));
        }
        let mut by_ordinal = BTreeMap::new();
        for key in had {
            let ordinal = def
                .require(key, now)
                .map_err(|error| Rejection::bad_partition(asset, &error))?;
            by_ordinal.insert(ordinal, (*key).clone());
        }
        Ok(Some(by_ordinal.into_values().collect()))
    }
}
