//! Schedules: whether each runs, up to which instant it is settled, and when it is due next.
//!
//! The rows follow the definitions (a deploy), the operators (started, stopped, reset) and the ticks.
//! `settled` only grows: no instant at or before it is ever fired, whatever the clocks do.

use std::sync::Arc;

use arco_core::definitions::{DefaultStatus, Schedule};
use arco_core::event::{
    ErrorInfo, Event, Position, Principal, ScheduleReset, ScheduleStarted, ScheduleStopped,
    TickTried,
};
use arco_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::State;

/// A schedule or sensor that left the code is remembered for this long, with what operators said of it (S-32).
pub(super) const GONE_KEPT_MS: u64 = 12 * 60 * 60 * 1000;

/// One schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleState {
    /// The code location that defines it.
    pub location: String,
    /// Version of its declaration.
    pub version: Digest,
    /// Version of its crons and zone.
    pub timing: Digest,
    /// What the code says.
    pub default_status: DefaultStatus,
    /// What an operator said, over the code (S-22).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<OperatorSaid>,
    /// From when it counts: instants up to here are nobody's.
    pub since: Timestamp,
    /// Every instant up to here was fired, skipped, failed or missed.
    pub settled: Timestamp,
    /// The tick whose function failed and is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<TickRetry>,
    /// When it left the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Timestamp>,
    /// When it is due next. Derived.
    #[serde(skip)]
    pub due: Option<Timestamp>,
}

/// A tick whose function failed and is tried again (S-28).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickRetry {
    /// The instant.
    pub instant: Timestamp,
    /// The time by which it was chosen.
    pub judged: Timestamp,
    /// Tries that failed.
    pub attempts: u32,
    /// When it is tried again.
    pub next: Timestamp,
    /// What went wrong last.
    pub error: ErrorInfo,
}

/// What an operator said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorSaid {
    /// Whether it shall run.
    pub runs: bool,
    /// Who said so.
    pub by: Principal,
    /// Where in the log, and when.
    pub at: (Position, Timestamp),
}

/// What is due at a time. One index for everything that time drives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The next instant of a schedule.
    Schedule(String),
    /// The next evaluation of a sensor.
    Sensor(String),
}

impl ScheduleState {
    /// Whether it runs: what an operator said, else what the code says.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.gone.is_none()
            && match &self.said {
                Some(said) => said.runs,
                None => self.default_status == DefaultStatus::Running,
            }
    }

    /// Counts from `now` on: what was before is nobody's (S-23, S-24, D-24).
    fn count_from(&mut self, now: Timestamp) {
        self.since = now;
        self.settled = self.settled.max(now);
        self.forget_retry();
    }

    /// What is settled is not tried again.
    fn forget_retry(&mut self) {
        let settled = self.settled;
        self.retry = self.retry.take().filter(|retry| retry.instant > settled);
    }
}

/// The first instant after `settled`.
#[must_use]
pub fn next_after(schedule: &Schedule, settled: Timestamp) -> Option<Timestamp> {
    schedule.cron().instants_from(settled.plus_ms(1)).next()
}

/// Makes the rows of a location follow its current definitions.
pub(super) fn follow_definitions(state: &mut State, location: &str, now: Timestamp) {
    let catalog = Arc::clone(&state.catalog);
    let Some(definitions) = catalog.locations().get(location) else {
        return;
    };
    for (name, schedule) in definitions.schedules() {
        let row = match state.schedules.get(name) {
            Some(row) => followed((**row).clone(), location, schedule, now),
            None => fresh(location, schedule, now),
        };
        set(state, name, row);
    }
    let left: Vec<String> = state
        .schedules
        .iter()
        .filter(|(name, row)| {
            row.location == location && row.gone.is_none() && definitions.schedule(name).is_none()
        })
        .map(|(name, _)| name.clone())
        .collect();
    for name in left {
        edit(state, &name, |row| row.gone = Some(now));
    }
    forget_gone(state, now);
}

fn fresh(location: &str, schedule: &Schedule, now: Timestamp) -> ScheduleState {
    ScheduleState {
        location: location.to_owned(),
        version: schedule.digest(),
        timing: schedule.timing(),
        default_status: schedule.def().default_status,
        said: None,
        since: now,
        settled: now,
        retry: None,
        gone: None,
        due: None,
    }
}

fn followed(
    mut row: ScheduleState,
    location: &str,
    schedule: &Schedule,
    now: Timestamp,
) -> ScheduleState {
    let ran = row.is_running();
    let other_instants = row.timing != schedule.timing();
    row.location = location.to_owned();
    row.version = schedule.digest();
    row.timing = schedule.timing();
    row.default_status = schedule.def().default_status;
    row.gone = None;
    if other_instants || !ran {
        row.count_from(now);
    }
    row
}

fn forget_gone(state: &mut State, now: Timestamp) {
    let long_gone: Vec<String> = state
        .schedules
        .iter()
        .filter(|(_, row)| row.gone.is_some_and(|at| now.ms_since(at) > GONE_KEPT_MS))
        .map(|(name, _)| name.clone())
        .collect();
    for name in long_gone {
        state.schedules.remove(&name);
    }
}

pub(super) fn started(state: &mut State, at: Position, event: &Event, e: &ScheduleStarted) {
    said(state, at, event, &e.schedule, Some(true));
}

pub(super) fn stopped(state: &mut State, at: Position, event: &Event, e: &ScheduleStopped) {
    said(state, at, event, &e.schedule, Some(false));
}

pub(super) fn reset(state: &mut State, at: Position, event: &Event, e: &ScheduleReset) {
    said(state, at, event, &e.schedule, None);
}

fn said(state: &mut State, at: Position, event: &Event, name: &str, runs: Option<bool>) {
    edit(state, name, |row| {
        let ran = row.is_running();
        row.said = runs.map(|runs| OperatorSaid {
            runs,
            by: event.principal.clone(),
            at: (at, event.time),
        });
        if !ran && row.is_running() {
            row.count_from(event.time);
        }
    });
}

/// Everything up to `instant` is settled.
pub(super) fn settle(state: &mut State, name: &str, instant: Timestamp) {
    edit(state, name, |row| {
        row.settled = row.settled.max(instant);
        row.forget_retry();
    });
}

/// The function of a tick failed, and is tried again.
pub(super) fn tried(state: &mut State, e: &TickTried) {
    edit(state, &e.tick.schedule, |row| {
        if e.tick.instant > row.settled {
            row.retry = Some(TickRetry {
                instant: e.tick.instant,
                judged: e.judged,
                attempts: e.attempt,
                next: e.next,
                error: e.error.clone(),
            });
        }
    });
}

fn edit(state: &mut State, name: &str, change: impl FnOnce(&mut ScheduleState)) {
    if let Some(row) = state.schedules.get(name) {
        let mut row = (**row).clone();
        change(&mut row);
        set(state, name, row);
    }
}

/// Puts a row in and keeps the index of what is due.
pub(super) fn set(state: &mut State, name: &str, mut row: ScheduleState) {
    let old = state.schedules.get(name).and_then(|known| known.due);
    if let Some(due) = old {
        state
            .timers
            .remove(&(due, Timer::Schedule(name.to_owned())));
    }
    row.due = due(state, name, &row);
    if let Some(due) = row.due {
        state.timers.insert((due, Timer::Schedule(name.to_owned())));
    }
    state.schedules.insert(name.to_owned(), Arc::new(row));
}

fn due(state: &State, name: &str, row: &ScheduleState) -> Option<Timestamp> {
    let schedule = state.catalog.schedule(name)?.schedule;
    if !row.is_running() {
        return None;
    }
    match &row.retry {
        Some(retry) => Some(retry.next),
        None => next_after(schedule, row.settled),
    }
}
