//! Time limits by when they are reached: an index of runs and attempts, derived in the fold.
//!
//! An entry follows from a run as it stands and the limits of the workspace, so it is taken out by
//! working it out again before the run changes.

use arco_core::event::RunTimeLimit;
use arco_core::limits::TimeLimits;
use arco_core::{AttemptId, RunId, TaskIndex, Timestamp};

use super::{Run, RunStatus, State, TaskStatus};

/// A time limit that will be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub of: Deadline,
    /// The limit, in milliseconds.
    pub limit_ms: u64,
}

/// What a time limit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deadline {
    /// The first lease of a run, or its end.
    Run(RunTimeLimit, RunId),
    /// The beginning of an attempt that a host holds.
    Start(AttemptId),
}

/// Of a run as it stands.
fn of_run(state: &State, run: &Run) -> Option<Due> {
    let limits = limits(state, run);
    let due = |from: Timestamp, limit_ms: u64, of| Due {
        at: from.plus_ms(limit_ms),
        of,
        limit_ms,
    };
    match run.status {
        RunStatus::Queued => Some(due(
            run.requested.1,
            limits.queue_ms?,
            Deadline::Run(RunTimeLimit::Queue, run.id),
        )),
        RunStatus::Started => Some(due(
            run.started?,
            limits.run_ms?,
            Deadline::Run(RunTimeLimit::Run, run.id),
        )),
        _ => None,
    }
}

/// Of an attempt that a host holds and has not begun.
fn of_attempt(state: &State, run: &Run, index: TaskIndex) -> Option<Due> {
    let task = run.task(index)?;
    let row = task.live().filter(|row| row.start_timed_out.is_none())?;
    if task.status != TaskStatus::Leased || run.is_canceling() {
        return None;
    }
    let limit_ms = limits(state, run).start_ms?;
    let attempt = AttemptId {
        run: run.id,
        task: index,
        number: row.number,
    };
    Some(Due {
        at: row.leased.plus_ms(limit_ms),
        of: Deadline::Start(attempt),
        limit_ms,
    })
}

fn limits(state: &State, run: &Run) -> TimeLimits {
    run.time_limits.or(state.limits.times).effective()
}

pub(super) fn expect_run(state: &mut State, run: &Run) {
    let due = of_run(state, run);
    state.deadlines.extend(due);
}

pub(super) fn forget_run(state: &mut State, run: &Run) {
    if let Some(due) = of_run(state, run) {
        state.deadlines.remove(&due);
    }
}

pub(super) fn expect_attempt(state: &mut State, run: &Run, task: TaskIndex) {
    let due = of_attempt(state, run, task);
    state.deadlines.extend(due);
}

pub(super) fn forget_attempt(state: &mut State, run: &Run, task: TaskIndex) {
    if let Some(due) = of_attempt(state, run, task) {
        state.deadlines.remove(&due);
    }
}

/// Nothing of a run is waited for any more.
pub(super) fn forget_all(state: &mut State, run: &Run) {
    forget_run(state, run);
    if limits(state, run).start_ms.is_some() {
        for task in held(run) {
            forget_attempt(state, run, task);
        }
    }
}

/// Puts a run as it stands into the index.
pub(super) fn index(state: &mut State, run: &Run) {
    expect_run(state, run);
    for task in held(run) {
        expect_attempt(state, run, task);
    }
}

/// The limits are others.
pub(super) fn rebuild(state: &mut State) {
    state.deadlines.clear();
    let runs = state.active_runs.iter().filter_map(|id| state.runs.get(id));
    for run in runs.cloned().collect::<Vec<_>>() {
        index(state, &run);
    }
}

fn held(run: &Run) -> impl Iterator<Item = TaskIndex> {
    let tasks = (0..).zip(&run.tasks);
    tasks
        .filter(|(_, task)| task.status == TaskStatus::Leased)
        .map(|(index, _)| index)
}
