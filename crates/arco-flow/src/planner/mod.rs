//! From "these assets, these partitions" to the explicit tasks of a run and the edges between them.
//!
//! A plan holds what was selected and nothing else: never upstream, never downstream. Order follows
//! reachability in the whole graph, not adjacency, so that a and c of a → b → c keep their order
//! although b is not selected (D-12).

mod again;
mod checks;
mod edges;
mod estimate;
mod mapped;
mod partitions;
mod parts;
mod units;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use arco_core::definitions::{Catalog, StepKind};
use arco_core::plan::{Plan, PlannedTask};
use arco_core::{AssetKey, Digest, TaskIndex, Timestamp, graph};

use self::checks::{add_check_units, add_chosen_check, checks_of};
use self::units::{Makers, Unit, Units};
use crate::Rejection;

pub use again::again;
pub(crate) use checks::unknown_check;
pub use estimate::{Estimate, estimate};
pub use partitions::PartitionsAsked;

/// Tasks one run may have. A plan of this size is some 10 MB of JSON; more is what backfills are for.
pub const TASKS_MAX: usize = 200_000;

/// What a run is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRequest {
    /// Assets, as selected.
    pub assets: BTreeSet<AssetKey>,
    /// Which checks, (asset, name); `None` for those of the assets.
    pub checks: Option<BTreeSet<(AssetKey, String)>>,
    /// Which partitions of the partitioned ones.
    pub partitions: PartitionsAsked,
}

/// A plan and the definitions it was made with.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The tasks.
    pub plan: Plan,
    /// Version per location the tasks touch.
    pub definitions: BTreeMap<String, Digest>,
}

/// Plans a run. Pure: `now` says which time partitions exist.
///
/// # Errors
/// [`Rejection`] when an asset or partition is not what it should be; nothing is half planned.
pub fn plan(
    catalog: &Catalog,
    request: &PlanRequest,
    now: Timestamp,
) -> Result<Planned, Rejection> {
    let assets = in_order(catalog, &request.assets)?;
    request.check_partitions_used(catalog, &assets)?;
    let mut units = Units::default();
    let mut of_asset = Makers::new();
    for part in parts::of(catalog, &assets)? {
        let def = part.definitions.asset(&part.assets[0]);
        // One observation says the versions of all partitions it knows.
        let makes = part.step.kind != StepKind::Observe;
        let def = def.and_then(|asset| asset.partitions.as_ref().filter(|_| makes));
        let keys = request.partitions.keys(&part.assets[0], def, now)?;
        if let Some(graph) = &part.step.graph {
            for op in part.definitions.ops(graph) {
                for key in &op.outputs {
                    of_asset.insert(key.clone(), vec![units.list.len()]);
                }
                units.push(part.definitions, &op.name, Vec::new(), keys.clone());
            }
            continue;
        }
        for key in &part.assets {
            of_asset.insert(key.clone(), vec![units.list.len()]);
        }
        units.push(part.definitions, &part.step.name, part.outputs(), keys);
    }
    let asset_units = units.list.len();
    match &request.checks {
        None => {
            let checks = checks_of(catalog);
            for key in &assets {
                let own = checks.get(key).map_or(&[][..], Vec::as_slice);
                add_check_units(catalog, request, key, own, now, &mut units)?;
            }
        }
        Some(checks) => {
            for (asset, name) in checks {
                add_chosen_check(catalog, request, (asset, name), now, &mut units)?;
            }
        }
    }
    if units.tasks > TASKS_MAX {
        return Err(Rejection::TooManyTasks {
            tasks: units.tasks,
            max: TASKS_MAX,
        });
    }
    finish(catalog, &units.list, asset_units, &of_asset, now)
}

/// The edges, and the order; units from `asset_units` on are check tasks.
fn finish(
    catalog: &Catalog,
    units: &[Unit<'_>],
    asset_units: usize,
    of_asset: &Makers,
    now: Timestamp,
) -> Result<Planned, Rejection> {
    let graph = edges::Graph::new(catalog, units, asset_units, of_asset, now);
    let tasks = graph.tasks()?;
    let definitions = units
        .iter()
        .map(|unit| {
            (
                unit.definitions.location().to_owned(),
                unit.definitions.version(),
            )
        })
        .collect();
    Ok(Planned {
        plan: mapped::split(sort(tasks)?, units),
        definitions,
    })
}

/// The selected assets, each after all its selected ancestors.
pub(crate) fn in_order(
    catalog: &Catalog,
    selected: &BTreeSet<AssetKey>,
) -> Result<Vec<AssetKey>, Rejection> {
    for key in selected {
        let known = catalog.asset(key).ok_or_else(|| Rejection::UnknownAsset {
            asset: key.clone(),
            hint: graph::did_you_mean(key.as_str(), catalog.keys().map(AssetKey::as_str))
                .map_or_else(
                    || "; `arco assets` lists what there is".to_owned(),
                    |word| format!("; did you mean `{word}`?"),
                ),
        })?;
        if known.asset.step.is_none() {
            return Err(Rejection::External(key.clone()));
        }
    }
    let mut out = Vec::new();
    let mut done = HashSet::new();
    for key in selected {
        visit(catalog, key, selected, &mut done, &mut out);
    }
    Ok(out)
}

/// Depth first with its own stack; the catalog has no cycles.
fn visit(
    catalog: &Catalog,
    start: &AssetKey,
    selected: &BTreeSet<AssetKey>,
    done: &mut HashSet<AssetKey>,
    out: &mut Vec<AssetKey>,
) {
    let mut stack = vec![(start.clone(), false)];
    while let Some((key, expanded)) = stack.pop() {
        if expanded {
            if selected.contains(&key) {
                out.push(key);
            }
        } else if done.insert(key.clone()) {
            stack.push((key.clone(), true));
            let parents = catalog.parents(&key);
            stack.extend(parents.into_iter().rev().map(|parent| (parent, false)));
        }
    }
}

impl PlanRequest {
    /// A key for assets and checks of which none is partitioned is a mistake worth saying.
    fn check_partitions_used(
        &self,
        catalog: &Catalog,
        assets: &[AssetKey],
    ) -> Result<(), Rejection> {
        let of_check = |(asset, name): &(AssetKey, String)| {
            let mut checks = catalog.checks_of(asset);
            checks.any(|(_, check)| check.name == *name && check.partitions.is_some())
        };
        if self.checks.iter().flatten().any(of_check) {
            return Ok(());
        }
        self.partitions.check_used(catalog, assets)
    }
}

/// Renumbers the tasks so that each comes after those it needs (a check task may be needed by an
/// asset planned before it). Stable: tasks keep their order where nothing forces another.
///
/// # Errors
/// [`Rejection::StepsWait`] when tasks need each other: a step that must be carried out whole reads what
/// is made of one of its assets.
fn sort(tasks: Vec<PlannedTask>) -> Result<Vec<PlannedTask>, Rejection> {
    let count = tasks.len();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut unmet: Vec<usize> = vec![0; count];
    for (index, task) in tasks.iter().enumerate() {
        unmet[index] = task.needs.len();
        task.needs
            .iter()
            .for_each(|need| dependents[*need as usize].push(index));
    }
    let mut ready: BTreeSet<usize> = (0..count).filter(|n| unmet[*n] == 0).collect();
    let mut order: Vec<usize> = Vec::with_capacity(count);
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for dependent in &dependents[next] {
            unmet[*dependent] -= 1;
            if unmet[*dependent] == 0 {
                ready.insert(*dependent);
            }
        }
    }
    if order.len() < count {
        let stuck = (0..count).filter(|index| unmet[*index] > 0);
        let steps: BTreeSet<&str> = stuck.map(|index| tasks[index].step.as_str()).collect();
        let steps: Vec<String> = steps.iter().map(|step| format!("`{step}`")).collect();
        return Err(Rejection::StepsWait(steps.join(", ")));
    }
    let mut renamed: Vec<TaskIndex> = vec![0; count];
    for (new, old) in (0_u32..).zip(&order) {
        renamed[*old] = new;
    }
    let mut slots: Vec<Option<PlannedTask>> = tasks.into_iter().map(Some).collect();
    let tasks = order
        .iter()
        .filter_map(|old| slots[*old].take())
        .map(|mut task| {
            task.needs
                .iter_mut()
                .for_each(|need| *need = renamed[*need as usize]);
            task.needs.sort_unstable();
            task
        });
    Ok(tasks.collect())
}
