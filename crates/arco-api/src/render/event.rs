//! Events.

use arco_core::event::{Cause, Position, RawEvent};
use arco_wire::api;

use crate::limits;

pub(crate) fn event(at: Position, raw: &RawEvent) -> api::Event {
    let text = raw.payload.get();
    let whole = text.len() <= limits::EVENT_PAYLOAD_BYTES_MAX;
    api::Event {
        position: at.into(),
        kind: raw.kind.clone(),
        version: raw.version,
        time: raw.time.into(),
        principal: raw.principal.clone(),
        cause: match &raw.cause {
            Cause::Command(id) => api::EventCause::Command(id.clone()),
            Cause::Event(position) => api::EventCause::Event((*position).into()),
        },
        epoch: raw.epoch,
        location: raw
            .definitions
            .as_ref()
            .map(|(location, _)| location.clone()),
        definitions_version: raw.definitions.as_ref().map(|(_, version)| *version),
        payload: whole.then(|| serde_json::from_str(text).unwrap_or_default()),
        payload_bytes: (!whole).then_some(text.len() as u64),
    }
}
