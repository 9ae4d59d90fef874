//! What a task reads: upstream slots by the pinned definitions, and the versions they stand at.

use arco_core::definitions::{Definitions, Dep, StepDef};
use arco_core::event::InputVersion;
use arco_core::partition::{PartitionEdge, PartitionMapping, PartitionsDef};
use arco_core::plan::PlannedTask;
use arco_core::{PartitionKey, RunId, TaskIndex, Timestamp};

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
        .map(|(child, dep)| resolve(state, definitions, child, dep, planned, now))
        .collect()
}

type Edge<'a> = (Option<&'a PartitionsDef>, &'a Dep);

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
        return step.deps.iter().map(|dep| (def, dep)).collect();
    }
    let mut out: Vec<Edge<'a>> = Vec::new();
    let outputs = planned.outputs(step);
    let mut add = |def: Option<&'a PartitionsDef>, deps: &'a [Dep]| {
        for dep in deps {
            let internal = outputs.contains(&dep.asset);
            let known = out
                .iter()
                .any(|(_, d)| d.asset == dep.asset && d.param == dep.param);
            if !internal && !known {
                out.push((def, dep));
            }
        }
    };
    for asset in outputs.iter().filter_map(|key| definitions.asset(key)) {
        add(asset.partitions.as_ref(), &asset.deps);
    }
    if outputs.is_empty() {
        for (asset, name) in &step.checks {
            if let Some(check) = definitions.check(asset, name) {
                add(check.partitions.as_ref(), &check.deps);
            }
        }
    }
    out
}

fn resolve(
    state: &State,
    definitions: &Definitions,
    child: Option<&PartitionsDef>,
    dep: &Dep,
    planned: &PlannedTask,
    now: Timestamp,
) -> TaskInput {
    let upstream = definitions
        .asset(&dep.asset)
        .and_then(|a| a.partitions.as_ref());
    // The definitions are those that the run pinned; the keys of dynamic partitions are those of now.
    let sets = &state.partition_sets;
    let child = child.map(|def| def.resolved(sets));
    let slots = match upstream {
        None => vec![None],
        Some(parent) => {
            let parent = parent.resolved(sets);
            let keys = upstream_keys(child.as_deref(), &parent, dep, &planned.partitions, now);
            keys.into_iter().map(Some).collect()
        }
    };
    TaskInput {
        dep: dep.clone(),
        partitioned: upstream.is_some(),
        slots,
    }
}

fn upstream_keys(
    child: Option<&PartitionsDef>,
    parent: &PartitionsDef,
    dep: &Dep,
    keys: &[PartitionKey],
    now: Timestamp,
) -> Vec<PartitionKey> {
    let mapping = dep
        .mapping
        .clone()
        .unwrap_or_else(|| PartitionMapping::infer(child, Some(parent)));
    let Ok(edge) = PartitionEdge::new(&mapping, child, parent) else {
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
