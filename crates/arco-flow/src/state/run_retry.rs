//! The fold arms of automatic retries of runs.

use std::sync::Arc;

use arco_core::event::{RerunOf, RetryOwed, RunRetryDropped};
use arco_core::{RunId, Timestamp};

use super::{Retried, Run, State, backfill, run_fold};
use crate::rerun::{RETRIED_BY_TAG, WILL_RETRY_TAG};

/// A run failed and is owed a retry, or failed as a retry and is owed none. The tags are Dagster's
/// other failed runs are not told apart by tags, and get none.
pub(super) fn ended(state: &mut State, run: RunId, owed: Option<RetryOwed>) {
    let Some(ended) = state.runs.get_mut(&run).map(Arc::make_mut) else {
        return;
    };
    let was_retry = ended
        .rerun
        .as_ref()
        .is_some_and(|rerun| rerun.retry.is_some());
    match owed {
        Some(owed) => {
            say(ended, WILL_RETRY_TAG, "true");
            ended.retried = Some(Retried {
                owed,
                by: None,
                dropped: None,
            });
            state.retries_owed.insert(run, owed);
        }
        None if was_retry => say(ended, WILL_RETRY_TAG, "false"),
        None => {}
    }
}

/// A run was asked for: if it is a retry, its parent is owed none any more.
pub(super) fn made(state: &mut State, run: RunId, rerun: &RerunOf) {
    if rerun.retry.is_none() || state.retries_owed.remove(&rerun.parent).is_none() {
        return;
    }
    edit(state, rerun.parent, |parent, retried| {
        retried.by = Some(run);
        say(parent, RETRIED_BY_TAG, &run.to_string());
    });
}

pub(super) fn dropped(state: &mut State, time: Timestamp, e: &RunRetryDropped) {
    if state.retries_owed.remove(&e.run).is_some() {
        backfill::run_ended(state, time, e.run, false);
        run_fold::key_of_sensor_ended(state, e.run, true);
        edit(state, e.run, |run, retried| {
            retried.dropped = Some(e.reason.clone());
            say(run, WILL_RETRY_TAG, "false");
        });
    }
}

fn edit(state: &mut State, run: RunId, with: impl FnOnce(&mut Run, &mut Retried)) {
    let Some(run) = state.runs.get_mut(&run).map(Arc::make_mut) else {
        return;
    };
    if let Some(mut retried) = run.retried.take() {
        with(run, &mut retried);
        run.retried = Some(retried);
    }
}

fn say(run: &mut Run, tag: &str, value: &str) {
    run.tags.insert(tag.to_owned(), value.to_owned());
}
