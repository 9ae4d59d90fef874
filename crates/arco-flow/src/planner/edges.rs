//! The edges of a plan: for each task, the tasks it must come after.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use arco_core::definitions::{Catalog, Dep};
use arco_core::partition::{Ordinals, PartitionEdge, PartitionMapping, PartitionsDef};
use arco_core::plan::PlannedTask;
use arco_core::{AssetKey, PartitionKey, TaskIndex, Timestamp};

use super::units::{Makers, Unit};
use crate::Rejection;

/// Slots of an asset that a task needs: all of an unpartitioned one, or ordinals of its definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Needed {
    Whole,
    /// Half-open ranges, in order.
    Ordinals(Vec<(u64, u64)>),
}

pub(super) struct Graph<'a> {
    catalog: &'a Catalog,
    units: &'a [Unit<'a>],
    /// Units from here on are check tasks.
    asset_units: usize,
    of_asset: &'a Makers,
    /// For each partitioned unit: ordinal → task.
    by_ordinal: Vec<BTreeMap<u64, TaskIndex>>,
    /// For each unit of an op: partition → task.
    of_key: BTreeMap<usize, BTreeMap<Option<&'a PartitionKey>, TaskIndex>>,
    /// Units of ops by location and step.
    ops: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    /// Assets that are selected or lie downstream of a selected one: only these are walked through.
    below_selection: HashSet<AssetKey>,
    /// Made ready once for each dependency, by its address: a mapping of a thousand listed keys would
    /// else be read for each task.
    ready: RefCell<HashMap<*const Dep, Rc<PartitionEdge>>>,
    now: Timestamp,
}

impl<'a> Graph<'a> {
    pub(super) fn new(
        catalog: &'a Catalog,
        units: &'a [Unit<'a>],
        asset_units: usize,
        of_asset: &'a Makers,
        now: Timestamp,
    ) -> Self {
        // A rerun may judge an asset again that it does not make again.
        let judged = units.iter().skip(asset_units).filter_map(|unit| {
            let checks = &unit.definitions.step(unit.step)?.checks;
            Some(checks.iter().map(|(asset, _)| asset.clone()))
        });
        let chosen = of_asset.keys().cloned().chain(judged.flatten());
        let below_selection = downstream(catalog, chosen.collect());
        let mut graph = Self {
            catalog,
            units,
            asset_units,
            of_asset,
            by_ordinal: vec![BTreeMap::new(); units.len()],
            of_key: BTreeMap::new(),
            ops: BTreeMap::new(),
            below_selection,
            ready: RefCell::default(),
            now,
        };
        graph.index_ops();
        let makers = of_asset
            .iter()
            .flat_map(|(asset, makers)| makers.iter().map(move |at| (asset, at)));
        for (asset, at) in makers {
            let (Some(def), Some(keys)) = (graph.def(asset), &units[*at].keys) else {
                continue;
            };
            graph.by_ordinal[*at] = (units[*at].first..)
                .zip(keys)
                .filter_map(|(task, key)| def.ordinal_of(key).map(|n| (n, task)))
                .collect();
        }
        graph
    }

    fn index_ops(&mut self) {
        for (at, unit) in self.units.iter().enumerate() {
            let step = unit.definitions.step(unit.step);
            if step.is_none_or(|step| step.graph.is_none()) {
                continue;
            }
            let keys: Vec<Option<&'a PartitionKey>> = match &unit.keys {
                None => vec![None],
                Some(keys) => keys.iter().map(Some).collect(),
            };
            self.of_key
                .insert(at, keys.into_iter().zip(unit.first..).collect());
            let name = (unit.definitions.location(), unit.step);
            self.ops.entry(name).or_default().push(at);
        }
    }

    /// Adds the tasks whose values an op takes.
    fn add_ops(&self, at: usize, key: Option<&'a PartitionKey>, needs: &mut Vec<TaskIndex>) {
        let unit = &self.units[at];
        let Some(step) = unit.definitions.step(unit.step) else {
            return;
        };
        let own = &unit.mapping_key;
        let taken = step.inputs.iter().flat_map(|input| &input.sources);
        for source in taken.chain(&step.over) {
            let name = (unit.definitions.location(), source.step.as_str());
            for other in self.ops.get(&name).into_iter().flatten() {
                let of = &self.units[*other].mapping_key;
                if of.is_none() || source.all || of == own {
                    needs.extend(self.of_key[other].get(&key));
                }
            }
        }
        needs.sort_unstable();
        needs.dedup();
    }

    fn def(&self, asset: &AssetKey) -> Option<&'a PartitionsDef> {
        self.catalog.asset(asset)?.asset.partitions.as_ref()
    }

    /// All tasks with their needs, numbered as the units are.
    pub(super) fn tasks(&self) -> Result<Vec<PlannedTask>, Rejection> {
        let gates = self.gates();
        let mut out = Vec::new();
        for (at, unit) in self.units.iter().enumerate() {
            let (def, deps) = self.deps(at);
            let keys: Vec<Option<&PartitionKey>> = match &unit.keys {
                None => vec![None],
                Some(keys) => keys.iter().map(Some).collect(),
            };
            for key in keys {
                let mut needs = self.needs(at, def, &deps, key, &gates)?;
                self.add_ops(at, key, &mut needs);
                // Through what is not made in this run a step of several assets may lead to itself.
                let own = TaskIndex::try_from(out.len()).unwrap_or(TaskIndex::MAX);
                needs.retain(|need| *need != own);
                out.push(PlannedTask {
                    location: unit.definitions.location().to_owned(),
                    step: unit.step.to_owned(),
                    partitions: key.cloned().into_iter().collect(),
                    needs,
                    outputs: unit.outputs.clone(),
                    mapping_key: unit.mapping_key.clone(),
                });
            }
        }
        Ok(out)
    }

    /// The partitions definition and the edges of a unit, each upstream asset once.
    fn deps(&self, at: usize) -> (Option<&'a PartitionsDef>, Vec<(AssetKey, &'a Dep)>) {
        let unit = &self.units[at];
        let Some(step) = unit.definitions.step(unit.step) else {
            return (None, Vec::new());
        };
        let mut deps: Vec<(AssetKey, &'a Dep)> = Vec::new();
        let mut def = None;
        if step.graph.is_some() {
            let child = unit.definitions.makes(step).into_iter().next();
            if let Some(asset) = child.and_then(|key| unit.definitions.asset(&key)) {
                def = asset.partitions.as_ref();
                deps.extend(step.deps.iter().map(|dep| (asset.key.clone(), dep)));
            }
            return (def, deps);
        }
        let outputs = unit.makes(step);
        for asset in outputs.iter().filter_map(|key| unit.definitions.asset(key)) {
            def = asset.partitions.as_ref().filter(|_| unit.keys.is_some());
            let outer = asset
                .deps
                .iter()
                .filter(|dep| !outputs.contains(&dep.asset) || reads_past(dep));
            deps.extend(outer.map(|dep| (asset.key.clone(), dep)));
        }
        if step.outputs.is_empty() {
            for (asset, name) in &step.checks {
                if let Some(check) = unit.definitions.check(asset, name) {
                    def = check.partitions.as_ref();
                    deps.extend(check.deps.iter().map(|dep| (asset.clone(), dep)));
                }
            }
        }
        (def, deps)
    }

    /// For each asset, the units of its blocking checks: what reads the asset waits for them (M-21).
    fn gates(&self) -> BTreeMap<AssetKey, Vec<usize>> {
        let mut gates: BTreeMap<AssetKey, Vec<usize>> = BTreeMap::new();
        for (at, unit) in self.units.iter().enumerate().skip(self.asset_units) {
            let Some(step) = unit.definitions.step(unit.step) else {
                continue;
            };
            for (asset, name) in &step.checks {
                if unit
                    .definitions
                    .check(asset, name)
                    .is_some_and(|check| check.blocking)
                {
                    gates.entry(asset.clone()).or_default().push(at);
                }
            }
        }
        gates
    }

    fn needs(
        &self,
        at: usize,
        def: Option<&'a PartitionsDef>,
        deps: &[(AssetKey, &'a Dep)],
        key: Option<&PartitionKey>,
        gates: &BTreeMap<AssetKey, Vec<usize>>,
    ) -> Result<Vec<TaskIndex>, Rejection> {
        let ordinal = key.and_then(|key| def?.ordinal_of(key));
        let start = match ordinal {
            None => Needed::Whole,
            Some(n) => Needed::Ordinals(vec![(n, n + 1)]),
        };
        for (child, dep) in deps {
            self.check_answered(child, def, dep, ordinal)?;
        }
        let mut needs = BTreeSet::new();
        let mut walk: Vec<(AssetKey, Option<&'a PartitionsDef>, &'a Dep, Needed)> = deps
            .iter()
            .map(|(child, dep)| (child.clone(), def, *dep, start.clone()))
            .collect();
        let mut seen: BTreeSet<(AssetKey, Needed)> = BTreeSet::new();
        while let Some((child, child_def, dep, needed)) = walk.pop() {
            let direct = self.of_asset.get(&dep.asset);
            if direct.is_none() && !self.below_selection.contains(&dep.asset) {
                continue;
            }
            let upstream = self.map(&child, child_def, dep, &needed, direct.is_some())?;
            if !seen.insert((dep.asset.clone(), upstream.clone())) {
                continue;
            }
            let gates = gates.get(&dep.asset).into_iter().flatten();
            for gate in gates.filter(|gate| at != **gate && at < self.asset_units) {
                self.add_gate(*gate, &dep.asset, &upstream, &mut needs);
            }
            if let Some(makers) = direct {
                for unit in makers {
                    self.add(*unit, &upstream, &mut needs);
                }
            } else if let Some(found) = self.catalog.asset(&dep.asset) {
                // Not selected: what it stands on still comes first.
                let next = found.asset.deps.iter().map(|next| {
                    let def = found.asset.partitions.as_ref();
                    (dep.asset.clone(), def, next, upstream.clone())
                });
                walk.extend(next.filter(|(_, _, next, _)| next.asset != dep.asset));
            }
        }
        Ok(needs.into_iter().collect())
    }

    /// What is not known to be read would be read by the task as nothing, whether or not this run makes it.
    fn check_answered(
        &self,
        child: &AssetKey,
        def: Option<&'a PartitionsDef>,
        dep: &'a Dep,
        ordinal: Option<u64>,
    ) -> Result<(), Rejection> {
        let is_custom = dep.mapping.as_ref().is_some_and(|m| m.custom().is_some());
        let Some(parent) = self.def(&dep.asset).filter(|_| is_custom) else {
            return Ok(());
        };
        let edge = self.edge(child, def, dep, parent)?;
        match Rejection::unanswered((child, def), dep, &edge, ordinal) {
            Some(unknown) => Err(unknown),
            None => Ok(()),
        }
    }

    /// Which slots of `dep.asset` the slots `needed` of the child stand on.
    fn map(
        &self,
        child: &AssetKey,
        child_def: Option<&'a PartitionsDef>,
        dep: &'a Dep,
        needed: &Needed,
        strict: bool,
    ) -> Result<Needed, Rejection> {
        let Some(parent) = self.def(&dep.asset) else {
            return Ok(Needed::Whole);
        };
        let edge = self.edge(child, child_def, dep, parent)?;
        let ordinals: Vec<Option<u64>> = match needed {
            Needed::Whole => vec![None],
            Needed::Ordinals(ranges) => ranges
                .iter()
                .flat_map(|(from, to)| *from..*to)
                .map(Some)
                .collect(),
        };
        let mut out = Ordinals::default();
        for ordinal in ordinals {
            let child_of = (child, child_def);
            if let Some(unknown) = Rejection::unanswered(child_of, dep, &edge, ordinal) {
                return Err(unknown);
            }
            let upstream = edge.upstream(ordinal, self.now);
            if strict && let Some(missing) = upstream.nonexistent.first() {
                return Err(self.nonexistent(
                    child,
                    child_def,
                    ordinal,
                    dep,
                    missing,
                    &upstream.nonexistent,
                ));
            }
            out = match out.is_empty() {
                true => upstream.ordinals,
                false => out.union(&upstream.ordinals),
            };
        }
        let ranges = out.ranges().iter();
        Ok(Needed::Ordinals(
            ranges.map(|range| (range.start, range.end)).collect(),
        ))
    }

    fn edge(
        &self,
        child: &AssetKey,
        child_def: Option<&'a PartitionsDef>,
        dep: &'a Dep,
        parent: &'a PartitionsDef,
    ) -> Result<Rc<PartitionEdge>, Rejection> {
        if let Some(ready) = self.ready.borrow().get(&std::ptr::from_ref(dep)) {
            return Ok(Rc::clone(ready));
        }
        let mapping = dep
            .mapping
            .clone()
            .unwrap_or_else(|| PartitionMapping::infer(child_def, Some(parent)));
        let edge = PartitionEdge::new(&mapping, child_def, parent).map_err(|reason| {
            Rejection::Mapping {
                child: child.clone(),
                parent: dep.asset.clone(),
                reason,
            }
        })?;
        let edge = Rc::new(edge);
        self.ready
            .borrow_mut()
            .insert(std::ptr::from_ref(dep), Rc::clone(&edge));
        Ok(edge)
    }

    fn nonexistent(
        &self,
        child: &AssetKey,
        child_def: Option<&PartitionsDef>,
        ordinal: Option<u64>,
        dep: &Dep,
        missing: &PartitionKey,
        all: &[PartitionKey],
    ) -> Rejection {
        let key = ordinal.and_then(|n| child_def?.key_at(n));
        let child = key.map_or_else(
            || child.to_string(),
            |key| format!("{child}[{}]", key.display()),
        );
        Rejection::NonexistentUpstream {
            child,
            key: missing.display().into_owned(),
            parent: dep.asset.clone(),
            more: match all.len() {
                0 | 1 => String::new(),
                n => format!(" (and {} more)", n - 1),
            },
        }
    }

    fn add(&self, unit: usize, needed: &Needed, needs: &mut BTreeSet<TaskIndex>) {
        // An observation is one task, whatever the partitions of its asset.
        let whole = self.units[unit].keys.is_none();
        match needed {
            _ if whole => {
                needs.insert(self.units[unit].first);
            }
            Needed::Whole => {
                let first = self.units[unit].first;
                let count = TaskIndex::try_from(self.units[unit].tasks()).unwrap_or(TaskIndex::MAX);
                needs.extend(first..first + count);
            }
            Needed::Ordinals(ranges) => {
                for (from, to) in ranges {
                    needs.extend(
                        self.by_ordinal[unit]
                            .range(*from..*to)
                            .map(|(_, task)| *task),
                    );
                }
            }
        }
    }

    /// A check judged per partition gates its own partition; one judged as a whole gates everything.
    fn add_gate(
        &self,
        gate: usize,
        asset: &AssetKey,
        needed: &Needed,
        needs: &mut BTreeSet<TaskIndex>,
    ) {
        match (&self.units[gate].keys, needed) {
            (Some(keys), Needed::Ordinals(ranges)) => {
                let Some(def) = self.def(asset) else { return };
                for (task, key) in (self.units[gate].first..).zip(keys) {
                    let within = |n: u64| ranges.iter().any(|(from, to)| (*from..*to).contains(&n));
                    if def.ordinal_of(key).is_some_and(within) {
                        needs.insert(task);
                    }
                }
            }
            _ => self.add(gate, &Needed::Whole, needs),
        }
    }
}

/// Assets and all that lies downstream of them. Of ten thousand assets a set that is not in order
/// takes half the time.
fn downstream(catalog: &Catalog, from: HashSet<AssetKey>) -> HashSet<AssetKey> {
    let mut open: Vec<AssetKey> = from.iter().cloned().collect();
    let mut found = from;
    while let Some(key) = open.pop() {
        for child in catalog.children(&key) {
            if !found.contains(child) {
                found.insert(child.clone());
                open.push(child.clone());
            }
        }
    }
    found
}

/// Whether a dependency leads to earlier windows of time: what a step makes of its own past comes before what
/// reads it. Any other dependency on the same step is within one call of it.
fn reads_past(dep: &Dep) -> bool {
    matches!(
        dep.mapping,
        Some(PartitionMapping::TimeWindow { start_offset, end_offset, .. }) if start_offset < 0 && end_offset <= 0
    )
}
