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

#[cfg(test)]
mod tests;

use arco_core::definitions::ScheduleRef;
use arco_core::event::{ErrorInfo, TickId};
use arco_core::{Digest, Timestamp};

use crate::command::RunRequest;
use crate::state::{State, Timer};

pub use catch_up::{LATE_MS, MISSED_MAX, Missed, Overdue, overdue};
pub use evaluate::{RUNS_MAX, evaluate, scope, tick_tags};

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
}

/// What a tick runs.
#[derive(Debug, Clone)]
pub enum Evaluated {
    /// These runs; one at least.
    Runs(Vec<RunRequest>),
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
        .map(|(_, timer)| match timer {
            Timer::Schedule(name) => name.as_str(),
        })
}

/// When something is due next.
#[must_use]
pub fn next_due(state: &State) -> Option<Timestamp> {
    state.timers.iter().next().map(|(at, _)| *at)
}

/// What a running schedule has to do at `now`; `None` when nothing is due.
#[must_use]
pub fn next_step(state: &State, name: &str, now: Timestamp) -> Option<TickProposal> {
    let row = state.schedules.get(name).filter(|row| row.is_running())?;
    let found: ScheduleRef<'_> = state.catalog.schedule(name)?;
    let Overdue { missed, fire } = overdue(found.schedule, row.settled, now);
    if missed.is_empty() && fire.is_none() {
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
    })
}
