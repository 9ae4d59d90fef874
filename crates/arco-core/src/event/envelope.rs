//! What surrounds every fact in the log.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Digest, Timestamp};

/// A place in the total order: segment number (from 1) and index within the segment (from 0).
/// As JSON `[segment, index]`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(from = "(u64, u32)", into = "(u64, u32)")]
pub struct Position {
    /// Segment number, from 1; 0 is before the first segment.
    pub segment: u64,
    /// Index in the segment, from 0.
    pub index: u32,
}

impl From<(u64, u32)> for Position {
    fn from((segment, index): (u64, u32)) -> Self {
        Self { segment, index }
    }
}

impl From<Position> for (u64, u32) {
    fn from(p: Position) -> Self {
        (p.segment, p.index)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.segment, self.index)
    }
}

/// Who asked: `client:NAME`, `worker:LOCATION`, `controller:NAME` or `system`.
pub type Principal = String;

/// Because of what: the command that was decided, or an earlier event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A command, by its id (the API's request id, or the controller's name).
    Command(String),
    /// An event, by its position.
    Event(Position),
}

/// One event as it stands in a segment: an envelope of single-letter keys around a payload that is
/// still JSON text. The log stores and reads this; the fold decodes `payload` by `kind` and
/// `version`, so that a kind it does not know can still be carried (storage-design §3.3).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RawEvent {
    /// Kind, `run.requested`.
    #[serde(rename = "k")]
    pub kind: String,
    /// Version of the payload's shape, from 1.
    #[serde(rename = "v")]
    pub version: u32,
    /// When it was decided. Never decreases along the log.
    #[serde(rename = "t")]
    pub time: Timestamp,
    /// Who asked.
    #[serde(rename = "w")]
    pub principal: Principal,
    /// Because of what.
    #[serde(rename = "c")]
    pub cause: Cause,
    /// Leadership epoch of a controller's event; absent on client commands.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Code location the event speaks of, with the definitions version that was current.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub definitions: Option<(String, Digest)>,
    /// A reader that does not know the kind may skip it. Absent means critical.
    #[serde(rename = "i", default, skip_serializing_if = "std::ops::Not::not")]
    pub ignorable: bool,
    /// Blobs whose content the fold needs: the reader fetches them before `apply`.
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<Digest>,
    /// The payload.
    #[serde(rename = "d")]
    pub payload: Box<RawValue>,
}
