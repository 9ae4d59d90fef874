//! The outputs of a task: what it is to make, what it left unmade, and who would have read that.

use arco_core::definitions::StepKind;
use arco_core::{AssetKey, RunId, TaskIndex};

use super::{Run, Slot, State, Task, TaskStatus, inputs, op};

#[cfg(test)]
mod tests;

/// The assets and slots a task makes, by the definitions its run pinned.
pub(super) fn outputs(state: &State, run: &Run, task: TaskIndex) -> Vec<(AssetKey, Slot)> {
    let Some(planned) = run.planned(task) else {
        return Vec::new();
    };
    let step = state
        .pinned(run, &planned.location)
        .and_then(|definitions| definitions.step(&planned.step));
    // An observation makes nothing, and its asset's partitions are not its own.
    let step = step.filter(|step| step.kind != StepKind::Observe);
    let slots: Vec<Slot> = if planned.partitions.is_empty() {
        vec![None]
    } else {
        planned.partitions.iter().cloned().map(Some).collect()
    };
    step.into_iter()
        .flat_map(|step| planned.outputs(step))
        .flat_map(|asset| slots.iter().map(|slot| (asset.clone(), slot.clone())))
        .collect()
}

/// Assets of a task that its step may leave unmade and that no attempt of it made. None while the log
/// is of a fold version that keeps no account of them.
pub(crate) fn left_out(state: &State, run: RunId, index: TaskIndex) -> Vec<AssetKey> {
    let Some(run) = state.run(run).filter(|_| state.fold_version >= 3) else {
        return Vec::new();
    };
    let (Some(task), Some(planned)) = (run.task(index), run.planned(index)) else {
        return Vec::new();
    };
    let Some(definitions) = state.pinned(run, &planned.location) else {
        return Vec::new();
    };
    let Some(step) = definitions.step(&planned.step) else {
        return Vec::new();
    };
    let may_lack = |key: &&AssetKey| definitions.asset(key).is_some_and(|a| a.skippable);
    let lacks = planned.outputs(step).iter().filter(may_lack);
    lacks
        .filter(|key| !task.made.contains(key))
        .cloned()
        .collect()
}

/// Tasks not begun that cannot be carried out because `task`, about to succeed, leaves `asset` unmade,
/// or, as an op, a value out: those that read it, and those that read what these would have made. In
/// order. A task that only comes after one of them is not among them.
pub(crate) fn readers(
    state: &State,
    run: &Run,
    task: TaskIndex,
    asset: Option<&AssetKey>,
) -> Vec<TaskIndex> {
    let lacking = |(key, _): &(AssetKey, Slot)| Some(key) == asset;
    let mut slots = outputs(state, run, task);
    slots.retain(lacking);
    spread(state, run, Vec::new(), (task, slots), Some(task))
}

/// Whether an op takes what will never be there.
pub(crate) fn is_lacking(state: &State, run: &Run, task: TaskIndex) -> bool {
    op::lacks(state, run, task, &[], None)
}

/// As [`readers`], of a task that will not be tried itself; it is among them.
pub(crate) fn with_readers(state: &State, run: &Run, task: TaskIndex) -> Vec<TaskIndex> {
    let slots = outputs(state, run, task);
    spread(state, run, vec![task], (task, slots), None)
}

fn spread(
    state: &State,
    run: &Run,
    mut found: Vec<TaskIndex>,
    from: (TaskIndex, Vec<(AssetKey, Slot)>),
    ending: Option<TaskIndex>,
) -> Vec<TaskIndex> {
    let mut stack = vec![from];
    while let Some((unmade, slots)) = stack.pop() {
        for dependent in &run.dependents[unmade as usize] {
            let waits = |task: &std::sync::Arc<Task>| task.status == TaskStatus::Waiting;
            if run.task(*dependent).is_some_and(waits)
                && !found.contains(dependent)
                && (reads(state, run, *dependent, &slots)
                    || op::lacks(state, run, *dependent, &found, ending))
            {
                found.push(*dependent);
                stack.push((*dependent, outputs(state, run, *dependent)));
            }
        }
    }
    found.sort_unstable();
    found
}

/// Whether a task reads any of these slots.
fn reads(state: &State, run: &Run, task: TaskIndex, slots: &[(AssetKey, Slot)]) -> bool {
    let inputs = inputs::of_task(state, run, task, run.requested.1);
    inputs.iter().any(|input| {
        let reads = |(key, slot): &(AssetKey, Slot)| {
            *key == input.dep.asset && (!input.partitioned || input.slots.contains(slot))
        };
        slots.iter().any(reads)
    })
}
