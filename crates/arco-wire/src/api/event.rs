//! The event log as others see it.

use arco_core::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{LogPosition, Time};

/// Events from a position on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventPage {
    /// The events, in order.
    pub items: Vec<Event>,
    /// Ask from here (`from`) for what follows, also when nothing follows yet.
    pub next: LogPosition,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Where it stands; also the id of the server-sent event.
    pub position: LogPosition,
    /// Kind, `run.requested`.
    pub kind: String,
    /// Version of the payload's shape.
    pub version: u32,
    /// When it was decided.
    pub time: Time,
    /// Who asked.
    pub principal: String,
    /// Because of what.
    pub cause: EventCause,
    /// Leadership epoch of a controller's event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Code location it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Definitions version of that location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub definitions_version: Option<Digest>,
    /// What happened; absent when it is over 256 KiB (see `payload_bytes`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Value>,
    /// Size of a payload that was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<u64>,
}

/// Because of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventCause {
    /// A command: id of the API request, or name of the controller.
    Command(String),
    /// An earlier event.
    Event(LogPosition),
}
