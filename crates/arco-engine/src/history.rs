//! Ended runs that leave memory: packed into indexed objects, found again by id.

use std::ops::Bound;

use arco_core::RunId;
use arco_flow::command::Command;
use arco_flow::state::Run;
use arco_log::{HistoryRef, HistoryWriter};

use crate::{Engine, EngineError};

/// Kind of the history objects that hold runs.
const KIND: &str = "runs";

/// Runs packed at once, at most: one object stays quick to read.
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

fn read_run(row: &[u8]) -> Result<Run, EngineError> {
    serde_json::from_slice(row)
        .map_err(|error| EngineError::ReadOnly(format!("a run in a history object: {error}")))
}
