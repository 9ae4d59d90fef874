//! Ticks: what came of each instant of a schedule. One row per (schedule, instant); instants that
//! passed unfired are one row per unbroken series of them, under its last instant.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::event::{
    Asked, ErrorInfo, Event, MissedReason, PartitionsChange, Position, TickFinished, TickId,
    TickOutcome, TicksMissed, TicksPacked,
};
use arco_core::{BackfillId, Digest, RunId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{State, schedule};

/// One tick, or a series of missed instants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// Schedule and instant; of a series the last instant. The primary key.
    pub id: TickId,
    /// Version of the schedule's declaration.
    pub version: Digest,
    /// What came of it.
    pub outcome: TickRow,
    /// Which try it was, when its function was tried more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Changes of dynamic partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic_partitions: Vec<PartitionsChange>,
    /// What asking its function was like; absent for one that is declared, and for a series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Where and when it was decided.
    pub decided: (Position, Timestamp),
}

/// What came of a tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TickRow {
    /// It asked for these runs.
    Success {
        /// The runs, in order.
        runs: Vec<RunId>,
        /// The backfills, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        backfills: Vec<BackfillId>,
    },
    /// There was nothing to run.
    Skipped {
        /// Why.
        reason: String,
    },
    /// It could not be said what to run.
    Failure {
        /// What went wrong.
        error: ErrorInfo,
    },
    /// Never fired.
    Missed {
        /// First instant of the series.
        first: Timestamp,
        /// Instants in it.
        count: u64,
        /// Why.
        reason: MissedReason,
    },
}

/// Statuses of ticks, for filters and counts. The words are Dagster's, and `missed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TickStatus {
    /// Runs were requested.
    Success,
    /// Nothing to run.
    Skipped,
    /// An error.
    Failure,
    /// Never fired.
    Missed,
}

impl Tick {
    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> TickStatus {
        match self.outcome {
            TickRow::Success { .. } => TickStatus::Success,
            TickRow::Skipped { .. } => TickStatus::Skipped,
            TickRow::Failure { .. } => TickStatus::Failure,
            TickRow::Missed { .. } => TickStatus::Missed,
        }
    }

    /// The runs it asked for.
    #[must_use]
    pub fn runs(&self) -> &[RunId] {
        match &self.outcome {
            TickRow::Success { runs, .. } => runs,
            _ => &[],
        }
    }
}

pub(super) fn finished(state: &mut State, at: Position, event: &Event, e: &TickFinished) {
    let outcome = match &e.outcome {
        TickOutcome::Succeeded { runs, backfills } => TickRow::Success {
            runs: runs.clone(),
            backfills: backfills.clone(),
        },
        TickOutcome::Skipped { reason } => TickRow::Skipped {
            reason: reason.clone(),
        },
        TickOutcome::Failed { error } => TickRow::Failure {
            error: error.clone(),
        },
    };
    insert(
        state,
        Tick {
            id: e.tick.clone(),
            version: e.version,
            outcome,
            attempt: e.attempt,
            dynamic_partitions: e.dynamic_partitions.clone(),
            asked: e.asked.clone(),
            decided: (at, event.time),
        },
    );
}

pub(super) fn missed(state: &mut State, at: Position, event: &Event, e: &TicksMissed) {
    insert(
        state,
        Tick {
            id: TickId {
                schedule: e.schedule.clone(),
                instant: e.last,
            },
            version: e.version,
            outcome: TickRow::Missed {
                first: e.first,
                count: e.count,
                reason: e.reason,
            },
            attempt: None,
            dynamic_partitions: Vec::new(),
            asked: None,
            decided: (at, event.time),
        },
    );
}

impl State {
    /// The `many` ticks that were decided longest ago and may leave memory, and how far that is for each
    /// schedule. The last tick of a schedule that is defined stays.
    #[must_use]
    pub fn oldest_ticks(&self, many: usize) -> (Vec<&Tick>, BTreeMap<String, Timestamp>) {
        let stays = |id: &TickId| {
            let last = self.ticks_of(&id.schedule).next_back();
            last.is_some_and(|tick| tick.id == *id) && self.schedules.contains_key(&id.schedule)
        };
        let ids = self.decided_ticks.iter().map(|(_, id)| id);
        let ticks: Vec<&Tick> = ids
            .filter(|id| !stays(id))
            .filter_map(|id| self.ticks.get(id).map(AsRef::as_ref))
            .take(many)
            .collect();
        // Ticks of a schedule are decided in the order of their instants.
        let last = ticks.iter().map(|t| (t.id.schedule.clone(), t.id.instant));
        let through = last.collect();
        (ticks, through)
    }

    /// The ticks of a schedule in memory, oldest instant first.
    pub fn ticks_of(&self, schedule: &str) -> impl DoubleEndedIterator<Item = &Tick> {
        self.ticks_before(schedule, None)
    }

    /// The ticks of a schedule in memory with instants before one, oldest first.
    pub fn ticks_before(
        &self,
        schedule: &str,
        before: Option<Timestamp>,
    ) -> impl DoubleEndedIterator<Item = &Tick> {
        let id = |instant: i64| TickId {
            schedule: schedule.to_owned(),
            instant: Timestamp(instant),
        };
        // No instant is the last that a number can be.
        let end = before.map_or(i64::MAX, |before| before.0);
        let range = self.ticks.range(id(i64::MIN)..id(end));
        range.map(|(_, tick)| tick.as_ref())
    }
}

fn insert(state: &mut State, tick: Tick) {
    schedule::settle(state, &tick.id.schedule, tick.id.instant);
    put(state, tick);
}

/// Puts a tick in, with its place in the order of decisions.
pub(super) fn put(state: &mut State, tick: Tick) {
    state
        .decided_ticks
        .insert((tick.decided.0, tick.id.clone()));
    state.ticks.insert(tick.id.clone(), Arc::new(tick));
}

/// The ticks up to an instant of each schedule leave memory, and their run keys with them: no instant up
/// to there is ever fired again, so nobody asks for a run of it.
pub(super) fn packed(state: &mut State, e: &TicksPacked) {
    let mut left = false;
    for (schedule, through) in &e.through {
        let old: Vec<(Position, TickId)> = state
            .ticks_before(schedule, Some(through.plus_ms(1)))
            .map(|tick| (tick.decided.0, tick.id.clone()))
            .collect();
        left |= !old.is_empty();
        for tick in old {
            state.ticks.remove(&tick.1);
            state.decided_ticks.remove(&tick);
        }
        forget_run_keys(state, schedule, *through);
    }
    if left {
        state.tick_history.push_back(e.object.clone());
    }
}

fn forget_run_keys(state: &mut State, schedule: &str, through: Timestamp) {
    let scope = crate::schedule::scope(schedule);
    // A key is the instant, or begins with it and `/`: `0` is the next character.
    let end = format!("{}0", through.to_rfc3339_seconds());
    let keys = State::run_key_index(&scope, "")..State::run_key_index(&scope, &end);
    let old: Vec<String> = state
        .run_keys
        .range(keys)
        .map(|(key, _)| key.clone())
        .collect();
    for key in old {
        state.run_keys.remove(&key);
    }
}
