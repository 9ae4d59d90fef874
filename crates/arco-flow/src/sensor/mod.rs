//! Sensors: from what lies before them to the evaluations that follow
//! (`docs/adr/0019-evaluations-and-sensors.md`).
//!
//! - [`due`]: which sensors may be asked, as far as the log knows. Looks that found nothing are known to the
//!   leader alone.
//! - [`question`]: what a sensor is asked with, and by what its answer is judged.
//! - [`propose`]: what the answer comes to: the proposal that the shell has decided.
//!
//! A proposal is decided only if the state still says what the question was asked with
//! (`decide/sensors.rs`), so that an evaluation may be asked any number of times and counts once.

mod propose;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::event::{Asked, ErrorInfo, EvaluationOf};
use arco_core::{Digest, Timestamp};

use crate::evaluation::Resolved;
use crate::state::{Queued, State, Timer};

pub use propose::propose;

/// What lies before a sensor that is handed over at once, at most: an answer is one decision.
pub const ITEMS_MAX: usize = 100;
/// Messages that may wait for one sensor: more are refused, so that their sender slows down.
pub const MESSAGES_MAX: usize = 10_000;

/// Prefix of the scopes of the run keys of sensors.
pub const SCOPE: &str = "sensor:";

/// Tags of the runs of a sensor, as scripts written for Dagster know them (S-42).
const SENSOR_TAG: &str = "dagster/sensor_name";
const RUN_KEY_TAG: &str = "dagster/run_key";

/// Scope of the run keys of a sensor.
#[must_use]
pub fn scope(sensor: &str) -> String {
    format!("{SCOPE}{sensor}")
}

/// The tags that say which sensor asked for a run.
#[must_use]
pub fn tags(sensor: &str, run_key: Option<&str>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::from([(SENSOR_TAG.to_owned(), sensor.to_owned())]);
    if let Some(key) = run_key {
        tags.insert(RUN_KEY_TAG.into(), key.to_owned());
    }
    tags
}

/// What a sensor is asked with. Its answer counts only while all of this is so.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorQuestion {
    /// The sensor.
    pub sensor: String,
    /// Its code location.
    pub location: String,
    /// Version of its declaration.
    pub version: Digest,
    /// What the row's was.
    pub state_version: u64,
    /// Cursor that stands.
    pub cursor: Option<String>,
    /// When it was last evaluated to the end.
    pub last_evaluated: Option<Timestamp>,
    /// Run key of the last run it asked for.
    pub last_run_key: Option<String>,
    /// What lies before it, oldest first; empty for one that polls.
    pub items: Vec<Arc<Queued>>,
    /// Longest time its function may take. Milliseconds.
    pub timeout_ms: u64,
}

/// What an answer comes to.
#[derive(Debug, Clone)]
pub struct EvaluationProposal {
    /// The sensor.
    pub sensor: String,
    /// Version of its declaration.
    pub version: Digest,
    /// What the row's was.
    pub state_version: u64,
    /// Looks before it that found nothing, not yet written.
    pub idle: Option<Idle>,
    /// One, or two when the first of a queue went well and then one failed.
    pub parts: Vec<Part>,
}

/// One evaluation of a proposal.
#[derive(Debug, Clone)]
pub struct Part {
    /// What it is about.
    pub of: EvaluationOf,
    /// What asking was like.
    pub asked: Asked,
    /// The new cursor as user code said it; `None` keeps it, the empty text clears it (N-8).
    pub cursor: Option<String>,
    /// What it wants.
    pub found: Found,
}

/// What an evaluation wants.
#[derive(Debug, Clone)]
pub enum Found {
    /// This, which may be nothing.
    Wants(Box<Resolved>),
    /// It failed.
    Failed(ErrorInfo),
}

/// Looks that found nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idle {
    /// How often.
    pub count: u64,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// The last reason.
    pub reason: Option<String>,
}

impl Idle {
    /// The looks so far, and one more.
    #[must_use]
    pub fn and(before: Option<Self>, at: Timestamp, reason: Option<String>) -> Self {
        match before {
            None => Self {
                count: 1,
                first: at,
                last: at,
                reason,
            },
            Some(before) => Self {
                count: before.count + 1,
                last: before.last.max(at),
                reason,
                ..before
            },
        }
    }
}

/// The sensors that may be asked at `now` as far as the log knows, the longest due first.
pub fn due(state: &State, now: Timestamp) -> impl Iterator<Item = &str> {
    let due = state.timers.iter().take_while(move |(at, _)| *at <= now);
    due.filter_map(|(_, timer)| match timer {
        Timer::Sensor(name) => Some(name.as_str()),
        Timer::Schedule(_) => None,
    })
}

/// What a running sensor is asked with now; `None` when there is nothing to ask.
#[must_use]
pub fn question(state: &State, name: &str) -> Option<SensorQuestion> {
    let row = state.sensors.get(name).filter(|row| row.is_running())?;
    let found = state.catalog.sensor(name)?;
    let polls = found.sensor.interval_ms().is_some();
    let items: Vec<Arc<Queued>> = match polls {
        true => Vec::new(),
        false => row.queue.iter().take(ITEMS_MAX).cloned().collect(),
    };
    if !polls && items.is_empty() {
        return None;
    }
    Some(SensorQuestion {
        sensor: name.to_owned(),
        location: found.definitions.location().to_owned(),
        version: row.version,
        state_version: row.state_version,
        cursor: row.cursor.clone(),
        last_evaluated: row.last_evaluated,
        last_run_key: row.last_run_key.clone(),
        items,
        timeout_ms: found.sensor.timeout_ms(),
    })
}

/// The cursor after an evaluation that said `said` of it (N-8).
#[must_use]
pub fn cursor_after(before: Option<&str>, said: Option<&str>) -> Option<String> {
    match said {
        None => before.map(ToOwned::to_owned),
        Some("") => None,
        Some(cursor) => Some(cursor.to_owned()),
    }
}

/// Whether a look that wants this changes nothing: it is counted, and written with others of its kind.
#[must_use]
pub fn is_idle(state: &State, proposal: &EvaluationProposal) -> bool {
    let Some(row) = state.sensors.get(&proposal.sensor) else {
        return false;
    };
    let [part] = proposal.parts.as_slice() else {
        return false;
    };
    let Found::Wants(wants) = &part.found else {
        return false;
    };
    wants.is_empty()
        && matches!(part.of, EvaluationOf::Look { .. })
        && row.state_version == proposal.state_version
        && row.failures == 0
        && cursor_after(row.cursor.as_deref(), part.cursor.as_deref()) == row.cursor
}
