//! The plan of a rerun: given tasks of a plan that was carried out, with the definitions of now.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use arco_core::definitions::{Catalog, Definitions, StepDef};
use arco_core::partition::PartitionsDef;
use arco_core::plan::PlannedTask;
use arco_core::{AssetKey, PartitionKey, RunId, Timestamp};

use super::units::{Makers, Units};
use super::{Planned, finish, visit};
use crate::Rejection;

/// Plans these tasks of `run` again. The edges are those of the definitions in `catalog`; what a task
/// needs that is not among `tasks` is read from storage, as in any plan.
///
/// # Errors
/// [`Rejection`] when a step is not what it was, or a partition is no longer there.
pub fn again<'a>(
    catalog: &'a Catalog,
    run: RunId,
    tasks: &'a [PlannedTask],
    now: Timestamp,
) -> Result<Planned, Rejection> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut known: BTreeMap<Kind<'_>, usize> = BTreeMap::new();
    let mut add = |step: Step<'a>, kind: Kind<'a>, keys: &'a [PartitionKey]| {
        let (outputs, mapping_key) = (kind.2.clone(), kind.3.map(str::to_owned));
        let at = *known.entry(kind).or_insert_with(|| {
            parts.push(Part {
                step,
                outputs,
                mapping_key,
                keys: Vec::new(),
            });
            parts.len() - 1
        });
        parts[at].keys.extend(keys);
    };
    let redone: BTreeSet<(&str, &str, &[PartitionKey])> = tasks
        .iter()
        .map(|task| (&*task.location, &*task.step, &*task.partitions))
        .collect();
    for task in tasks {
        let step = Step::find(catalog, run, (&task.location, &task.step))?;
        let outputs = step.outputs(run, task)?;
        let key = task.mapping_key.as_deref();
        if let (Some(_), Some(over)) = (key, &step.step.over) {
            // The keys come anew, and these tasks with them.
            if redone.contains(&(&*task.location, &*over.step, &*task.partitions)) {
                continue;
            }
        }
        add(
            step,
            (&task.location, &task.step, outputs, key),
            &task.partitions,
        );
        let graph = step.step.graph.as_deref().unwrap_or_default();
        for op in step.definitions.ops(graph) {
            if op.over.as_ref().is_some_and(|over| over.step == task.step) {
                let mapped = Step {
                    definitions: step.definitions,
                    step: op,
                };
                add(
                    mapped,
                    (&task.location, &op.name, Vec::new(), None),
                    &task.partitions,
                );
            }
        }
    }
    let mut units = Units::default();
    let mut of_asset = Makers::new();
    let (makers, judges): (Vec<Part<'_>>, Vec<Part<'_>>) = parts
        .into_iter()
        .partition(|part| part.step.step.checks.is_empty() || !part.makes().is_empty());
    for part in in_order(catalog, makers) {
        for key in part.makes() {
            let makers = of_asset.entry(key.clone()).or_default();
            makers.push(units.list.len());
        }
        part.push(run, &mut units, now)?;
    }
    let asset_units = units.list.len();
    for part in judges {
        part.push(run, &mut units, now)?;
    }
    finish(catalog, &units.list, asset_units, &of_asset, now)
}

/// Location, step, assets (empty for all), mapping key.
type Kind<'a> = (&'a str, &'a str, Vec<AssetKey>, Option<&'a str>);

/// Tasks of one step that make the same of its assets, or are there for the same mapping key.
struct Part<'a> {
    step: Step<'a>,
    /// Empty for all.
    outputs: Vec<AssetKey>,
    mapping_key: Option<String>,
    keys: Vec<&'a PartitionKey>,
}

impl<'a> Part<'a> {
    fn makes(&self) -> &[AssetKey] {
        if self.outputs.is_empty() {
            &self.step.step.outputs
        } else {
            &self.outputs
        }
    }

    fn push(self, run: RunId, units: &mut Units<'a>, now: Timestamp) -> Result<(), Rejection> {
        let Self {
            step,
            outputs,
            mapping_key,
            keys,
        } = self;
        let keys = step.keys(run, &keys, now)?;
        units.push(step.definitions, &step.step.name, outputs, keys);
        if let Some(unit) = units.list.last_mut() {
            unit.mapping_key = mapping_key;
        }
        Ok(())
    }
}

/// The parts, each after those that make an ancestor of its first asset.
fn in_order<'a>(catalog: &Catalog, parts: Vec<Part<'a>>) -> Vec<Part<'a>> {
    let assets: BTreeSet<AssetKey> = parts.iter().flat_map(Part::makes).cloned().collect();
    let (mut done, mut order) = (HashSet::new(), Vec::new());
    for key in &assets {
        visit(catalog, key, &assets, &mut done, &mut order);
    }
    let rank: BTreeMap<&AssetKey, usize> = order.iter().zip(0..).collect();
    let mut parts = parts;
    parts.sort_by_cached_key(|part| part.makes().iter().map(|key| rank[key]).min());
    parts
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
            why: "is no longer defined".to_owned(),
        })
    }

    /// The part of its assets that a task made: empty for all, also of a step that is whole by now.
    fn outputs(self, run: RunId, task: &PlannedTask) -> Result<Vec<AssetKey>, Rejection> {
        if let Some(gone) = task
            .outputs
            .iter()
            .find(|key| !self.step.outputs.contains(key))
        {
            return Err(Rejection::StepGone {
                run,
                location: task.location.clone(),
                step: task.step.clone(),
                why: format!("no longer makes `{gone}`"),
            });
        }
        let whole = !self.step.can_subset || task.outputs.len() == self.step.outputs.len();
        Ok(if whole {
            Vec::new()
        } else {
            task.outputs.clone()
        })
    }

    /// What it makes or judges, and its partitions.
    fn subject(self) -> Option<(&'a AssetKey, Option<&'a PartitionsDef>)> {
        if let Some(key) = self.definitions.makes(self.step).first() {
            let asset = self.definitions.asset(key)?;
            return Some((&asset.key, asset.partitions.as_ref()));
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
        let gone = |why: &str| Rejection::StepGone {
            run,
            location: self.definitions.location().to_owned(),
            step: self.step.name.clone(),
            why: why.to_owned(),
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
