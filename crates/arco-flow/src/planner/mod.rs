//! From "these assets, these partitions" to the explicit tasks of a run and the edges between them.
//!
//! A plan holds what was selected and nothing else: never upstream, never downstream. Order follows
//! reachability in the whole graph, not adjacency, so that a and c of a → b → c keep their order
//! although b is not selected (D-12).

mod again;
mod edges;
mod partitions;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arco_core::definitions::{Catalog, Definitions};
use arco_core::plan::{Plan, PlannedTask};
use arco_core::{AssetKey, Digest, PartitionKey, TaskIndex, Timestamp, graph};

use crate::Rejection;

pub use again::again;
pub use partitions::PartitionsAsked;

/// Tasks one run may have. A plan of this size is some 10 MB of JSON; more is what backfills are for.
pub const TASKS_MAX: usize = 200_000;

/// What a run is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRequest {
    /// Assets, as selected.
    pub assets: BTreeSet<AssetKey>,
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

/// A step of the plan: one entry per (location, step), its partitions in order.
struct Unit<'a> {
    definitions: &'a Arc<Definitions>,
    step: &'a str,
    /// Keys of its tasks; `None` for an unpartitioned step.
    keys: Option<Vec<PartitionKey>>,
    /// Index of its first task.
    first: TaskIndex,
}

impl Unit<'_> {
    fn tasks(&self) -> usize {
        self.keys.as_ref().map_or(1, Vec::len)
    }
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
    request.partitions.check_used(catalog, &assets)?;
    let mut units: Vec<Unit<'_>> = Vec::new();
    let mut of_asset: BTreeMap<AssetKey, usize> = BTreeMap::new();
    let mut total = 0;
    for key in &assets {
        add_asset_unit(
            catalog,
            request,
            key,
            now,
            &mut units,
            &mut of_asset,
            &mut total,
        )?;
    }
    let asset_units = units.len();
    for key in &assets {
        add_check_units(catalog, request, key, now, &mut units, &mut total)?;
    }
    if total > TASKS_MAX {
        return Err(Rejection::TooManyTasks {
            tasks: total,
            max: TASKS_MAX,
        });
    }
    finish(catalog, &units, asset_units, &of_asset, now)
}

/// The edges, and the order; units from `asset_units` on are check tasks.
fn finish(
    catalog: &Catalog,
    units: &[Unit<'_>],
    asset_units: usize,
    of_asset: &BTreeMap<AssetKey, usize>,
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
        plan: sort(Plan { tasks }),
        definitions,
    })
}

/// The selected assets, each after all its selected ancestors.
fn in_order(catalog: &Catalog, selected: &BTreeSet<AssetKey>) -> Result<Vec<AssetKey>, Rejection> {
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
    let mut done: BTreeSet<AssetKey> = BTreeSet::new();
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
    done: &mut BTreeSet<AssetKey>,
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

fn add_asset_unit<'a>(
    catalog: &'a Catalog,
    request: &PlanRequest,
    key: &AssetKey,
    now: Timestamp,
    units: &mut Vec<Unit<'a>>,
    of_asset: &mut BTreeMap<AssetKey, usize>,
    total: &mut usize,
) -> Result<(), Rejection> {
    let Some(step) = catalog.step_of(key) else {
        return Err(Rejection::External(key.clone()));
    };
    let same = |unit: &Unit<'_>| {
        unit.step == step.step.name && unit.definitions.location() == step.definitions.location()
    };
    if let Some(at) = units.iter().position(same) {
        of_asset.insert(key.clone(), at);
        return Ok(());
    }
    let def = step
        .definitions
        .asset(key)
        .and_then(|a| a.partitions.as_ref());
    let keys = request.partitions.keys(key, def, now)?;
    of_asset.insert(key.clone(), units.len());
    push(units, step.definitions, &step.step.name, keys, total);
    Ok(())
}

/// Selecting an asset brings its checks. Checks judged within the asset's own step come with
/// its task; the others are tasks of their own.
fn add_check_units<'a>(
    catalog: &'a Catalog,
    request: &PlanRequest,
    key: &AssetKey,
    now: Timestamp,
    units: &mut Vec<Unit<'a>>,
    total: &mut usize,
) -> Result<(), Rejection> {
    let own_step = catalog.step_of(key).map(|s| s.step.name.clone());
    for (location, definitions) in catalog.locations() {
        let owner = catalog
            .asset(key)
            .is_some_and(|a| a.definitions.location() == location);
        for check in definitions
            .manifest()
            .checks
            .iter()
            .filter(|c| c.asset == *key)
        {
            if owner && own_step.as_ref() == Some(&check.step) {
                continue;
            }
            let planned = units
                .iter()
                .any(|unit| unit.step == check.step && unit.definitions.location() == location);
            if !planned {
                let keys = request
                    .partitions
                    .keys(key, check.partitions.as_ref(), now)?;
                push(units, definitions, &check.step, keys, total);
            }
        }
    }
    Ok(())
}

fn push<'a>(
    units: &mut Vec<Unit<'a>>,
    definitions: &'a Arc<Definitions>,
    step: &'a str,
    keys: Option<Vec<PartitionKey>>,
    total: &mut usize,
) {
    let unit = Unit {
        definitions,
        step,
        keys,
        first: TaskIndex::try_from(*total).unwrap_or(TaskIndex::MAX),
    };
    *total += unit.tasks();
    units.push(unit);
}

/// Renumbers the tasks so that each comes after those it needs (a check task may be needed by an
/// asset planned before it). Stable: tasks keep their order where nothing forces another.
fn sort(plan: Plan) -> Plan {
    let count = plan.tasks.len();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut unmet: Vec<usize> = vec![0; count];
    for (index, task) in plan.tasks.iter().enumerate() {
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
    debug_assert_eq!(
        order.len(),
        count,
        "the catalog has no cycles, so neither has a plan"
    );
    let mut renamed: Vec<TaskIndex> = vec![0; count];
    for (new, old) in (0_u32..).zip(&order) {
        renamed[*old] = new;
    }
    let mut slots: Vec<Option<PlannedTask>> = plan.tasks.into_iter().map(Some).collect();
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
    Plan {
        tasks: tasks.collect(),
    }
}
