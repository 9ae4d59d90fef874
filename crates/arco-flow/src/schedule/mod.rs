//! Schedules: from what is due to the ticks that follow (`docs/adr/0014-schedules.md`).
//!
//! - [`overdue`]: which instants passed and are never fired, and which is fired next.
//! - [`evaluate`]: what a declared schedule runs at an instant. Code of users says it for the others.
//! - [`next_step`]: both, for a schedule of the state: the proposal that the shell has decided.
//!
//! All of it is a function of definitions, state and `now`. A proposal is decided only if the state
//! still says the same (`decide/schedules.rs`), so that any number of engines may propose at once.

mod catch_up;
mod evaluate;
mod function;

#[cfg(test)]
mod tests;

use arco_core::definitions::ScheduleRef;
use arco_core::event::{Asked, ErrorInfo, TickId};
use arco_core::{Digest, Timestamp};

use crate::command::RunRequest;
use crate::evaluation::Resolved;
use crate::state::{State, Timer};

pub use catch_up::{LATE_MS, MISSED_MAX, Missed, Overdue, overdue};
pub(crate) use evaluate::run_key;
pub use evaluate::{RUNS_MAX, evaluate, scope, tick_tags};
pub use function::{TickQuestion, answered, next_question, next_try, said_of_tick};

/// The next step of a schedule, as it was judged.
#[derive(Debug, Clone)]
pub struct TickProposal {
    /// The schedule.
    pub schedule: String,
    /// Version of its declaration.
    pub version: Digest,
    /// The time it was judged at, by a clock that is trusted.
    pub now: Timestamp,
    /// What is never fired.
    pub missed: Vec<Missed>,
    /// What is fired, and what came of it.
    pub tick: Option<(TickId, Evaluated)>,
    /// Which try of its function it is, from 1.
    pub attempt: u32,
    /// What asking its function was like; `None` for a declared one.
    pub asked: Option<Asked>,
}

/// What a tick runs.
#[derive(Debug, Clone)]
pub enum Evaluated {
    /// These runs; one at least.
    Runs(Vec<RunRequest>),
    /// What a function wants, which may be nothing.
    Wants(Box<Resolved>),
    /// Nothing, for this reason.
    Skipped(String),
    /// It cannot be said.
    Failed(ErrorInfo),
}

/// The names of schedules that are due at `now`, the longest due first.
pub fn due(state: &State, now: Timestamp) -> impl Iterator<Item = &str> {
    state
        .timers
        .iter()
        .take_while(move |(at, _)| *at <= now)
        .filter_map(|(_, timer)| match timer {
            Timer::Schedule(name) => Some(name.as_str()),
            Timer::Sensor(_) => None,
        })
}

/// When a schedule is due next.
#[must_use]
pub fn next_due(state: &State) -> Option<Timestamp> {
    let mut timers = state.timers.iter();
    let next = timers.find(|(_, timer)| matches!(timer, Timer::Schedule(_)));
    next.map(|(at, _)| *at)
}

/// When a declared schedule is due next. One with a function may be due for as long as no host can be asked.
#[must_use]
pub fn next_declared(state: &State) -> Option<Timestamp> {
    let is_declared = |name: &str| {
        let found = state.catalog.schedule(name);
        found.is_some_and(|found| !found.schedule.def().function)
    };
    let mut timers = state.timers.iter();
    let next = timers.find(|(_, timer)| match timer {
        Timer::Schedule(name) => is_declared(name),
        Timer::Sensor(_) => false,
    });
    next.map(|(at, _)| *at)
}

/// What a running schedule has to do at `now`; `None` when nothing is due. One with a function has to be asked
/// ([`next_question`]) unless it has only instants that are never fired.
#[must_use]
pub fn next_step(state: &State, name: &str, now: Timestamp) -> Option<TickProposal> {
    let row = state.schedules.get(name).filter(|row| row.is_running())?;
    let found: ScheduleRef<'_> = state.catalog.schedule(name)?;
    let Overdue { missed, fire } = overdue(found.schedule, row.settled, now);
    let asks = found.schedule.def().function && (fire.is_some() || row.retry.is_some());
    if asks || missed.is_empty() && fire.is_none() {
        return None;
    }
    let tick = fire.map(|instant| {
        let evaluated = evaluate(state, found, instant, now);
        let id = TickId {
            schedule: name.to_owned(),
            instant,
        };
        (id, evaluated)
    });
    Some(TickProposal {
        schedule: name.to_owned(),
        version: found.schedule.digest(),
        now,
        missed,
        tick,
        attempt: 1,
        asked: None,
    })
}
