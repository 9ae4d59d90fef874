//! Reads that go past the folded state: events, logs of attempts.

use arco_core::AttemptId;
use arco_core::event::{Position, RawEvent};
use bytes::Bytes;
use serde_json::Value;

use crate::{Engine, EngineError};

/// What a deploy would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployPreview {
    /// Version of the new definitions.
    pub version: arco_core::Digest,
    /// Version of those before them; absent for a new location.
    pub previous: Option<arco_core::Digest>,
    /// The difference.
    pub diff: arco_core::definitions::Diff,
}

impl Engine {
    /// Committed events from a position on, at most `limit`; empty at the tail. Recent ones come
    /// from memory, older ones from the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn read_events(
        &self,
        from: Position,
        limit: usize,
    ) -> Result<Vec<(Position, RawEvent)>, EngineError> {
        let view = self.view();
        if from > view.position() {
            return Ok(Vec::new());
        }
        if view.recent.front().is_some_and(|(first, _)| *first <= from) {
            let start = view
                .recent
                .binary_search_by(|(at, _)| at.cmp(&from))
                .unwrap_or_else(|at| at);
            let found = view.recent.iter().skip(start).take(limit);
            return Ok(found.map(|(at, event)| (*at, (**event).clone())).collect());
        }
        let mut cursor = self.inner.log.events_from(from);
        let mut out = Vec::new();
        while out.len() < limit
            && let Some((at, event)) = cursor.next().await?
        {
            if at > view.position() {
                break;
            }
            out.push((at, event));
        }
        Ok(out)
    }

    /// The event at a position.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn event_at(&self, at: Position) -> Result<Option<RawEvent>, EngineError> {
        let found = self.read_events(at, 1).await?;
        Ok(found
            .into_iter()
            .find(|(position, _)| *position == at)
            .map(|(_, event)| event))
    }

    /// Stores one chunk of an attempt's output. The same chunk again is the same object.
    ///
    /// # Errors
    /// When other bytes are there already, or the store fails.
    pub async fn put_attempt_log(
        &self,
        attempt: AttemptId,
        stream: &str,
        chunk: u64,
        bytes: Bytes,
    ) -> Result<(), EngineError> {
        let log = &self.inner.log;
        let path = log.paths().attempt_log(&attempt.to_string(), stream, chunk);
        Ok(log.store().create_once(&path, bytes).await?)
    }

    /// One chunk of an attempt's output; `None` when there is none (yet).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get_attempt_log(
        &self,
        attempt: AttemptId,
        stream: &str,
        chunk: u64,
    ) -> Result<Option<Bytes>, EngineError> {
        let log = &self.inner.log;
        let path = log.paths().attempt_log(&attempt.to_string(), stream, chunk);
        Ok(log.store().get(&path).await?)
    }

    /// What [`Engine::deploy`] of a manifest would change. Nothing is written.
    ///
    /// # Errors
    /// `bad_definitions` with the reason, as a deploy would answer.
    pub fn preview_deploy(
        &self,
        location: &str,
        manifest: &Value,
    ) -> Result<DeployPreview, EngineError> {
        let read = arco_core::definitions::Definitions::read(location, manifest);
        let refused =
            |error: arco_core::definitions::DefinitionsError| EngineError::Rejected(error.into());
        let new = std::sync::Arc::new(read.map_err(refused)?);
        let view = self.view();
        let catalog = &view.state.catalog;
        catalog.with(std::sync::Arc::clone(&new)).map_err(refused)?;
        let current = catalog.locations().get(location);
        Ok(DeployPreview {
            version: new.version(),
            previous: current.map(|definitions| definitions.version()),
            diff: arco_core::definitions::Diff::of(current.map(|current| &**current), &new),
        })
    }

    /// Makes the manifest's definitions the current ones of their location.
    ///
    /// # Errors
    /// `bad_definitions` with the reason; the former definitions stay.
    pub async fn deploy(
        &self,
        principal: &str,
        request_id: &str,
        location: &str,
        manifest: &Value,
    ) -> Result<arco_core::Digest, EngineError> {
        let definitions = arco_core::definitions::Definitions::read(location, manifest)
            .map_err(|error| EngineError::Rejected(error.into()))?;
        let version = definitions.version();
        let bytes = Bytes::from(arco_core::canonical::to_vec(manifest));
        let known = self
            .view()
            .state
            .locations
            .get(location)
            .and_then(|l| l.version);
        if known != Some(version) {
            self.inner.log.put_blob(bytes.clone()).await?;
        }
        let command = arco_flow::Command::Deploy(std::sync::Arc::new(definitions));
        let blobs = std::collections::HashMap::from([(version, bytes)]);
        self.submit_with(principal, request_id, command, blobs)
            .await?;
        Ok(version)
    }
}
