//! Sensors: whether each runs, its cursor, what lies before it, and when it is asked next.
//!
//! The rows follow the definitions (a deploy), the operators (started, stopped, reset, cursor set) and
//! the evaluations. Whatever an evaluation was asked with stands as long as `state_version` does.

use std::sync::Arc;

use arco_core::definitions::{DefaultStatus, Sensor};
use arco_core::event::{
    CursorSet, EvaluationFinished, EvaluationOutcome, Event, Position, SensorIdled, SensorReset,
    SensorStarted, SensorStopped,
};
use arco_core::{Digest, Timestamp};
use imbl::Vector;
use serde::{Deserialize, Serialize};

use super::schedule::{GONE_KEPT_MS, OperatorSaid};
use super::sensor_queue::{MessageIds, Queued};
use super::{State, Timer, evaluation, subscriptions};

/// The longest pause after failures.
const PAUSE_MAX_MS: u64 = 10 * 60 * 1000;
/// The first pause after a failure of what waits in a queue.
const QUEUE_PAUSE_MS: u64 = 2_000;

/// One sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensorState {
    /// The code location that defines it.
    pub location: String,
    /// Version of its declaration.
    pub version: Digest,
    /// What it looks at: `poll`, `push`, `asset`, `run_status`.
    pub kind: String,
    /// What the code says.
    pub default_status: DefaultStatus,
    /// What an operator said, over the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<OperatorSaid>,
    /// From when it counts: events before are nobody's (N-23).
    pub since: Timestamp,
    /// Its cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Changes with everything that an evaluation is asked with.
    pub state_version: u64,
    /// Number of its last evaluation; 0 before the first.
    pub number: u64,
    /// Failures in a row: of a queue, of what stands at its head.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// When it was asked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// When it was last evaluated to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_evaluated: Option<Timestamp>,
    /// Run key of the last run it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_key: Option<String>,
    /// What lies before it, oldest first.
    #[serde(default, skip_serializing_if = "Vector::is_empty")]
    pub queue: Vector<Arc<Queued>>,
    /// Messages that were accepted lately.
    #[serde(default, skip_serializing_if = "MessageIds::is_empty")]
    pub messages: MessageIds,
    /// When it left the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Timestamp>,
    /// From the begin of one look to the next, milliseconds; `None` when it does not poll. Derived.
    #[serde(skip)]
    pub interval_ms: Option<u64>,
    /// When it may be asked next: of one that polls, as far as the log knows. Derived.
    #[serde(skip)]
    pub due: Option<Timestamp>,
}

impl SensorState {
    /// Whether it runs: what an operator said, else what the code says.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.gone.is_none()
            && match &self.said {
                Some(said) => said.runs,
                None => self.default_status == DefaultStatus::Running,
            }
    }

    /// Milliseconds from the begin of its last evaluation until it may be asked again: doubled with every
    /// failure in a row, up to ten minutes.
    #[must_use]
    pub fn pause_ms(&self) -> u64 {
        let doubled = |first: u64, times: u32| {
            let grown = first.saturating_mul(1_u64 << times.min(20));
            grown.min(PAUSE_MAX_MS.max(first))
        };
        match (self.interval_ms, self.failures) {
            (Some(interval), failures) => doubled(interval, failures.saturating_sub(1)),
            (None, 0) => 0,
            (None, failures) => doubled(QUEUE_PAUSE_MS, failures - 1),
        }
    }

    /// When it is asked next because of what the log knows.
    fn next(&self) -> Option<Timestamp> {
        if !self.is_running() {
            return None;
        }
        let ready = match self.interval_ms {
            Some(_) => self.since,
            None => self.queue.front()?.time.max(self.since),
        };
        // One that was set going looks at once, unless it looked since.
        let paused = self
            .asked
            .filter(|asked| *asked >= self.since || self.failures > 0)
            .map(|asked| asked.plus_ms(self.pause_ms()));
        Some(paused.map_or(ready, |paused| ready.max(paused)))
    }
}

/// Makes the rows of a location follow its current definitions.
pub(super) fn follow_definitions(state: &mut State, location: &str, now: Timestamp) {
    let catalog = Arc::clone(&state.catalog);
    let Some(definitions) = catalog.locations().get(location) else {
        return;
    };
    for (name, sensor) in definitions.sensors() {
        let row = match state.sensors.get(name) {
            Some(row) => followed((**row).clone(), location, sensor, now),
            None => fresh(location, sensor, now),
        };
        set(state, name, row);
    }
    let left: Vec<String> = state
        .sensors
        .iter()
        .filter(|(name, row)| {
            row.location == location && row.gone.is_none() && definitions.sensor(name).is_none()
        })
        .map(|(name, _)| name.clone())
        .collect();
    for name in left {
        edit(state, &name, |row| row.gone = Some(now));
    }
    forget_gone(state, now);
    subscriptions::rebuild(state);
}

fn fresh(location: &str, sensor: &Sensor, now: Timestamp) -> SensorState {
    SensorState {
        location: location.to_owned(),
        version: sensor.digest(),
        kind: sensor.def().kind.as_str().to_owned(),
        default_status: sensor.def().default_status,
        said: None,
        since: now,
        cursor: None,
        state_version: 0,
        number: 0,
        failures: 0,
        asked: None,
        last_evaluated: None,
        last_run_key: None,
        queue: Vector::new(),
        messages: MessageIds::default(),
        gone: None,
        interval_ms: None,
        due: None,
    }
}

fn followed(mut row: SensorState, location: &str, sensor: &Sensor, now: Timestamp) -> SensorState {
    let ran = row.is_running();
    let kind = sensor.def().kind.as_str();
    if row.kind != kind {
        // What lay before the former sensor of the name says nothing to this one.
        row.queue = Vector::new();
        row.failures = 0;
        row.state_version += 1;
        kind.clone_into(&mut row.kind);
    }
    row.location = location.to_owned();
    row.version = sensor.digest();
    row.default_status = sensor.def().default_status;
    row.gone = None;
    if !ran {
        row.since = now;
    }
    row
}

fn forget_gone(state: &mut State, now: Timestamp) {
    let long_gone: Vec<String> = state
        .sensors
        .iter()
        .filter(|(_, row)| row.gone.is_some_and(|at| now.ms_since(at) > GONE_KEPT_MS))
        .map(|(name, _)| name.clone())
        .collect();
    for name in long_gone {
        state.sensors.remove(&name);
    }
}

pub(super) fn started(state: &mut State, at: Position, event: &Event, e: &SensorStarted) {
    said(state, at, event, &e.sensor, Some(true));
}

pub(super) fn stopped(state: &mut State, at: Position, event: &Event, e: &SensorStopped) {
    said(state, at, event, &e.sensor, Some(false));
}

pub(super) fn reset(state: &mut State, at: Position, event: &Event, e: &SensorReset) {
    said(state, at, event, &e.sensor, None);
}

fn said(state: &mut State, at: Position, event: &Event, name: &str, runs: Option<bool>) {
    edit(state, name, |row| {
        let ran = row.is_running();
        row.said = runs.map(|runs| OperatorSaid {
            runs,
            by: event.principal.clone(),
            at: (at, event.time),
        });
        if ran != row.is_running() {
            // What is under way was asked of another life of it.
            row.state_version += 1;
            row.failures = 0;
            row.since = event.time;
        }
    });
    subscriptions::rebuild(state);
}

pub(super) fn cursor_set(state: &mut State, e: &CursorSet) {
    edit(state, &e.sensor, |row| {
        row.cursor.clone_from(&e.cursor);
        row.state_version += 1;
    });
}

pub(super) fn idled(state: &mut State, at: Position, event: &Event, e: &SensorIdled) {
    edit(state, &e.id.sensor, |row| {
        row.number = row.number.max(e.id.number);
        row.asked = row.asked.max(Some(e.last));
        row.last_evaluated = row.last_evaluated.max(Some(e.last));
    });
    evaluation::idled(state, at, event, e);
}

pub(super) fn evaluated(state: &mut State, at: Position, event: &Event, e: &EvaluationFinished) {
    edit(state, &e.id.sensor, |row| {
        row.number = row.number.max(e.id.number);
        row.state_version += 1;
        row.cursor.clone_from(&e.cursor);
        row.last_run_key.clone_from(&e.last_run_key);
        row.asked = row.asked.max(Some(e.asked.started));
        let acknowledges = match &e.outcome {
            EvaluationOutcome::Failed {
                attempt,
                passed_over,
                ..
            } => {
                row.failures = if *passed_over { 0 } else { *attempt };
                *passed_over
            }
            _ => {
                row.failures = 0;
                row.last_evaluated = row.last_evaluated.max(Some(event.time));
                true
            }
        };
        if acknowledges {
            for _ in 0..e.of.items() {
                row.queue.pop_front();
            }
        }
    });
    evaluation::finished(state, at, event, e);
}

pub(super) fn edit(state: &mut State, name: &str, change: impl FnOnce(&mut SensorState)) {
    if let Some(row) = state.sensors.get(name) {
        let mut row = (**row).clone();
        change(&mut row);
        set(state, name, row);
    }
}

/// Puts a row in and keeps the index of what is due.
pub(super) fn set(state: &mut State, name: &str, mut row: SensorState) {
    let old = state.sensors.get(name).and_then(|known| known.due);
    if let Some(due) = old {
        state.timers.remove(&(due, Timer::Sensor(name.to_owned())));
    }
    row.interval_ms = state
        .catalog
        .sensor(name)
        .and_then(|found| found.sensor.interval_ms());
    row.due = row.next();
    if let Some(due) = row.due {
        state.timers.insert((due, Timer::Sensor(name.to_owned())));
    }
    state.sensors.insert(name.to_owned(), Arc::new(row));
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference to skip_serializing_if"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
