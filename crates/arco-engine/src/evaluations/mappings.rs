//! What the code of mappings says is recorded; and what needs it waits for it
//! (`docs/adr/0021-mappings-of-ones-own.md`).

use std::collections::HashMap;
use std::time::Duration;

use arco_core::event::ErrorInfo;
use arco_core::partition::DynamicKeys;
use arco_flow::Rejection;
use arco_flow::command::Command;
use arco_flow::evaluation::{Said, another_question};
use arco_flow::mapping::{self, MappingQuestion};
use arco_flow::schedule::Evaluated;
use arco_flow::sensor::Found;
use bytes::Bytes;
use tokio::time::Instant;

use super::broker::Subject;
use crate::commits::Commits;
use crate::{Engine, EngineError};

/// Answers up to this many bytes of JSON stand in their event, bigger ones in a blob.
const INLINE_MAX: usize = 16 * 1024;
/// How long what was said waits for mappings that it needs, before it fails for want of them.
const PATIENCE: Duration = Duration::from_secs(30);
/// How soon to look again without a commit.
const LOOK: Duration = Duration::from_secs(1);

impl Engine {
    /// Records what code said of a mapping. What it failed for is asked again later.
    pub(super) async fn settle_mapping(
        &self,
        epoch: u64,
        subject: &Subject,
        question: &MappingQuestion,
        said: &Said,
    ) -> Result<(), EngineError> {
        let (asked, said) = (question.clone(), said.clone());
        let judged = self.off_loop(self.view(), move |view, _| match said {
            Said::Mapped(said) => mapping::judge(&view.state, &asked, &said),
            Said::Raised { error, .. } => mapping::failed(&asked, &error),
            Said::Returned(_) => mapping::failed(&asked, &another_question()),
        });
        let mut record = judged.await?;
        let (child, parent) = &question.edge;
        if let Some(error) = &record.error {
            let keys: Vec<_> = record
                .failed
                .iter()
                .take(3)
                .map(|key| key.display())
                .collect();
            let (many, keys) = (record.failed.len(), keys.join(", "));
            tracing::warn!(
                downstream = %child, upstream = %parent, many, keys, error = error.message,
                "a mapping failed; it is asked again"
            );
        }
        let failed = record.failed.clone();
        let mut blobs = HashMap::new();
        let text = serde_json::to_vec(&record.answers).expect("answers serialise: lists of text");
        if text.len() > INLINE_MAX {
            let bytes = Bytes::from(text);
            let digest = self.inner.log.put_blob(bytes.clone()).await?;
            blobs.insert(digest, bytes);
            record.blob = Some(digest);
        }
        let command = Command::AsLeader {
            epoch,
            command: Box::new(Command::RecordMapping(Box::new(record))),
        };
        let cause = format!("mapping of {child} from {parent}");
        let recorded = self
            .propose("controller:mappings", &cause, command, blobs, None)
            .await;
        let now = self.inner.clock.now();
        self.inner
            .asking
            .broker()
            .mapped(subject, question, &failed, now);
        match recorded {
            // Another leads: it asks again.
            Ok(_) | Err(EngineError::Rejected(Rejection::Led { .. })) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn mapping_answers(&self) -> MappingAnswersToCome {
        MappingAnswersToCome {
            commits: self.inner.commits.clone(),
            until: Instant::now() + PATIENCE,
        }
    }

    /// Adds the keys of dynamic partitions that an evaluation wants added: what its runs need is asked of keys
    /// that are there. Those that are there already stay as they are.
    pub(super) async fn add_wanted_partitions(
        &self,
        epoch: u64,
        said: &Said,
    ) -> Result<(), EngineError> {
        let wanted = match said {
            Said::Returned(wanted) => Some(wanted),
            Said::Raised { before, .. } => before.as_ref(),
            Said::Mapped(_) => None,
        };
        for change in wanted
            .into_iter()
            .flat_map(|wanted| &wanted.dynamic_partitions)
        {
            let keys = change
                .add
                .iter()
                .filter_map(|text| DynamicKeys::read(text).ok());
            let command = Command::AddPartitions {
                name: change.name.clone(),
                keys: keys.collect(),
            };
            self.submit_as_leader(
                "controller:sensors",
                "partitions of an evaluation",
                epoch,
                command,
            )
            .await?;
        }
        Ok(())
    }
}

/// Waits for what mappings are being asked, as long as that is worth it.
pub(super) struct MappingAnswersToCome {
    commits: Commits,
    until: Instant,
}

impl MappingAnswersToCome {
    /// What is committed up to here is seen. Call it before looking at the view.
    pub(super) fn look(&mut self) {
        self.commits.look();
    }

    /// Waits until something was committed, or for a moment; false when it waited long enough.
    pub(super) async fn come(&mut self) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        tokio::select! {
            biased;
            changed = self.commits.changed() => changed.is_ok(),
            () = tokio::time::sleep(LOOK) => true,
        }
    }
}

fn is_unanswered(error: &ErrorInfo) -> bool {
    error.kind == Rejection::MAPPING_UNANSWERED
}

/// Whether a tick came to nothing because a mapping did not answer yet.
pub(crate) fn lacks_answers(evaluated: &Evaluated) -> bool {
    matches!(evaluated, Evaluated::Failed(error) if is_unanswered(error))
}

/// As [`lacks_answers`], of a part of an evaluation of a sensor.
pub(super) fn lacks_answers_of(found: &Found) -> bool {
    matches!(found, Found::Failed(error) if is_unanswered(error))
}
