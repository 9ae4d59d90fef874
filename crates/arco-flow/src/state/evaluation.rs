//! Evaluations of sensors: one row per number; looks that found nothing are one row per series.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::event::{
    Asked, ErrorInfo, EvaluationFinished, EvaluationId, EvaluationOf, EvaluationOutcome,
    EvaluationsPacked, Event, KeptBack, PartitionsChange, Position, SensorIdled,
};
use arco_core::{BackfillId, Digest, RunId, Timestamp};
use serde::{Deserialize, Serialize};

use super::State;

/// One evaluation, or a series of looks that found nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Sensor and number. The primary key.
    pub id: EvaluationId,
    /// Version of the sensor's declaration.
    pub version: Digest,
    /// What it was about; absent for a series of looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<EvaluationOf>,
    /// What came of it.
    pub outcome: EvaluationRow,
    /// The cursor after it; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Changes of dynamic partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic_partitions: Vec<PartitionsChange>,
    /// Where the facts about assets stand that it recorded, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asset_events: Vec<Position>,
    /// What asking user code was like; absent for a series of looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Where and when it was decided.
    pub decided: (Position, Timestamp),
}

/// What came of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvaluationRow {
    /// It asked for something, of which there may be all already.
    Success {
        /// The runs, in order.
        runs: Vec<RunId>,
        /// The backfills, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        backfills: Vec<BackfillId>,
        /// What was there already.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<KeptBack>,
    },
    /// There was nothing to run.
    Skipped {
        /// Why.
        reason: String,
    },
    /// It failed.
    Failure {
        /// What went wrong.
        error: ErrorInfo,
        /// Which try it was.
        attempt: u32,
        /// What it is about is not tried again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        passed_over: bool,
    },
    /// It looked so often and found nothing.
    Idle {
        /// How often.
        count: u64,
        /// When first.
        first: Timestamp,
        /// When last.
        last: Timestamp,
        /// The last reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// Statuses of evaluations, for filters and counts. The words are Dagster's, and `idle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvaluationStatus {
    /// Runs or backfills were requested.
    Success,
    /// Nothing was requested.
    Skipped,
    /// An error.
    Failure,
    /// Looks that found nothing.
    Idle,
}

impl EvaluationStatus {
    /// The word on the API and the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Skipped => "skipped",
            Self::Failure => "failure",
            Self::Idle => "idle",
        }
    }
}

impl Evaluation {
    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> EvaluationStatus {
        match &self.outcome {
            EvaluationRow::Success {
                runs, backfills, ..
            } if runs.is_empty() && backfills.is_empty() => EvaluationStatus::Skipped,
            EvaluationRow::Success { .. } => EvaluationStatus::Success,
            EvaluationRow::Skipped { .. } => EvaluationStatus::Skipped,
            EvaluationRow::Failure { .. } => EvaluationStatus::Failure,
            EvaluationRow::Idle { .. } => EvaluationStatus::Idle,
        }
    }

    /// The runs it asked for.
    #[must_use]
    pub fn runs(&self) -> &[RunId] {
        match &self.outcome {
            EvaluationRow::Success { runs, .. } => runs,
            _ => &[],
        }
    }
}

pub(super) fn finished(state: &mut State, at: Position, event: &Event, e: &EvaluationFinished) {
    let outcome = match &e.outcome {
        EvaluationOutcome::Succeeded {
            runs,
            backfills,
            kept,
        } => EvaluationRow::Success {
            runs: runs.clone(),
            backfills: backfills.clone(),
            kept: kept.clone(),
        },
        EvaluationOutcome::Skipped { reason } => EvaluationRow::Skipped {
            reason: reason.clone(),
        },
        EvaluationOutcome::Failed {
            error,
            attempt,
            passed_over,
        } => EvaluationRow::Failure {
            error: error.clone(),
            attempt: *attempt,
            passed_over: *passed_over,
        },
    };
    let row = Evaluation {
        id: e.id.clone(),
        version: e.version,
        of: Some(e.of.clone()),
        outcome,
        cursor: e.cursor.clone(),
        dynamic_partitions: e.dynamic_partitions.clone(),
        asset_events: e.asset_events.clone(),
        asked: Some(e.asked.clone()),
        decided: (at, event.time),
    };
    put(state, row);
}

pub(super) fn idled(state: &mut State, at: Position, event: &Event, e: &SensorIdled) {
    let known = state.sensors.get(&e.id.sensor);
    let row = Evaluation {
        id: e.id.clone(),
        version: e.version,
        of: None,
        outcome: EvaluationRow::Idle {
            count: e.count,
            first: e.first,
            last: e.last,
            reason: e.reason.clone(),
        },
        cursor: known.and_then(|row| row.cursor.clone()),
        dynamic_partitions: Vec::new(),
        asset_events: Vec::new(),
        asked: None,
        decided: (at, event.time),
    };
    put(state, row);
}

/// Puts an evaluation in, with its place in the order of decisions.
pub(super) fn put(state: &mut State, row: Evaluation) {
    state
        .decided_evaluations
        .insert((row.decided.0, row.id.clone()));
    state.evaluations.insert(row.id.clone(), Arc::new(row));
}

impl State {
    /// The `many` evaluations that were decided longest ago and may leave memory, and how far that is for
    /// each sensor. The last of a sensor that is defined stays.
    #[must_use]
    pub fn oldest_evaluations(&self, many: usize) -> (Vec<&Evaluation>, BTreeMap<String, u64>) {
        let stays = |id: &EvaluationId| {
            let row = self.sensors.get(&id.sensor);
            row.is_some_and(|row| row.number == id.number)
        };
        let ids = self.decided_evaluations.iter().map(|(_, id)| id);
        let rows: Vec<&Evaluation> = ids
            .filter(|id| !stays(id))
            .filter_map(|id| self.evaluations.get(id).map(AsRef::as_ref))
            .take(many)
            .collect();
        // Evaluations of a sensor are decided in the order of their numbers.
        let through = rows
            .iter()
            .map(|row| (row.id.sensor.clone(), row.id.number))
            .collect();
        (rows, through)
    }

    /// The evaluations of a sensor in memory, oldest first.
    pub fn evaluations_of(&self, sensor: &str) -> impl DoubleEndedIterator<Item = &Evaluation> {
        self.evaluations_before(sensor, None)
    }

    /// The evaluations of a sensor in memory with numbers below one, oldest first.
    pub fn evaluations_before(
        &self,
        sensor: &str,
        before: Option<u64>,
    ) -> impl DoubleEndedIterator<Item = &Evaluation> {
        let id = |number: u64| EvaluationId {
            sensor: sensor.to_owned(),
            number,
        };
        let range = self
            .evaluations
            .range(id(0)..id(before.unwrap_or(u64::MAX)));
        range.map(|(_, row)| row.as_ref())
    }
}

/// The evaluations up to a number of each sensor leave memory.
pub(super) fn packed(state: &mut State, e: &EvaluationsPacked) {
    let mut left = false;
    for (sensor, through) in &e.through {
        let old: Vec<(Position, EvaluationId)> = state
            .evaluations_before(sensor, Some(through.saturating_add(1)))
            .map(|row| (row.decided.0, row.id.clone()))
            .collect();
        left |= !old.is_empty();
        for row in old {
            state.evaluations.remove(&row.1);
            state.decided_evaluations.remove(&row);
        }
    }
    if left {
        state.evaluation_history.push_back(e.object.clone());
    }
}
