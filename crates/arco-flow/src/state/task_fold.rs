//! The fold arms of tasks and attempts, and the derived rows they share.

use std::sync::Arc;

use arco_core::definitions::RunStatusWatched;
use arco_core::event::{
    AttemptFinished, AttemptLeased, AttemptOutcome, AttemptStartTimedOut, AttemptStarted, Position,
    ReportRefused, TasksSkipped,
};
use arco_core::{AttemptId, RunId, TaskIndex, Timestamp};

use super::output::{left_out, outputs};
use super::{
    AttemptRow, Retry, Run, RunStatus, State, Task, TaskEvent, TaskStatus, admission, deadlines,
    durations, inputs, op, op_fold, sensor_queue,
};

/// Moves one task through the table, keeps counts and indexes, and settles what it planned when it
/// is over. Says the new status; `None` when the table forbids it and nothing changed.
pub(super) fn transition(
    state: &mut State,
    id: RunId,
    index: TaskIndex,
    event: TaskEvent,
    edit: impl FnOnce(&mut Task),
) -> Option<TaskStatus> {
    let mut shared = state.runs.remove(&id)?;
    let moved = {
        let run = Arc::make_mut(&mut shared);
        move_task(state, run, index, event, edit)
    };
    if let Some((_, to)) = moved
        && to.is_terminal()
    {
        settle(state, &shared, index, to);
    }
    state.runs.insert(id, shared);
    moved.map(|(_, to)| to)
}

fn move_task(
    state: &mut State,
    run: &mut Run,
    index: TaskIndex,
    event: TaskEvent,
    edit: impl FnOnce(&mut Task),
) -> Option<(TaskStatus, TaskStatus)> {
    let ready = state.ready_task(run, index)?;
    let task = Arc::make_mut(run.tasks.get_mut(index as usize)?);
    let from = task.status;
    let to = from.after(event)?;
    if from == TaskStatus::Retrying
        && let Some(at) = task.retry_at.take()
    {
        state.retrying.remove(&(at, run.id, index));
        let retry = Retry::of(&ready, at);
        state.admission.retries.remove(&retry);
    }
    task.status = to;
    edit(task);
    if let (TaskStatus::Retrying, Some(at)) = (to, task.retry_at) {
        state.retrying.insert((at, run.id, index));
        state.admission.retries.insert(Retry::of(&ready, at));
    }
    if from == TaskStatus::Ready {
        state.ready.remove(&ready);
    }
    // The tasks of a queued run are not looked for by themselves.
    if to == TaskStatus::Ready && run.status != RunStatus::Queued {
        state.ready.insert(ready);
    }
    run.counts.moved(from, to);
    Some((from, to))
}

fn settle(state: &mut State, run: &Run, index: TaskIndex, to: TaskStatus) {
    let last = run.task(index).and_then(|task| task.attempts.last());
    let failed = last
        .filter(|_| to == TaskStatus::Failed)
        .map(|row| AttemptId {
            run: run.id,
            task: index,
            number: row.number,
        });
    let remembers = state.fold_version >= 3;
    for (asset, slot) in outputs(state, run, index) {
        let asset = Arc::make_mut(state.assets.entry(asset).or_default());
        asset.settled(&slot, run.id);
        if remembers {
            asset.unmade_by(&slot, run.id, index);
        }
        // An attempt that made the slot and failed afterwards (a blocking check said no, another of its
        // assets could not be made) did not fail to make it (F-2, M-21).
        let made = asset.latest_of(&slot).and_then(|made| made.attempt);
        if failed.is_some() && made != failed {
            asset.attempt_failed(&slot);
        }
    }
}

/// A task succeeded, or was skipped for no failure: what needed it needs it no more, unless a blocking
/// check of it failed.
fn release_dependents(state: &mut State, id: RunId, index: TaskIndex) {
    let Some(run) = state.runs.get(&id) else {
        return;
    };
    if run.task(index).is_none_or(|task| task.blocked) {
        return;
    }
    let dependents = Arc::clone(&run.dependents);
    for dependent in &dependents[index as usize] {
        if meet_need(state, id, *dependent, index) {
            transition(state, id, *dependent, TaskEvent::NeedsMet, |_| {});
        }
    }
}

/// Takes one need off a task; says whether none is left.
fn meet_need(state: &mut State, id: RunId, task: TaskIndex, need: TaskIndex) -> bool {
    let Some(run) = state.runs.get_mut(&id) else {
        return false;
    };
    let run = Arc::make_mut(run);
    let Some(task) = run.tasks.get_mut(task as usize) else {
        return false;
    };
    let task = Arc::make_mut(task);
    task.unmet.remove(need);
    task.unmet.is_empty()
}

pub(super) fn leased(state: &mut State, at: Position, time: Timestamp, e: &AttemptLeased) {
    let AttemptId { run, task, number } = e.attempt;
    let inputs = inputs::current(state, run, task);
    let inputs = op_fold::with_inputs_of_graph(state, run, task, inputs);
    let moved = transition(state, run, task, TaskEvent::Leased, |t| {
        t.inputs = Some(Arc::new(inputs));
        // What a check said in an earlier try was about data that is made anew.
        t.blocked = false;
        t.attempts.push(AttemptRow {
            number,
            host: e.host,
            leased: time,
            started: None,
            start_timed_out: None,
            ended: None,
            outcome: None,
            late: Vec::new(),
        });
    });
    if moved.is_none() {
        return;
    }
    if let Some(host) = state.hosts.get_mut(&e.host) {
        host.attempts.insert(e.attempt);
    }
    let Some(mut shared) = state.runs.remove(&run) else {
        return;
    };
    admission::hold(state, &shared, e.attempt);
    deadlines::expect_attempt(state, &shared, task);
    let begins = shared.status == RunStatus::Queued;
    if begins {
        deadlines::forget_run(state, &shared);
        let begun = Arc::make_mut(&mut shared);
        begun.started.get_or_insert(time);
        begun.status = RunStatus::Started;
        admission::begin(state, begun);
        deadlines::expect_run(state, begun);
    }
    state.runs.insert(run, shared);
    if begins {
        sensor_queue::run_entered(state, at, time, run, RunStatusWatched::Started);
    }
}

/// The live attempt of a task is exactly this one.
pub(super) fn is_live(state: &State, id: AttemptId) -> bool {
    state
        .run(id.run)
        .and_then(|run| run.task(id.task))
        .and_then(|task| task.live())
        .is_some_and(|row| row.number == id.number)
}

pub(super) fn started(state: &mut State, time: Timestamp, e: &AttemptStarted) {
    if is_live(state, e.attempt) {
        forget_start(state, e.attempt);
        transition(
            state,
            e.attempt.run,
            e.attempt.task,
            TaskEvent::Started,
            |t| {
                if let Some(row) = t.attempts.last_mut() {
                    row.started = Some(time);
                }
            },
        );
    }
}

/// The host is asked to stop it; the attempt ends when it says so.
pub(super) fn start_timed_out(state: &mut State, e: &AttemptStartTimedOut) {
    if !is_live(state, e.attempt) {
        return;
    }
    forget_start(state, e.attempt);
    let run = state.runs.get_mut(&e.attempt.run).map(Arc::make_mut);
    let task = run.and_then(|run| run.tasks.get_mut(e.attempt.task as usize));
    if let Some(row) = task.and_then(|task| Arc::make_mut(task).attempts.last_mut()) {
        row.start_timed_out = Some(e.limit_ms);
    }
}

fn forget_start(state: &mut State, attempt: AttemptId) {
    if let Some(run) = state.run(attempt.run).cloned() {
        deadlines::forget_attempt(state, &run, attempt.task);
    }
}

pub(super) fn finished(state: &mut State, time: Timestamp, e: &AttemptFinished) {
    if !is_live(state, e.attempt) {
        return;
    }
    forget_start(state, e.attempt);
    let AttemptId { run, task, .. } = e.attempt;
    let left_out = match e.outcome {
        AttemptOutcome::Succeeded => left_out(state, run, task),
        _ => Vec::new(),
    };
    let event = match (&e.outcome, e.retry_at) {
        (AttemptOutcome::Succeeded, _) => TaskEvent::Succeeded,
        (AttemptOutcome::Failed { .. }, Some(_)) => TaskEvent::FailedWillRetry,
        (AttemptOutcome::Failed { .. }, None) => TaskEvent::Failed,
        (AttemptOutcome::Cancelled, _) => TaskEvent::Cancelled,
        (AttemptOutcome::Released, _) => TaskEvent::Released,
    };
    let mut holder = None;
    // What an op read counts for the assets that ops after it make.
    let keeps_inputs = event == TaskEvent::Succeeded && op::graph_of(state, run, task).is_some();
    let to = transition(state, run, task, event, |t| {
        t.inputs = t.inputs.take().filter(|_| keeps_inputs);
        t.said.clear();
        if e.outcome == AttemptOutcome::Succeeded {
            t.made.clear();
            t.left_out = left_out;
        }
        t.failures += u32::from(matches!(e.outcome, AttemptOutcome::Failed { .. }));
        t.retry_at = e.retry_at;
        if let Some(row) = t.attempts.last_mut() {
            row.ended = Some(time);
            row.outcome = Some(e.outcome.clone());
            holder = Some(row.host);
        }
    });
    if let Some(host) = holder.and_then(|id| state.hosts.get_mut(&id)) {
        host.attempts.remove(&e.attempt);
    }
    if let Some(shared) = state.run(run).cloned() {
        admission::let_go(state, &shared, e.attempt);
    }
    if to == Some(TaskStatus::Succeeded) {
        durations::succeeded(state, run, task);
        release_dependents(state, run, task);
    }
}

/// What is over stays as it is; that its host spoke of it is kept.
pub(super) fn report_refused(state: &mut State, e: &ReportRefused) {
    let run = state.runs.get_mut(&e.attempt.run).map(Arc::make_mut);
    let task = run.and_then(|run| run.tasks.get_mut(e.attempt.task as usize));
    let Some(task) = task.map(Arc::make_mut) else {
        return;
    };
    let mut rows = task.attempts.iter_mut();
    let row = rows.find(|row| row.number == e.attempt.number && row.outcome.is_some());
    if let Some(row) = row {
        row.late.clone_from(&e.said);
    }
}

pub(super) fn skipped(state: &mut State, e: &TasksSkipped) {
    for task in &e.tasks {
        transition(state, e.run, *task, TaskEvent::Skipped, |t| {
            t.skipped = Some(e.because.clone());
        });
    }
    if !e.because.is_failure() {
        // What only had to come after them, and reads nothing they would have made, goes on.
        e.tasks
            .iter()
            .for_each(|task| release_dependents(state, e.run, *task));
    }
}
