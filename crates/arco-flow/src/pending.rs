//! What the shell owes the world, derived from the state alone: after a takeover the new leader owes
//! the same, without having been told.

use arco_core::event::RetryOwed;
use arco_core::{AttemptId, BackfillId, HostId, RunId, Timestamp};

use crate::State;
use crate::state::Due;

/// Attempts a host must be told to stop: those it holds of runs that were asked to stop, and those it
/// did not begin in time.
#[must_use]
pub fn cancels(state: &State, host: HostId) -> Vec<AttemptId> {
    let Some(host) = state.hosts.get(&host) else {
        return Vec::new();
    };
    host.attempts
        .iter()
        .filter(|attempt| is_to_stop(state, **attempt))
        .copied()
        .collect()
}

/// Whether an attempt that is alive is to be stopped.
#[must_use]
pub fn is_to_stop(state: &State, attempt: AttemptId) -> bool {
    let Some(run) = state.run(attempt.run) else {
        return false;
    };
    let live = run.task(attempt.task).and_then(|task| task.live());
    run.is_canceling() || live.is_some_and(|row| row.start_timed_out.is_some())
}

/// Time limits that are reached, the earliest first.
pub fn overdue(state: &State, now: Timestamp) -> impl Iterator<Item = Due> + '_ {
    let due = state.deadlines.iter().copied();
    due.take_while(move |due| due.at <= now)
}

/// Whether a host of `location` that asks now would get work.
#[must_use]
pub fn has_work(state: &State, location: &str, now: Timestamp) -> bool {
    let spare = crate::decide::spare(state, location);
    crate::decide::next_task(state, location, now, &spare).is_some()
}

/// Runs that failed and whose retry is to be made, with what is owed.
pub fn retries(state: &State) -> impl Iterator<Item = (RunId, RetryOwed)> + '_ {
    state.retries_owed.iter().map(|(run, owed)| (*run, *owed))
}

/// Backfills for which something is to be done at `now`: chunks that may become runs, or an end to say.
pub fn backfills(state: &State, now: Timestamp) -> impl Iterator<Item = BackfillId> + '_ {
    let open = state.open_backfills.iter().copied();
    open.filter(move |id| {
        state.backfills.get(id).is_some_and(|backfill| {
            backfill.is_exhausted()
                || backfill.status.plans()
                    && backfill.room(now) > 0
                    && (backfill.progress.open() > 0 || backfill.active.is_empty())
        })
    })
}

/// When the next chunk of a throttled backfill may become a run, later than `now`.
#[must_use]
pub fn next_chunk(state: &State, now: Timestamp) -> Option<Timestamp> {
    let open = state.open_backfills.iter();
    let planning = open
        .filter_map(|id| state.backfills.get(id))
        .filter(|backfill| backfill.status.plans() && backfill.progress.open() > 0);
    planning
        .filter_map(|backfill| backfill.next_begin())
        .filter(|at| *at > now)
        .min()
}

/// When the next try of any task is due, later than `now`: a try that is due already and waits for a
/// slot is not waited for by the clock.
#[must_use]
pub fn next_due(state: &State, now: Timestamp) -> Option<Timestamp> {
    let later = (now.plus_ms(1), RunId::from_parts(0, 0), 0);
    state.retrying.range(later..).next().map(|(at, _, _)| *at)
}
