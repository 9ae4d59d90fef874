//! The fold arms of ops: the values they gave, and the tasks that come of the keys of dynamic outputs.

use std::sync::Arc;

use arco_core::event::{AttemptValues, InputVersion, TasksMapped};
use arco_core::plan::{Plan, PlannedTask};
use arco_core::{RunId, TaskIndex};

use super::{Run, State, Task, TaskStatus, admission, fact_fold, op, run, task_fold};

pub(super) fn values(state: &mut State, e: &AttemptValues) {
    if !task_fold::is_live(state, e.attempt) {
        return;
    }
    let Some(run) = state.runs.get_mut(&e.attempt.run).map(Arc::make_mut) else {
        return;
    };
    fact_fold::note(run, Some(e.attempt), e);
    if let Some(task) = run.tasks.get_mut(e.attempt.task as usize) {
        Arc::make_mut(task).values = Some(Arc::new(e.outputs.clone()));
    }
}

/// Adds the instances of every op that is mapped over the task's dynamic output. They wait for it at
/// least: it is said before the task ends.
pub(super) fn mapped(state: &mut State, e: &TasksMapped) {
    let Some(mut shared) = state.runs.remove(&e.run) else {
        return;
    };
    let run = Arc::make_mut(&mut shared);
    grow(run, e.task);
    run.pools = admission::pools(state, run);
    state.runs.insert(e.run, shared);
}

fn grow(run: &mut Run, task: TaskIndex) {
    let held = run.task(task).is_some_and(|task| task.status.is_held());
    let Some(keys) = op::keys(run, task).filter(|_| held).map(<[String]>::to_vec) else {
        return;
    };
    let mut plan = (*run.plan).clone();
    let mut first: Vec<Option<TaskIndex>> = vec![None; plan.mapped.len()];
    for at in 0..plan.mapped.len() {
        let template = plan.mapped[at].clone();
        if template.over != task {
            continue;
        }
        let start = next(&plan);
        first[at] = Some(start);
        for (key, offset) in keys.iter().zip(0_u32..) {
            let after = template.after.iter();
            let after = after.filter_map(|other| Some(first[*other as usize]? + offset));
            let mut needs = template.task.needs.clone();
            needs.extend(after);
            needs.sort_unstable();
            plan.tasks.push(PlannedTask {
                needs,
                mapping_key: Some(key.clone()),
                ..template.task.clone()
            });
        }
        let instances = start..next(&plan);
        for before in &template.before {
            plan.tasks[*before as usize].needs.extend(instances.clone());
            if let Some(task) = run.tasks.get_mut(*before as usize) {
                Arc::make_mut(task).unmet.extend(instances.clone());
            }
        }
    }
    for planned in &plan.tasks[run.tasks.len()..] {
        let mut task = Task::planned(&planned.needs);
        for need in &planned.needs {
            if run
                .tasks
                .get(*need as usize)
                .is_some_and(|need| is_met(need))
            {
                task.unmet.remove(*need);
            }
        }
        run.counts.add(task.status);
        run.tasks.push_back(Arc::new(task));
    }
    run.dependents = Arc::new(run::dependents(&plan));
    run.plan = Arc::new(plan);
}

fn next(plan: &Plan) -> TaskIndex {
    TaskIndex::try_from(plan.tasks.len()).unwrap_or(TaskIndex::MAX)
}

/// Whether a task stands in the way of those that need it no more.
fn is_met(task: &Task) -> bool {
    match task.status {
        TaskStatus::Succeeded => !task.blocked,
        TaskStatus::Skipped => !task.is_brought_down(),
        _ => false,
    }
}

/// What a task reads, with what the ops before it in its graph read: the assets it makes stand on that.
pub(super) fn with_inputs_of_graph(
    state: &State,
    run: RunId,
    task: TaskIndex,
    mut inputs: Vec<InputVersion>,
) -> Vec<InputVersion> {
    let (Some(graph), Some(found)) = (op::graph_of(state, run, task), state.run(run)) else {
        return inputs;
    };
    for need in found.planned(task).map_or(&[][..], |task| &task.needs) {
        if op::graph_of(state, run, *need).as_ref() != Some(&graph) {
            continue;
        }
        let read = found.task(*need).and_then(|task| task.inputs.as_deref());
        for input in read.into_iter().flatten() {
            let known =
                |one: &InputVersion| one.asset == input.asset && one.partition == input.partition;
            if !inputs.iter().any(known) {
                inputs.push(input.clone());
            }
        }
    }
    inputs
}
