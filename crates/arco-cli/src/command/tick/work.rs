//! From what is due to nothing left: when a tick is over.

use std::collections::BTreeSet;
use std::time::Duration;

use arco_core::{RunId, Timestamp};
use arco_engine::{Engine, View};
use arco_flow::{State, pending};
use tokio::time::Instant;

use crate::failure::Outcome;

/// How often it is looked whether something happened.
const LOOK: Duration = Duration::from_millis(20);
/// When nothing was committed for so long, no task is at work and no clock is waited for, what is left
/// waits for something that is not here: another host, a slot that is not given back.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// How far a tick goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// What is due when it begins, and the runs that are there then.
    Once,
    /// Until nothing is left, with what comes meanwhile.
    Drain,
    /// What is due when it begins; no run is waited for.
    FireOnly,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nothing is left of what it was to do.
    Done,
    /// Another process took the lead.
    LeadLost,
    /// What is left cannot go on here.
    Stuck,
    /// The clock was set; by so much.
    ClockOff(i64),
}

/// Works until nothing is left.
pub(super) async fn done(engine: &Engine, mode: Mode) -> Outcome<Ended> {
    let begin = engine.now();
    let fired = until(engine, |view| is_fired(engine, &view.state, begin)).await?;
    if fired != Ended::Done || mode == Mode::FireOnly {
        return Ok(fired);
    }
    let there: BTreeSet<RunId> = engine.view().state.active_runs.iter().copied().collect();
    until(engine, |view| match mode {
        Mode::Drain => is_drained(engine, &view.state),
        _ => view
            .state
            .active_runs
            .iter()
            .all(|run| !there.contains(run)),
    })
    .await
}

async fn until(engine: &Engine, over: impl Fn(&View) -> bool) -> Outcome<Ended> {
    let mut moved = (engine.view().position(), Instant::now());
    loop {
        let view = engine.view();
        if !view.leads {
            return Ok(Ended::LeadLost);
        }
        if let Some(ms) = engine.clock_off_ms() {
            return Ok(Ended::ClockOff(ms));
        }
        if over(&view) {
            return Ok(Ended::Done);
        }
        if view.position() > moved.0 || is_moving(&view.state, engine.now()) {
            moved = (view.position(), Instant::now());
        } else if moved.1.elapsed() > STUCK_AFTER {
            return Ok(Ended::Stuck);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether everything that was due at `begin` is decided, and every backfill made the runs that it may.
fn is_fired(engine: &Engine, state: &State, begin: Timestamp) -> bool {
    !engine.owes(begin)
        && pending::backfills(state, engine.now()).next().is_none()
        && state.retries_owed.is_empty()
}

/// Whether nothing is due and nothing goes on.
fn is_drained(engine: &Engine, state: &State) -> bool {
    is_fired(engine, state, engine.now())
        && state.active_runs.is_empty()
        && pending::next_chunk(state, engine.now()).is_none()
}

/// Whether a task is at work, or a clock is waited for.
fn is_moving(state: &State, now: Timestamp) -> bool {
    state.hosts.values().any(|host| !host.attempts.is_empty())
        || pending::next_due(state, now).is_some()
        || pending::next_chunk(state, now).is_some()
}
