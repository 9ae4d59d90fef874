//! Automatic retries of runs: what is owed stands in the log with the end of the run that failed; the
//! leader makes the runs (`docs/adr/0017-run-retries.md`).

use std::collections::BTreeMap;

use arco_core::RunId;
use arco_core::event::RetryOwed;
use arco_core::limits::TimeLimits;
use arco_core::run_retries::RunRetries;
use arco_flow::Rejection;
use arco_flow::command::Command;
use arco_flow::pending;

use crate::engine::Committed;
use crate::reruns::Owed;
use crate::{Engine, EngineError, RerunAsk};

/// Retries made in one round; the rest is for the next, after the hosts were looked at.
const RETRIES_MAX: usize = 20;

impl Engine {
    /// Sets how often the runs of the workspace are retried.
    ///
    /// # Errors
    /// [`EngineError`]; a refusal changed nothing.
    pub async fn set_run_retries(
        &self,
        principal: &str,
        request_id: &str,
        retries: RunRetries,
    ) -> Result<Committed, EngineError> {
        let command = Command::SetRunRetries(retries);
        self.submit(principal, request_id, command).await
    }

    /// Makes the retries that are owed. What is not made stays owed, and is made in the next round.
    pub(crate) async fn make_retries(&self, epoch: u64) -> Result<(), EngineError> {
        let view = self.view();
        let owed = pending::retries(&view.state).take(RETRIES_MAX);
        let owed: Vec<(RunId, RetryOwed)> = owed.collect();
        for (run, owed) in owed {
            self.make_retry(epoch, run, owed).await?;
        }
        Ok(())
    }

    async fn make_retry(&self, epoch: u64, run: RunId, owed: RetryOwed) -> Result<(), EngineError> {
        let scope = self.view().state.run(run).map(|run| run.scope.clone());
        let ask = RerunAsk {
            parent: run,
            kind: owed.kind,
            selection: Vec::new(),
            with_upstream: false,
            with_downstream: false,
            scope: scope.unwrap_or_else(|| "workspace".to_owned()),
            run_key: None,
            idempotency_key: None,
            tags: BTreeMap::new(),
            priority: None,
            time_limits: TimeLimits::default(),
        };
        let number = owed.number;
        let cause = format!("retry {number} of {run}");
        let made = self.rerun(
            "controller:run_retries",
            &cause,
            ask,
            Some(Owed { number, epoch }),
        );
        let reason = match made.await {
            Ok(made) => {
                tracing::info!(%run, retry = %made.run, number, "a run that failed is done again");
                return Ok(());
            }
            // Another leads now, or made it already: what is still owed is for the next round.
            Err(EngineError::Rejected(Rejection::Led { .. } | Rejection::NoRetryOwed(_))) => {
                return Ok(());
            }
            // Definitions on the move are no answer.
            Err(EngineError::Rejected(Rejection::Replan)) => return Ok(()),
            Err(error) if error.retryable() || matches!(error, EngineError::ReadOnly(_)) => {
                return Err(error);
            }
            // What time does not mend must not hold up the retries of other runs.
            Err(error) => error.to_string(),
        };
        tracing::warn!(%run, %reason, "a run that failed cannot be done again");
        let command = Command::DropRetry { run, reason };
        self.submit_as_leader("controller:run_retries", &cause, epoch, command)
            .await
            .map(|_| ())
    }
}
