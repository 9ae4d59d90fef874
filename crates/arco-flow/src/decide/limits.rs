//! Limits are set, and enforced: what waited or went on for too long is stopped.

use arco_core::event::{AttemptStartTimedOut, LimitsSet, RunTimedOut};
use arco_core::limits::Limits;

use super::{Deciding, finish};
use crate::Rejection;
use crate::command::{Answer, RunRequest};
use crate::state::{Deadline, Due};

/// Dagster's tag for the priority of a run.
const PRIORITY_TAG: &str = "dagster/priority";

/// Time limits enforced by one decision: after a long outage all of them are over at once, and a
/// segment has an end.
const ENFORCED_MAX: usize = 1_000;

/// Sets the limits; nothing is written when they are so already.
pub(super) fn set(d: &mut Deciding<'_>, limits: &Limits) -> Result<Answer, Rejection> {
    limits.check()?;
    if d.state.limits != *limits {
        d.emit(LimitsSet {
            limits: limits.clone(),
        });
    }
    Ok(Answer::Done)
}

/// The priority that was asked for; without one that of Dagster's tag, where text that is no number
/// counts as 0.
pub(super) fn priority_of(request: &RunRequest) -> i32 {
    let tag = request.tags.get(PRIORITY_TAG).map(|text| text.trim());
    match tag {
        Some(text) if request.priority == 0 => text.parse().unwrap_or(0),
        _ => request.priority,
    }
}

/// Stops what is over its time. A run ends as a failure; a task that is alive ends when its
/// host says that it has stopped it.
pub(super) fn enforce(d: &mut Deciding<'_>) -> Answer {
    let due = crate::pending::overdue(&d.state, d.now);
    let due: Vec<Due> = due.take(ENFORCED_MAX).collect();
    for due in due {
        // The end of a run is the end of waiting for its attempts.
        if d.state.deadlines.contains(&due) {
            stop(d, due);
        }
    }
    Answer::Done
}

fn stop(d: &mut Deciding<'_>, due: Due) {
    let limit_ms = due.limit_ms;
    match due.of {
        Deadline::Start(attempt) => d.emit_as_leader(AttemptStartTimedOut { attempt, limit_ms }),
        Deadline::Run(limit, run) => {
            d.emit_as_leader(RunTimedOut {
                run,
                limit,
                limit_ms,
            });
            finish::finish_run(d, run);
        }
    }
}

#[cfg(test)]
mod tests;
