//! One event for people and for programs.

use arco_core::event::{Cause, Position, RawEvent};
use arco_wire::api::{Event, EventCause};
use serde::Serialize;
use serde_json::Value;

use crate::render::Paint;

#[cfg(test)]
mod tests;

/// Payloads are cut here on a terminal line; `--json` has all of them.
const PAYLOAD_CHARS_MAX: usize = 160;

/// An event in the words of the API, with the blobs it cites.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    event: Event,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blobs: Vec<String>,
}

impl Shown {
    pub(super) fn new(position: Position, raw: RawEvent) -> Self {
        let (location, version) = raw.definitions.unzip();
        let payload: Value = serde_json::from_str(raw.payload.get())
            .unwrap_or_else(|_| Value::String(raw.payload.get().to_owned()));
        Self {
            event: Event {
                position: position.into(),
                kind: raw.kind,
                version: raw.version,
                time: raw.time.into(),
                principal: raw.principal,
                cause: match raw.cause {
                    Cause::Command(id) => EventCause::Command(id),
                    Cause::Event(position) => EventCause::Event(position.into()),
                },
                epoch: raw.epoch,
                location,
                definitions_version: version,
                payload: Some(payload),
                payload_bytes: None,
            },
            blobs: raw.blobs.iter().map(ToString::to_string).collect(),
        }
    }

    /// `12.3  2026-01-31T04:05:06.789Z  run.requested  client:x  {…}`
    pub(super) fn render(&self, paint: Paint) -> String {
        let event = &self.event;
        let payload = event
            .payload
            .as_ref()
            .map(Value::to_string)
            .unwrap_or_default();
        let mut cut: String = payload.chars().take(PAYLOAD_CHARS_MAX).collect();
        if cut.len() < payload.len() {
            cut.push('…');
        }
        format!(
            "{:<8} {}  {}  {}  {cut}",
            event.position.to_string(),
            paint.dim(&event.time.to_string()),
            paint.bold(&format!("{:<24}", event.kind)),
            event.principal,
        )
    }
}
