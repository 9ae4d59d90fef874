//! The fold arms of runs: asked for, asked to stop, out of time, over, and gone to history.

use std::sync::Arc;

use arco_core::event::{
    Event, HistoryPacked, Position, RunCancelRequested, RunFinished, RunOutcome, RunRequested,
    RunTimedOut,
};
use arco_core::limits::TimeLimits;
use arco_core::plan::Plan;
use arco_core::{RunId, TaskIndex, Timestamp};
use imbl::Vector;

use super::output::outputs;
use super::task_fold::transition;
use super::{
    Counts, Run, RunKey, RunStatus, State, Task, TaskEvent, TimedOut, admission, backfill,
    deadlines, definitions, run, run_retry, sensor_queue,
};
use crate::sensor::SCOPE as SENSOR_SCOPE;

/// Client idempotency keys are remembered for this long by event time (a client that retries for
/// longer than a day has other troubles).
pub(super) const IDEMPOTENCY_HORIZON_MS: u64 = 24 * 60 * 60 * 1000;

pub(super) fn run_requested(
    state: &mut State,
    at: Position,
    event: &Event,
    e: &RunRequested,
    plan: Arc<Plan>,
) {
    let tasks: Vector<Arc<Task>> = plan
        .tasks
        .iter()
        .map(|t| Arc::new(Task::planned(&t.needs)))
        .collect();
    let mut counts = Counts::default();
    tasks.iter().for_each(|task| counts.add(task.status));
    let mut run = Run {
        id: e.run,
        requested: (at, event.time),
        principal: event.principal.clone(),
        scope: e.scope.clone(),
        run_key: e.run_key.clone(),
        fingerprint: e.fingerprint,
        selection: e.selection.clone(),
        assets: Arc::new(e.assets.clone()),
        asset_checks: (e.asset_checks.clone())
            .filter(|_| state.fold_version >= 3)
            .map(Arc::new),
        partitions: e.partitions.clone(),
        config: Arc::new(e.config.clone()),
        tags: e.tags.clone(),
        definitions: e.definitions.clone(),
        priority: e.priority,
        // A binary of fold version 1 knows no lineage: until the log says that all read it, nobody
        // keeps it, so that every replica has the same state.
        rerun: e.rerun.clone().filter(|_| state.fold_version >= 2),
        // Nor does a binary of version 2 know time limits.
        time_limits: match state.fold_version {
            0..3 => TimeLimits::default(),
            _ => e.time_limits,
        },
        timed_out: None,
        backfill: e.backfill.filter(|_| state.fold_version >= 3),
        job: e.job.clone().filter(|_| state.fold_version >= 3),
        tick: e.tick.clone().filter(|_| state.fold_version >= 3),
        evaluation: e.evaluation.clone().filter(|_| state.fold_version >= 4),
        dependents: Arc::new(run::dependents(&plan)),
        plan,
        pools: Arc::default(),
        tasks,
        counts,
        status: RunStatus::Queued,
        cancelled: None,
        retried: None,
        started: None,
        ended: None,
        materializations: 0,
        observations: 0,
        checks: (0, 0),
    };
    remember_keys(state, event.time, e);
    if let Some(rerun) = &run.rerun {
        run_retry::made(state, e.run, rerun);
        let lineage = state.lineages.entry(rerun.root).or_default();
        lineage.insert(e.run);
    }
    backfill::run_asked(state, event.time, &run);
    run.pools = admission::pools(state, &run);
    admission::index(state, &run);
    deadlines::expect_run(state, &run);
    for task in 0..run.counts.total() {
        for (asset, slot) in outputs(state, &run, task) {
            Arc::make_mut(state.assets.entry(asset).or_default()).planned(&slot, e.run);
        }
    }
    state.active_runs.insert(e.run);
    state.runs.insert(e.run, Arc::new(run));
}

fn remember_keys(state: &mut State, now: Timestamp, e: &RunRequested) {
    if let Some(key) = &e.run_key {
        // What the keys of sensors are held by depends on when, and on what became of the run.
        let of_sensor = e.scope.starts_with(SENSOR_SCOPE);
        let entry = RunKey {
            run: e.run,
            fingerprint: e.fingerprint,
            requested: of_sensor.then_some(now),
            ended_badly: false,
        };
        state
            .run_keys
            .insert(State::run_key_index(&e.scope, key), entry);
    }
    if let Some((key, digest)) = &e.idempotency {
        let kept = |(_, (_, _, t)): &(&String, &(_, _, Timestamp))| {
            now.ms_since(*t) <= IDEMPOTENCY_HORIZON_MS
        };
        // Sweeping costs a pass over the keys, so it is done once in a thousand insertions.
        if state.idempotency.len() % 1_000 == 999 {
            state.idempotency = state
                .idempotency
                .iter()
                .filter(kept)
                .map(|(k, v)| (k.clone(), *v))
                .collect();
        }
        state.idempotency.insert(key.clone(), (*digest, e.run, now));
    }
}

pub(super) fn cancel_requested(
    state: &mut State,
    at: Position,
    event: &Event,
    e: &RunCancelRequested,
) {
    let remembers = state.fold_version >= 3;
    stop(state, e.run, |run| {
        if remembers && run.cancelled.is_none() {
            run.cancelled = Some((at, event.time, event.principal.clone()));
        }
    });
}

pub(super) fn run_timed_out(state: &mut State, time: Timestamp, e: &RunTimedOut) {
    stop(state, e.run, |run| {
        run.timed_out = Some(TimedOut {
            limit: e.limit,
            limit_ms: e.limit_ms,
            at: time,
        });
    });
}

/// Ends the tasks that no host holds; those that are held end when their host says so.
fn stop(state: &mut State, id: RunId, edit: impl FnOnce(&mut Run)) {
    let Some(open) = state.run(id).filter(|run| !run.status.is_terminal()) else {
        return;
    };
    let open = Arc::clone(open);
    deadlines::forget_all(state, &open);
    if open.status == RunStatus::Queued {
        admission::end(state, &open);
    }
    drop(open);
    let Some(run) = state.runs.get_mut(&id).map(Arc::make_mut) else {
        return;
    };
    run.status = RunStatus::Canceling;
    edit(run);
    let unbegun: Vec<TaskIndex> = (0..)
        .zip(&run.tasks)
        .filter(|(_, task)| !task.status.is_held())
        .map(|(index, _)| index)
        .collect();
    for task in unbegun {
        transition(state, id, task, TaskEvent::Cancelled, |_| {});
    }
}

pub(super) fn run_finished(state: &mut State, at: Position, time: Timestamp, e: &RunFinished) {
    let Some(open) = state.run(e.run).filter(|run| !run.status.is_terminal()) else {
        return;
    };
    let open = Arc::clone(open);
    deadlines::forget_all(state, &open);
    drop(open);
    let Some(run) = state.runs.get_mut(&e.run).map(Arc::make_mut) else {
        return;
    };
    run.status = e.outcome.into();
    run.ended = Some((at, time));
    let ended = Arc::clone(&state.runs[&e.run]);
    admission::end(state, &ended);
    state.active_runs.remove(&e.run);
    state.ended_runs.insert((at, e.run));
    run_retry::ended(state, e.run, e.retry);
    let bad = e.outcome != RunOutcome::Succeeded && e.retry.is_none();
    key_of_sensor_ended(state, e.run, bad);
    sensor_queue::run_entered(state, at, time, e.run, sensor_queue::status_of(e.outcome));
    backfill::run_ended(state, time, e.run, e.retry.is_some());
    definitions::prune_versions(state);
}

/// A run of a lineage is over: the key under which a sensor asked for its first run knows how.
pub(super) fn key_of_sensor_ended(state: &mut State, run: RunId, badly: bool) {
    let root = state.run(run).map(|run| match &run.rerun {
        Some(rerun) => rerun.root,
        None => run.id,
    });
    let Some(first) = root.and_then(|root| state.run(root)).map(Arc::clone) else {
        return;
    };
    if let Some(key) = &first.run_key
        && first.scope.starts_with(SENSOR_SCOPE)
        && let Some(entry) = state
            .run_keys
            .get_mut(&State::run_key_index(&first.scope, key))
        && entry.run == first.id
    {
        entry.ended_badly = badly;
    }
}

pub(super) fn history_packed(state: &mut State, e: &HistoryPacked) {
    let mut dropped: Vec<RunId> = Vec::new();
    for id in &e.runs {
        let Some((at, _)) = state.runs.get(id).and_then(|run| run.ended) else {
            continue;
        };
        state.ended_runs.remove(&(at, *id));
        state.runs.remove(id);
        dropped.push(*id);
    }
    if let (Some(first), Some(last)) = (dropped.iter().min(), dropped.iter().max()) {
        let count = u32::try_from(dropped.len()).unwrap_or(u32::MAX);
        state
            .history
            .push_back((*first, *last, e.object.clone(), count));
    }
}
