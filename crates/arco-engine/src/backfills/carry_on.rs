//! The leader plans the next chunks of backfills, off the loop, whenever something was committed.

use std::collections::HashMap;
use std::time::Duration;

use arco_core::{BackfillId, Digest};
use arco_flow::backfill::{self, ChunkRun};
use arco_flow::command::{BackfillAdvance, Command, RunRequest};
use arco_flow::{Rejection, pending};
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::{Engine, EngineError};

/// Chunks of one decision: 50 runs with inline plans are some hundred kilobytes of one segment.
const CHUNKS_MAX: usize = 50;

/// A look again at what was not to be done yet.
const AGAIN: Duration = Duration::from_millis(200);

/// A look again after a failure; commits wake no sooner.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

impl Engine {
    /// Plans the next chunks of each backfill that has room; says when to look again.
    async fn advance_backfills(&self) -> Result<Option<Duration>, EngineError> {
        let view = self.view();
        if !view.leads || view.read_only.is_some() || view.state.open_backfills.is_empty() {
            return Ok(None);
        }
        let now = self.now().max(view.state.time);
        let due: Vec<BackfillId> = pending::backfills(&view.state, now).collect();
        let mut failed = None;
        for id in &due {
            // What holds up one backfill holds up no other.
            if let Err(error) = self
                .advance_backfill(*id, view.state.leadership.epoch)
                .await
            {
                tracing::warn!(backfill = %id, %error, "a backfill could not go on; trying again");
                failed = Some(error);
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if !due.is_empty() {
            return Ok(Some(AGAIN));
        }
        let next = pending::next_chunk(&view.state, now);
        Ok(next.map(|at| Duration::from_millis(at.ms_since(now).max(1))))
    }

    async fn advance_backfill(&self, id: BackfillId, epoch: u64) -> Result<(), EngineError> {
        let ids: Vec<_> = (0..CHUNKS_MAX).map(|_| self.new_run_id()).collect();
        let planned = self.off_loop(self.view(), move |view, now| {
            let chunks = backfill::next(&view.state, id, now, CHUNKS_MAX);
            let Some(of) = view.state.backfills.get(&id) else {
                return Ok(Vec::new());
            };
            let plan = |(chunk, run): (&backfill::Chunk, _)| {
                backfill::plan(&view.state.catalog, of, chunk, run, now)
            };
            chunks.iter().zip(ids).map(plan).collect()
        });
        let mut chunks: Vec<ChunkRun> = match planned.await? {
            Err(Rejection::Replan) => return Ok(()),
            planned => planned?,
        };
        let mut blobs = HashMap::new();
        for request in chunks
            .iter_mut()
            .filter_map(|(_, request)| request.as_mut().ok())
        {
            self.store_plan(request, &mut blobs).await?;
        }
        let Some(_) = self.submit_chunks(id, epoch, &chunks, &blobs).await? else {
            return Ok(());
        };
        // One of them can never become a run: it is dropped with the reason, and the others go on.
        for chunk in &mut chunks {
            let alone = std::slice::from_mut(chunk);
            if let Some(refused) = self.submit_chunks(id, epoch, alone, &blobs).await? {
                tracing::warn!(backfill = %id, chunk = alone[0].0, %refused, "a chunk cannot become a run");
                alone[0].1 = Err(refused.to_string());
                if let Some(refused) = self.submit_chunks(id, epoch, alone, &blobs).await? {
                    return Err(refused.into());
                }
            }
        }
        Ok(())
    }

    /// Has chunks become runs; says why they cannot, when time does not mend it. Nothing was done then.
    async fn submit_chunks(
        &self,
        id: BackfillId,
        epoch: u64,
        chunks: &[ChunkRun],
        blobs: &HashMap<Digest, Bytes>,
    ) -> Result<Option<Rejection>, EngineError> {
        let advance = BackfillAdvance {
            backfill: id,
            chunks: chunks.to_vec(),
        };
        let command = Command::AsLeader {
            epoch,
            command: Box::new(Command::AdvanceBackfill(Box::new(advance))),
        };
        let cause = format!("backfill {id}");
        let done = self.submit_with("controller:backfills", &cause, command, blobs.clone());
        match done.await {
            // Another leads now, or definitions moved: what is still open is for the next look.
            Ok(_) | Err(EngineError::Rejected(Rejection::Led { .. } | Rejection::Replan)) => {
                Ok(None)
            }
            Err(EngineError::Rejected(refused)) => Ok(Some(refused)),
            Err(error) => Err(error),
        }
    }

    async fn store_plan(
        &self,
        request: &mut RunRequest,
        blobs: &mut HashMap<Digest, Bytes>,
    ) -> Result<(), EngineError> {
        let plan =
            serde_json::to_vec(&*request.plan).expect("plans serialise: lists of text and numbers");
        if plan.len() > self.inner.settings.inline_plan_max {
            request.plan_blob = Some(self.blob(plan, blobs).await?);
        }
        Ok(())
    }
}

/// Carries backfills on while this process leads.
pub(crate) async fn watch(engine: Engine, stop: CancellationToken) {
    let mut commits = engine.inner.commits.clone();
    loop {
        commits.look();
        let advanced = engine.advance_backfills().await;
        let failed = advanced.is_err();
        let again = advanced.unwrap_or(Some(AFTER_FAILURE));
        let later = async {
            match again {
                Some(again) => tokio::time::sleep(again).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            changed = commits.changed(), if !failed => if changed.is_err() { return },
            () = later => {}
        }
    }
}
