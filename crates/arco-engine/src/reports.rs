//! Facts about assets, reported from outside of runs.

use arco_core::asset_fact::AssetFact;
use arco_core::event::Position;
use arco_flow::command::{Answer, AssetReport, Command};

use crate::{Engine, EngineError};

/// A report that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportMade {
    /// Where it stands in the log.
    pub position: Position,
    /// False when the same report was made before under its key.
    pub created: bool,
}

impl Engine {
    /// Records a fact about an asset that no run made.
    ///
    /// # Errors
    /// [`EngineError`]: the asset, check or partition is not defined; nothing changed.
    pub async fn report(
        &self,
        principal: &str,
        request_id: &str,
        fact: AssetFact,
        idempotency_key: Option<String>,
    ) -> Result<ReportMade, EngineError> {
        let command = Command::Report(Box::new(AssetReport {
            fact,
            idempotency_key,
        }));
        let committed = self.submit(principal, request_id, command).await?;
        let Answer::Reported { position, created } = committed.answer else {
            unreachable!("a report is answered by its place");
        };
        Ok(ReportMade { position, created })
    }
}
