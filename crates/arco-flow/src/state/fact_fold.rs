//! The fold arms of what attempts, or reports from outside of runs, say about assets.

use std::sync::Arc;

use arco_core::event::{AssetMaterialized, AssetObserved, CheckEvaluated, Position, Severity};
use arco_core::{AttemptId, Digest, Timestamp};
use serde::Serialize;

use super::run_fold::IDEMPOTENCY_HORIZON_MS;
use super::task_fold::is_live;
use super::{Run, State, Task, sensor_queue};

pub(super) fn materialized(
    state: &mut State,
    at: Position,
    time: Timestamp,
    e: &AssetMaterialized,
) {
    if !stands(state, e.attempt) {
        return;
    }
    Arc::make_mut(state.assets.entry(e.asset.clone()).or_default()).materialized(at, time, e);
    let keeps_made = state.fold_version >= 3;
    if let Some(run) = run_of(state, e.attempt) {
        run.materializations += 1;
        note(run, e.attempt, e);
        if keeps_made && let Some(task) = task_of(run, e.attempt) {
            let made = &mut task.made;
            if let Err(at) = made.binary_search(&e.asset) {
                made.insert(at, e.asset.clone());
            }
        }
    }
    remember_report(state, at, time, e.idempotency.as_ref());
    sensor_queue::materialized(state, at, time, e);
}

pub(super) fn observed(state: &mut State, at: Position, time: Timestamp, e: &AssetObserved) {
    if !stands(state, e.attempt) {
        return;
    }
    Arc::make_mut(state.assets.entry(e.asset.clone()).or_default()).observed(at, time, e);
    if let Some(run) = run_of(state, e.attempt) {
        run.observations += 1;
        note(run, e.attempt, e);
    }
    remember_report(state, at, time, e.idempotency.as_ref());
}

/// A fact of a live attempt, or one reported from outside of runs.
fn stands(state: &State, attempt: Option<AttemptId>) -> bool {
    attempt.is_none_or(|attempt| is_live(state, attempt))
}

fn run_of(state: &mut State, attempt: Option<AttemptId>) -> Option<&mut Run> {
    state.runs.get_mut(&attempt?.run).map(Arc::make_mut)
}

fn task_of(run: &mut Run, attempt: Option<AttemptId>) -> Option<&mut Task> {
    let task = run.tasks.get_mut(attempt?.task as usize)?;
    Some(Arc::make_mut(task))
}

/// A report under a client's key, so that it counts once.
fn remember_report(
    state: &mut State,
    at: Position,
    now: Timestamp,
    key: Option<&(String, Digest)>,
) {
    let Some((key, digest)) = key else { return };
    // As for runs: once in a thousand insertions what is past the horizon goes.
    if state.reports.len() % 1_000 == 999 {
        state.reports = state
            .reports
            .iter()
            .filter(|(_, (_, _, then))| now.ms_since(*then) <= IDEMPOTENCY_HORIZON_MS)
            .map(|(key, known)| (key.clone(), *known))
            .collect();
    }
    state.reports.insert(key.clone(), (*digest, at, now));
}

pub(super) fn checked(state: &mut State, at: Position, time: Timestamp, e: &CheckEvaluated) {
    if !stands(state, e.attempt) {
        return;
    }
    Arc::make_mut(state.assets.entry(e.asset.clone()).or_default()).checked(at, time, e);
    remember_report(state, at, time, e.idempotency.as_ref());
    let Some(run) = run_of(state, e.attempt) else {
        return;
    };
    note(run, e.attempt, e);
    if e.passed {
        run.checks.0 += 1;
    } else {
        run.checks.1 += 1;
    }
    if e.blocking
        && !e.passed
        && e.severity == Severity::Error
        && let Some(task) = task_of(run, e.attempt)
    {
        task.blocked = true;
    }
}

/// Remembers a fact of a live attempt, so that it counts once.
pub(super) fn note(run: &mut Run, attempt: Option<AttemptId>, fact: &impl Serialize) {
    if let Some(task) = task_of(run, attempt) {
        task.said.insert(fact);
    }
}
