//! Facts about sensors and their evaluations (`docs/adr/0019-evaluations-and-sensors.md`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ErrorInfo, Position, Stored, TickId};
use crate::{BackfillId, Digest, RunId, Timestamp};

/// What names an evaluation: the sensor, and its number there, from 1. Text: `drop:17`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EvaluationId {
    /// The sensor.
    pub sensor: String,
    /// Its number: given when it is decided, one after the other.
    pub number: u64,
}

impl fmt::Display for EvaluationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sensor, self.number)
    }
}

/// Text that is not the id of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an evaluation; evaluations look like `drop_folder:17`")]
pub struct EvaluationIdError(String);

impl FromStr for EvaluationId {
    type Err = EvaluationIdError;

    fn from_str(text: &str) -> Result<Self, EvaluationIdError> {
        let parsed = text.split_once(':').and_then(|(sensor, number)| {
            Some(Self {
                sensor: sensor.to_owned(),
                number: number.parse().ok()?,
            })
        });
        parsed.ok_or_else(|| EvaluationIdError(text.to_owned()))
    }
}

/// An operator set a sensor going, whatever the code says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorStarted {
    /// The sensor.
    pub sensor: String,
}

/// An operator stopped a sensor, whatever the code says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorStopped {
    /// The sensor.
    pub sensor: String,
}

/// An operator left it to the code again whether a sensor runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorReset {
    /// The sensor.
    pub sensor: String,
}

/// Someone set the cursor of a sensor from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorSet {
    /// The sensor.
    pub sensor: String,
    /// The new cursor; absent when it was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A message for a sensor was accepted: it will be evaluated, whatever happens from here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageAccepted {
    /// The sensor.
    pub sensor: String,
    /// Its id: of the sender, or chosen when it was accepted.
    pub id: String,
    /// What it says.
    pub data: Stored<Value>,
    /// CloudEvents attributes, headers, attributes of the envelope.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// What came of an evaluation. In one segment with its changes of dynamic partitions, the requests
/// of its runs and backfills, and the facts about assets that it recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluationFinished {
    /// Which evaluation.
    #[serde(flatten)]
    pub id: EvaluationId,
    /// Version of the sensor's declaration.
    pub version: Digest,
    /// What it was about.
    pub of: EvaluationOf,
    /// What came of it.
    pub outcome: EvaluationOutcome,
    /// The cursor after it; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Run key of the last run that it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_key: Option<String>,
    /// Changes of dynamic partitions, made before its runs (N-16).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic_partitions: Vec<PartitionsChange>,
    /// Where the facts about assets stand that it recorded, in order (N-17).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asset_events: Vec<Position>,
    /// What asking user code was like.
    pub asked: Asked,
}

/// What an evaluation is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvaluationOf {
    /// A look at the world, with this cursor (digest of its text; of the empty text when there is none).
    Look {
        /// The digest.
        cursor: Digest,
    },
    /// Messages, in order.
    Messages {
        /// Their ids.
        ids: Vec<String>,
    },
    /// Events of the log, in order.
    Events {
        /// Where they stand.
        positions: Vec<Position>,
    },
}

impl EvaluationOf {
    /// How many messages or events it is about; 0 for a look.
    #[must_use]
    pub fn items(&self) -> usize {
        match self {
            Self::Look { .. } => 0,
            Self::Messages { ids } => ids.len(),
            Self::Events { positions } => positions.len(),
        }
    }

    /// Makes it about the first message or event alone.
    pub fn keep_first(&mut self) {
        match self {
            Self::Look { .. } => {}
            Self::Messages { ids } => ids.truncate(1),
            Self::Events { positions } => positions.truncate(1),
        }
    }
}

/// What came of an evaluation. Messages and events that it is about are acknowledged unless it failed
/// and is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvaluationOutcome {
    /// It asked for something.
    Succeeded {
        /// The runs that were requested, in order.
        runs: Vec<RunId>,
        /// The backfills that were requested, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        backfills: Vec<BackfillId>,
        /// What was asked for and is there already, by its run key.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<KeptBack>,
    },
    /// There was nothing to run.
    Skipped {
        /// Why, for people.
        reason: String,
    },
    /// It raised, took too long, or asked for what cannot be. Nothing was requested, the cursor stays.
    Failed {
        /// What went wrong.
        error: ErrorInfo,
        /// Which try it was, from 1: of a look, failures in a row.
        attempt: u32,
        /// It was the last try of what it is about, which is passed over.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        passed_over: bool,
    },
}

/// A request that was not carried out, because its run key stands for something already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct KeptBack {
    /// The run key.
    pub run_key: String,
    /// The run that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub run: Option<RunId>,
    /// The backfill that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub backfill: Option<BackfillId>,
}

/// What an evaluation changed of a set of dynamic partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PartitionsChange {
    /// The set.
    pub name: String,
    /// Keys that it got.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub added: u64,
    /// Keys that it lost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub removed: u64,
    /// Keys to add that it had, and keys to remove that it did not have (N-16).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub passed_over: u64,
}

/// What asking user code was like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// When a host was asked.
    pub started: Timestamp,
    /// How long the function took. Milliseconds.
    pub took_ms: u64,
    /// What it logged, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// A sensor looked again and again, and found nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorIdled {
    /// Which evaluation: one number for all of them.
    #[serde(flatten)]
    pub id: EvaluationId,
    /// Version of the sensor's declaration.
    pub version: Digest,
    /// How often.
    pub count: u64,
    /// When it looked first.
    pub first: Timestamp,
    /// When it looked last.
    pub last: Timestamp,
    /// What it said last for a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The function of a tick failed, and is tried again (S-28).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickTried {
    /// Which tick.
    #[serde(flatten)]
    pub tick: TickId,
    /// Version of the schedule's declaration.
    pub version: Digest,
    /// The time by which the instant was chosen: the next try judges by it too.
    pub judged: Timestamp,
    /// Which try it was, from 1.
    pub attempt: u32,
    /// What went wrong.
    pub error: ErrorInfo,
    /// When it is tried again.
    pub next: Timestamp,
    /// What asking user code was like.
    pub asked: Asked,
}

/// Old evaluations moved from memory to a history object: of each sensor named, those up to a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationsPacked {
    /// How the log finds the object again (`HistoryRef` of `arco-log`).
    pub object: Value,
    /// Sensor → the last number that moved.
    pub through: BTreeMap<String, u64>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference to skip_serializing_if"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
