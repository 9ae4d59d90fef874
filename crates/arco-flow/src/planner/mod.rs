//! From "these assets, these partitions" to the explicit tasks of a run and the edges between them.
//!
//! A plan holds what was selected and nothing else: never upstream, never downstream. Order follows
//! reachability in the whole graph, not adjacency, so that a and c of a → b → c keep their order
//! although b is not selected (D-12).

mod again;
mod edges;
mod estimate;
mod partitions;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arco_core::definitions::{Catalog, CheckDef, Definitions};
use arco_core::plan::{Plan, PlannedTask};
use arco_core::{AssetKey, Digest, PartitionKey, TaskIndex, Timestamp, graph};

use crate::Rejection;

pub use again::again;
pub use estimate::{Estimate, estimate};
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

/// The units so far, each step once.
#[derive(Default)]
struct Units<'a> {
    list: Vec<Unit<'a>>,
    /// (location, step) → its place in the list.
    places: HashMap<(&'a str, &'a str), usize>,
    /// Tasks of all of them.
    tasks: usize,
}

impl<'a> Units<'a> {
    fn place(&self, definitions: &Definitions, step: &str) -> Option<usize> {
        self.places.get(&(definitions.location(), step)).copied()
    }

    fn push(
        &mut self,
        definitions: &'a Arc<Definitions>,
        step: &'a str,
        keys: Option<Vec<PartitionKey>>,
    ) {
        let unit = Unit {
            definitions,
            step,
            keys,
            first: TaskIndex::try_from(self.tasks).unwrap_or(TaskIndex::MAX),
        };
        self.tasks += unit.tasks();
        let place = (definitions.location(), step);
        self.places.insert(place, self.list.len());
        self.list.push(unit);
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
    let mut units = Units::default();
    let mut of_asset: BTreeMap<AssetKey, usize> = BTreeMap::new();
    for key in &assets {
        add_asset_unit(catalog, request, key, now, &mut units, &mut of_asset)?;
    }
    let asset_units = units.list.len();
    let checks = checks_of(catalog);
    for key in &assets {
        let own = checks.get(key).map_or(&[][..], Vec::as_slice);
        add_check_units(catalog, request, key, own, now, &mut units)?;
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
    units: &mut Units<'a>,
    of_asset: &mut BTreeMap<AssetKey, usize>,
) -> Result<(), Rejection> {
    let Some(step) = catalog.step_of(key) else {
        return Err(Rejection::External(key.clone()));
    };
    if let Some(at) = units.place(step.definitions, &step.step.name) {
        of_asset.insert(key.clone(), at);
        return Ok(());
    }
    let def = step
        .definitions
        .asset(key)
        .and_then(|a| a.partitions.as_ref());
    let keys = request.partitions.keys(key, def, now)?;
    of_asset.insert(key.clone(), units.list.len());
    units.push(step.definitions, &step.step.name, keys);
    Ok(())
}

/// A check, and the definitions it is of.
type Check<'a> = (&'a Arc<Definitions>, &'a CheckDef);

/// The checks of each asset, of all locations.
fn checks_of(catalog: &Catalog) -> HashMap<&AssetKey, Vec<Check<'_>>> {
    let mut checks: HashMap<&AssetKey, Vec<Check<'_>>> = HashMap::new();
    for definitions in catalog.locations().values() {
        for check in &definitions.manifest().checks {
            let own = checks.entry(&check.asset).or_default();
            own.push((definitions, check));
        }
    }
    checks
}

/// Selecting an asset brings its checks. Checks judged within the asset's own step come with
/// its task; the others are tasks of their own.
fn add_check_units<'a>(
    catalog: &'a Catalog,
    request: &PlanRequest,
    key: &AssetKey,
    checks: &[Check<'a>],
    now: Timestamp,
    units: &mut Units<'a>,
) -> Result<(), Rejection> {
    let own = catalog.step_of(key);
    for (definitions, check) in checks {
        let is_within = own.as_ref().is_some_and(|own| {
            own.definitions.location() == definitions.location() && own.step.name == check.step
        });
        if !is_within && units.place(definitions, &check.step).is_none() {
            let keys = request
                .partitions
                .keys(key, check.partitions.as_ref(), now)?;
            units.push(definitions, &check.step, keys);
        }
    }
    Ok(())
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
