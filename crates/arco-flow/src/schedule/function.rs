//! Schedules whose function says what a tick runs: the question, and what its answer comes to.

use arco_core::event::{Asked, TickId};
use arco_core::{Digest, Timestamp};

use super::{Evaluated, Overdue, TickProposal, overdue};
use crate::evaluation::{Asker, CheckConfig, Said, another_question, resolve};
use crate::state::State;

#[cfg(test)]
mod tests;

/// The first pause before a tick is tried again, milliseconds; it doubles up to [`PAUSE_MAX_MS`].
const PAUSE_MS: u64 = 10_000;
const PAUSE_MAX_MS: u64 = 10 * 60 * 1000;

/// What the function of a schedule is asked with. Its answer counts only while the instant is not settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TickQuestion {
    /// The tick.
    pub tick: TickId,
    /// Its code location.
    pub location: String,
    /// Version of its declaration.
    pub version: Digest,
    /// The time by which the instant was chosen.
    pub judged: Timestamp,
    /// Which try it is, from 1.
    pub attempt: u32,
    /// Longest time the function may take. Milliseconds.
    pub timeout_ms: u64,
}

/// What the function of a running schedule is asked at `now`; `None` when nothing is due.
#[must_use]
pub fn next_question(state: &State, name: &str, now: Timestamp) -> Option<TickQuestion> {
    let row = state.schedules.get(name).filter(|row| row.is_running())?;
    let found = state.catalog.schedule(name)?;
    let schedule = found.schedule;
    if !schedule.def().function {
        return None;
    }
    let (instant, judged, attempt) = match &row.retry {
        Some(retry) if retry.next > now => return None,
        Some(retry) => (retry.instant, retry.judged, retry.attempts + 1),
        None => (overdue(schedule, row.settled, now).fire?, now, 1),
    };
    Some(TickQuestion {
        tick: TickId {
            schedule: name.to_owned(),
            instant,
        },
        location: found.definitions.location().to_owned(),
        version: schedule.digest(),
        judged,
        attempt,
        timeout_ms: schedule.timeout_ms(),
    })
}

/// Makes a proposal of an answer to `question`; `None` when the state says otherwise by now.
#[must_use]
pub fn answered(
    state: &State,
    question: &TickQuestion,
    said: &Said,
    asked: &Asked,
    now: Timestamp,
    check_config: CheckConfig<'_>,
) -> Option<TickProposal> {
    let name = &question.tick.schedule;
    let row = state.schedules.get(name)?;
    let found = state.catalog.schedule(name)?;
    let Overdue { missed, .. } = overdue(found.schedule, row.settled, question.judged);
    let evaluated = said_of_tick(state, question, said, now, check_config);
    Some(TickProposal {
        schedule: name.clone(),
        version: question.version,
        now: question.judged,
        missed,
        tick: Some((question.tick.clone(), evaluated)),
        attempt: question.attempt,
        asked: Some(asked.clone()),
    })
}

/// What an answer comes to.
#[must_use]
pub fn said_of_tick(
    state: &State,
    question: &TickQuestion,
    said: &Said,
    now: Timestamp,
    check_config: CheckConfig<'_>,
) -> Evaluated {
    let wanted = match said {
        Said::Returned(wanted) => wanted,
        Said::Raised { error, .. } => return Evaluated::Failed(error.clone()),
        Said::Mapped(_) => return Evaluated::Failed(another_question()),
    };
    let tick = &question.tick;
    let Some(found) = state.catalog.schedule(&tick.schedule) else {
        return Evaluated::Skipped("the schedule left the code".into());
    };
    let def = found.schedule.def();
    let asker = Asker {
        name: def.name.clone(),
        tick: Some(tick.clone()),
        location: question.location.clone(),
        jobs: def.job.iter().chain(&def.jobs).cloned().collect(),
        selection: def.selection.clone(),
        config: def.config.clone(),
        tags: def.tags.clone(),
        seeds: vec![tick.to_string()],
    };
    match resolve(state, &asker, wanted, now, check_config) {
        Ok(resolved) => Evaluated::Wants(Box::new(resolved)),
        Err(refused) => Evaluated::Failed(refused.error),
    }
}

/// When a tick is tried again whose `attempt`th try failed at `now`.
#[must_use]
pub fn next_try(attempt: u32, now: Timestamp) -> Timestamp {
    let doubled = PAUSE_MS.saturating_mul(1 << attempt.saturating_sub(1).min(20));
    now.plus_ms(doubled.min(PAUSE_MAX_MS))
}
