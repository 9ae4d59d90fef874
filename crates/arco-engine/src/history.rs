//! Ended runs and old ticks that leave memory: packed into indexed objects, found again by id.

use std::ops::Bound;

use arco_core::event::EvaluationId;
use arco_core::{RunId, Timestamp};
use arco_flow::command::Command;
use arco_flow::state::{Evaluation, Run, Tick};
use arco_log::{HistoryRef, HistoryWriter};

use crate::{Engine, EngineError};

/// Kind of the history objects that hold runs.
const KIND: &str = "runs";
/// Kind of those that hold ticks.
const TICKS: &str = "ticks";
/// Kind of those that hold evaluations.
const EVALUATIONS: &str = "evaluations";

/// Rows packed at once, at most: one object stays quick to read.
const PACK_MAX: usize = 5_000;

impl Engine {
    /// Moves the runs that ended longest ago into one history object, when there are too many.
    pub(crate) async fn pack_history(&self) -> Result<(), EngineError> {
        let view = self.view();
        let keep = self.inner.settings.ended_runs_max;
        let surplus = view.state.ended_runs.len().saturating_sub(keep);
        // Packing a handful would make a handful of objects: wait for a tenth of what is kept.
        if surplus <= keep / 10 {
            return Ok(());
        }
        let mut ids: Vec<RunId> = view
            .state
            .ended_runs
            .iter()
            .take(surplus.min(PACK_MAX))
            .map(|(_, id)| *id)
            .collect();
        ids.sort();
        let mut writer = HistoryWriter::new(KIND, view.head.segment);
        for id in &ids {
            if let Some(run) = view.state.run(*id) {
                let row = serde_json::to_vec(run).expect("runs serialise, as in snapshots");
                writer.push(id.to_string().as_bytes(), &row)?;
            }
        }
        let Some(object) = writer.finish() else {
            return Ok(());
        };
        let reference = self.inner.log.put_history(object).await?;
        let command = Command::PackHistory {
            reference: serde_json::to_value(&reference).expect("references serialise"),
            runs: ids,
        };
        self.submit_as_leader("system", "history", view.state.leadership.epoch, command)
            .await
            .map(|_| ())
    }

    /// Moves the ticks that were decided longest ago into history objects, when there are too many.
    pub(crate) async fn pack_ticks(&self) -> Result<(), EngineError> {
        loop {
            let view = self.view();
            let keep = self.inner.settings.ticks_max;
            let surplus = view.state.ticks.len().saturating_sub(keep);
            if surplus <= keep / 10 {
                return Ok(());
            }
            let (mut ticks, through) = view.state.oldest_ticks(surplus.min(PACK_MAX));
            ticks.sort_by_cached_key(|tick| tick.id.to_string());
            let mut writer = HistoryWriter::new(TICKS, view.head.segment);
            for tick in ticks {
                let row = serde_json::to_vec(tick).expect("ticks serialise, as in snapshots");
                writer.push(tick.id.to_string().as_bytes(), &row)?;
            }
            let Some(object) = writer.finish() else {
                return Ok(());
            };
            let reference = self.inner.log.put_history(object).await?;
            let command = Command::PackTicks {
                reference: serde_json::to_value(&reference).expect("references serialise"),
                through,
            };
            self.submit_as_leader("system", "history", view.state.leadership.epoch, command)
                .await?;
        }
    }

    /// Ticks of a schedule that have left memory, newest instant first, instants before `before`.
    ///
    /// # Errors
    /// When a history object cannot be read.
    pub async fn past_ticks(
        &self,
        schedule: &str,
        before: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Tick>, EngineError> {
        let view = self.view();
        let prefix = format!("{schedule}:");
        let end = match before {
            Some(instant) => format!("{prefix}{}", instant.to_rfc3339_seconds()),
            // `;` is the next character.
            None => format!("{schedule};"),
        };
        let mut out: Vec<Tick> = Vec::new();
        // What was packed later is later, of each schedule.
        for reference in view.state.tick_history.iter().rev() {
            let reader = self.history_reader(reference)?;
            let HistoryRef { first, last, .. } = reader.reference();
            if first.as_slice() >= end.as_bytes() || last.as_slice() < prefix.as_bytes() {
                continue;
            }
            if out.len() >= limit {
                break;
            }
            let end = Bound::Excluded(end.as_bytes());
            for (key, row) in reader.scan_back(end, limit - out.len()).await? {
                if !key.starts_with(prefix.as_bytes()) {
                    break;
                }
                out.push(serde_json::from_slice(&row).map_err(|error| {
                    EngineError::ReadOnly(format!("a tick in a history object: {error}"))
                })?);
            }
        }
        Ok(out)
    }

    /// Moves the evaluations that were decided longest ago into history objects, when there are too many.
    pub(crate) async fn pack_evaluations(&self) -> Result<(), EngineError> {
        loop {
            let view = self.view();
            let keep = self.inner.settings.evaluations_max;
            let surplus = view.state.evaluations.len().saturating_sub(keep);
            if surplus <= keep / 10 {
                return Ok(());
            }
            let (mut rows, through) = view.state.oldest_evaluations(surplus.min(PACK_MAX));
            rows.sort_by_cached_key(|row| evaluation_key(&row.id));
            let mut writer = HistoryWriter::new(EVALUATIONS, view.head.segment);
            for row in rows {
                let bytes =
                    serde_json::to_vec(row).expect("evaluations serialise, as in snapshots");
                writer.push(evaluation_key(&row.id).as_bytes(), &bytes)?;
            }
            let Some(object) = writer.finish() else {
                return Ok(());
            };
            let reference = self.inner.log.put_history(object).await?;
            let command = Command::PackEvaluations {
                reference: serde_json::to_value(&reference).expect("references serialise"),
                through,
            };
            self.submit_as_leader("system", "history", view.state.leadership.epoch, command)
                .await?;
        }
    }

    /// Evaluations of a sensor that have left memory, newest first, numbers below `before`.
    ///
    /// # Errors
    /// When a history object cannot be read.
    pub async fn past_evaluations(
        &self,
        sensor: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Evaluation>, EngineError> {
        let view = self.view();
        let prefix = format!("{sensor}:");
        let end = evaluation_key(&EvaluationId {
            sensor: sensor.to_owned(),
            number: before.unwrap_or(u64::MAX),
        });
        let mut out: Vec<Evaluation> = Vec::new();
        // What was packed later is later, of each sensor.
        for reference in view.state.evaluation_history.iter().rev() {
            let reader = self.history_reader(reference)?;
            let HistoryRef { first, last, .. } = reader.reference();
            if first.as_slice() >= end.as_bytes() || last.as_slice() < prefix.as_bytes() {
                continue;
            }
            if out.len() >= limit {
                break;
            }
            let end = Bound::Excluded(end.as_bytes());
            for (key, row) in reader.scan_back(end, limit - out.len()).await? {
                if !key.starts_with(prefix.as_bytes()) {
                    break;
                }
                out.push(serde_json::from_slice(&row).map_err(|error| {
                    EngineError::ReadOnly(format!("an evaluation in a history object: {error}"))
                })?);
            }
        }
        Ok(out)
    }

    /// An ended run that has left memory.
    ///
    /// # Errors
    /// When its history object cannot be read.
    pub async fn past_run(&self, id: RunId) -> Result<Option<Run>, EngineError> {
        let view = self.view();
        for (first, last, reference, _) in view.state.history.iter().rev() {
            if id < *first || id > *last {
                continue;
            }
            let row = self
                .history_reader(reference)?
                .get(id.to_string().as_bytes())
                .await?;
            if let Some(row) = row {
                return read_run(&row).map(Some);
            }
        }
        Ok(None)
    }

    /// Ended runs that have left memory, newest id first, ids below `before`.
    ///
    /// # Errors
    /// As [`Engine::past_run`].
    pub async fn past_runs(
        &self,
        before: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<Run>, EngineError> {
        let view = self.view();
        let key = before.map(|id| id.to_string());
        let from = match &key {
            None => Bound::Unbounded,
            Some(key) => Bound::Excluded(key.as_bytes()),
        };
        let mut out: Vec<Run> = Vec::new();
        for (first, _, reference, _) in &view.state.history {
            if before.is_some_and(|id| *first >= id) {
                continue;
            }
            for (_, row) in self
                .history_reader(reference)?
                .scan_back(from, limit)
                .await?
            {
                out.push(read_run(&row)?);
            }
        }
        out.sort_by_key(|run| std::cmp::Reverse(run.id));
        out.dedup_by_key(|run| run.id);
        out.truncate(limit);
        Ok(out)
    }

    fn history_reader(
        &self,
        reference: &serde_json::Value,
    ) -> Result<arco_log::HistoryReader, EngineError> {
        let reference: HistoryRef = serde_json::from_value(reference.clone())
            .map_err(|error| EngineError::ReadOnly(format!("a history reference: {error}")))?;
        Ok(self.inner.log.history(reference))
    }
}

/// Numbers sort as text when all are as long.
fn evaluation_key(id: &EvaluationId) -> String {
    format!("{}:{:020}", id.sensor, id.number)
}

fn read_run(row: &[u8]) -> Result<Run, EngineError> {
    serde_json::from_slice(row)
        .map_err(|error| EngineError::ReadOnly(format!("a run in a history object: {error}")))
}
