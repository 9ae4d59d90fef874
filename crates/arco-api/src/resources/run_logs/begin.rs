//! What a stream of output begins with: the attempts that are alive, and the last of those before.

use arco_core::TaskIndex;
use arco_flow::state::{AttemptRow, Run};

use super::cursor::OpenAttempt;
use super::filter::Filter;
use crate::limits::PAST_ATTEMPTS_MAX;

/// The attempts to begin with.
#[derive(Debug)]
pub(super) struct Begin {
    /// Those that are over in the order of their ends, then those that are alive.
    pub(super) shown: Vec<OpenAttempt>,
    /// How many are left out: the oldest ends.
    pub(super) skipped: u64,
}

/// The attempts of a run as it stands.
pub(super) fn attempts(run: &Run, filter: &Filter) -> Begin {
    let mut past = Vec::new();
    let mut alive = Vec::new();
    for index in filter.tasks(run) {
        for row in run.task(index).into_iter().flat_map(|task| &task.attempts) {
            if filter.attempt.is_some_and(|wanted| wanted != row.number) {
                continue;
            }
            match row.outcome {
                Some(_) => past.push((row.ended, index, row.number)),
                None => alive.push((Some(row.leased), index, row.number)),
            }
        }
    }
    past.sort_unstable();
    alive.sort_unstable();
    let skipped = past.len().saturating_sub(PAST_ATTEMPTS_MAX);
    let shown = past.into_iter().skip(skipped).chain(alive);
    Begin {
        shown: shown
            .map(|(_, task, number)| OpenAttempt::new(task, number))
            .collect(),
        skipped: skipped as u64,
    }
}

/// An attempt as the run knows it.
pub(super) fn row(run: &Run, task: TaskIndex, number: u32) -> Option<&AttemptRow> {
    let task = run.task(task)?;
    task.attempts.iter().find(|row| row.number == number)
}
