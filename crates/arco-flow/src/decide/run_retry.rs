//! Automatic retries of runs (R-25 to R-28, `docs/adr/0017-run-retries.md`).
//!
//! That a run is owed a retry is decided with its end, in one event, so that it is owed exactly once
//! whoever leads. The leader makes the run from what is owed; a debt is paid by the run that bears the
//! retry's key, or dropped with a reason.

use arco_core::RunId;
use arco_core::event::{FailureClass, RetryOwed, RunOutcome, RunRetriesSet, RunRetryDropped};
use arco_core::run_retries::{MAX_RETRIES_MAX, RunRetries};

use super::Deciding;
use crate::command::Answer;
use crate::state::{Run, State, TaskStatus};
use crate::{Rejection, rerun};

/// What a run that ends like this is owed. Reruns by hand count, and what was stopped is not retried
///
pub(super) fn owed(state: &State, run: &Run, outcome: RunOutcome) -> Option<RetryOwed> {
    if outcome != RunOutcome::Failed || state.fold_version < 3 {
        return None;
    }
    // The tags were read when the run was asked for; those of an older log may say anything.
    let policy = RunRetries::of(&run.tags, state.run_retries).unwrap_or_default();
    let lineage = state.lineages.get(&rerun::root_of(run));
    let before = lineage.map_or(0, |reruns| u32::try_from(reruns.len()).unwrap_or(u32::MAX));
    (before < policy.max_retries && policy.covers(failures(run))).then(|| RetryOwed {
        number: before + 1,
        kind: policy.strategy.kind(),
    })
}

/// The ways in which its tasks failed.
pub(crate) fn failures(run: &Run) -> impl Iterator<Item = FailureClass> {
    let timed_out = run.timed_out.map(|_| FailureClass::Timeout);
    let tasks = run.tasks.iter().filter_map(|task| match task.status {
        TaskStatus::Failed => task.failure().map(|(class, _)| class),
        TaskStatus::Succeeded if task.blocked => Some(FailureClass::DataQuality),
        _ => None,
    });
    timed_out.into_iter().chain(tasks)
}

pub(super) fn set(d: &mut Deciding<'_>, retries: RunRetries) -> Result<Answer, Rejection> {
    if retries.max_retries > MAX_RETRIES_MAX {
        return Err(Rejection::TooManyRetries {
            asked: retries.max_retries,
            max: MAX_RETRIES_MAX,
        });
    }
    if d.state.run_retries != retries {
        d.emit(RunRetriesSet { retries });
    }
    Ok(Answer::Done)
}

pub(super) fn drop(d: &mut Deciding<'_>, run: RunId, reason: &str) -> Answer {
    if d.state.retries_owed.contains_key(&run) {
        d.emit(RunRetryDropped {
            run,
            reason: reason.to_owned(),
        });
    }
    Answer::Done
}

#[cfg(test)]
mod tests;
