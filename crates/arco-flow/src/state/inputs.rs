//! What a task reads: upstream slots by the pinned definitions, and the versions they stand at.

use arco_core::definitions::{Definitions, Dep, StepDef};
use arco_core::event::InputVersion;
use arco_core::partition::{PartitionEdge, PartitionMapping, PartitionsDef};
use arco_core::plan::PlannedTask;
use arco_core::{AssetKey, PartitionKey, RunId, TaskIndex, Timestamp};

use super::{Run, Slot, State};

/// One upstream asset of a task, with the slots it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskInput {
    /// The edge.
    pub dep: Dep,
    /// Whether the upstream asset is partitioned.
    pub partitioned: bool,
    /// Upstream slots, in order; one `None` for an unpartitioned upstream.
    pub slots: Vec<Slot>,
}

/// The inputs of a task by the definitions its run pinned, with partitions as they existed at `now`.
#[must_use]
pub fn of_task(state: &State, run: &Run, task: TaskIndex, now: Timestamp) -> Vec<TaskInput> {
    let Some(planned) = run.planned(task) else {
        return Vec::new();
    };
    let Some(definitions) = state.pinned(run, &planned.location) else {
        return Vec::new();
    };
    let Some(step) = definitions.step(&planned.step) else {
        return Vec::new();
    };
    edges(definitions, step, planned)
        .into_iter()
        .map(|edge| resolve(state, definitions, edge, planned, now))
        .collect()
}

/// An edge of a step, of one of its assets unless it is of a check.
struct Edge<'a> {
    child: Option<AssetKey>,
    def: Option<&'a PartitionsDef>,
    dep: &'a Dep,
}

/// The edges of a step: those of the assets it makes, or of the checks it judges, each once.
fn edges<'a>(
    definitions: &'a Definitions,
    step: &'a StepDef,
    planned: &'a PlannedTask,
) -> Vec<Edge<'a>> {
    if step.graph.is_some() {
        let asset = definitions.makes(step).into_iter().next();
        let asset = asset.and_then(|key| definitions.asset(&key));
        let def = asset.and_then(|asset| asset.partitions.as_ref());
        let child = asset.map(|asset| asset.key.clone());
        let edge = |dep| Edge {
            child: child.clone(),
            def,
            dep,
        };
        return step.deps.iter().map(edge).collect();
    }
    let mut out: Vec<Edge<'a>> = Vec::new();
    let outputs = planned.outputs(step);
    let mut add = |child: Option<&AssetKey>, def: Option<&'a PartitionsDef>, deps: &'a [Dep]| {
        for dep in deps {
            let internal = outputs.contains(&dep.asset);
            let known = out
                .iter()
                .any(|edge| edge.dep.asset == dep.asset && edge.dep.param == dep.param);
            if !internal && !known {
                let child = child.cloned();
                out.push(Edge { child, def, dep });
            }
        }
    };
    for asset in outputs.iter().filter_map(|key| definitions.asset(key)) {
        add(Some(&asset.key), asset.partitions.as_ref(), &asset.deps);
    }
    if outputs.is_empty() {
        for (asset, name) in &step.checks {
            if let Some(check) = definitions.check(asset, name) {
                add(None, check.partitions.as_ref(), &check.deps);
            }
        }
    }
    out
}

fn resolve(
    state: &State,
    definitions: &Definitions,
    edge: Edge<'_>,
    planned: &PlannedTask,
    now: Timestamp,
) -> TaskInput {
    let dep = edge.dep;
    let upstream = definitions
        .asset(&dep.asset)
        .and_then(|a| a.partitions.as_ref());
    // The definitions are those that the run pinned; the keys of dynamic partitions are those of now.
    let sets = &state.partition_sets;
    let child = edge.def.map(|def| def.resolved(sets));
    let slots = match upstream {
        None => vec![None],
        Some(parent) => {
            let parent = parent.resolved(sets);
            let mapping = mapping(state, definitions, &edge, child.as_deref(), &parent);
            let keys = &planned.partitions;
            let keys = upstream_keys(&mapping, child.as_deref(), &parent, keys, now);
            keys.into_iter().map(Some).collect()
        }
    };
    TaskInput {
        dep: dep.clone(),
        partitioned: upstream.is_some(),
        slots,
    }
}

/// The mapping of an edge; of one that is code with what the code that the run pinned answered.
fn mapping(
    state: &State,
    definitions: &Definitions,
    edge: &Edge<'_>,
    child: Option<&PartitionsDef>,
    parent: &PartitionsDef,
) -> PartitionMapping {
    let Some(mapping) = &edge.dep.mapping else {
        return PartitionMapping::infer(child, Some(parent));
    };
    let known = mapping.custom().and(edge.child.clone());
    let known = known.and_then(|child| state.mappings.get(&(child, edge.dep.asset.clone())));
    match known {
        Some(known) => mapping.resolved(known.under(definitions.version())),
        None => mapping.clone(),
    }
}

fn upstream_keys(
    mapping: &PartitionMapping,
    child: Option<&PartitionsDef>,
    parent: &PartitionsDef,
    keys: &[PartitionKey],
    now: Timestamp,
) -> Vec<PartitionKey> {
    let Ok(edge) = PartitionEdge::new(mapping, child, parent) else {
        // Definitions were validated with this very edge when they were deployed.
        return Vec::new();
    };
    let ordinals: Vec<Option<u64>> = match child {
        None => vec![None],
        Some(child) => keys
            .iter()
            .filter_map(|key| child.ordinal_of(key).map(Some))
            .collect(),
    };
    let mut out: Vec<PartitionKey> = Vec::new();
    for ordinal in ordinals {
        out.extend(parent.keys_of(edge.upstream(ordinal, now).ordinals));
    }
    if keys.len() > 1 {
        let mut seen = std::collections::BTreeSet::new();
        out.retain(|key| seen.insert(key.clone()));
    }
    out
}

/// The versions a task reads if it is leased now; upstream slots of no known
/// version are left out.
pub(super) fn current(state: &State, run: RunId, task: TaskIndex) -> Vec<InputVersion> {
    let Some(run) = state.run(run) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let definitions = run
        .planned(task)
        .and_then(|planned| state.pinned(run, &planned.location));
    for input in of_task(state, run, task, run.requested.1) {
        let declared = definitions.and_then(|d| Some((d, d.asset(&input.dep.asset)?)));
        let external = declared.is_some_and(|(d, asset)| d.is_external(asset));
        let Some(asset) = state.assets.get(&input.dep.asset) else {
            continue;
        };
        for slot in input.slots {
            if let Some((version, position)) = asset.version_of(&slot, external) {
                let data_version = version.to_string();
                out.push(InputVersion {
                    asset: input.dep.asset.clone(),
                    partition: slot,
                    data_version,
                    position,
                });
            }
        }
    }
    out
}
