//! Sensors, their evaluations, and messages for them.

use std::collections::BTreeMap;

use arco_core::definitions::{DefaultStatus, RunKeyPolicy, RunStatusWatched};
use arco_core::event::{ErrorInfo, KeptBack, PartitionsChange};
use arco_core::{AssetKey, BackfillId, Digest, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{LogPosition, Time};

/// A sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sensor {
    /// Its name, unique in the workspace.
    pub name: String,
    /// Code location that defines it.
    pub location: String,
    /// What it looks at.
    pub kind: SensorKindWord,
    /// Whether it runs.
    pub status: SensorStatus,
    /// What the code says; it holds while no operator has said otherwise.
    pub default_status: DefaultStatus,
    /// What an operator said over the code; absent when nothing was, or it was reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SensorSet>,
    /// Of one that polls: from the begin of one look to the next, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_interval_seconds: Option<u32>,
    /// Of one of assets: those it watches.
    #[schema(value_type = Vec<String>)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetKey>,
    /// Of one of runs: the statuses it waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run_statuses: Vec<RunStatusWatched>,
    /// Of one of runs: jobs whose runs count; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub monitored_jobs: Vec<String>,
    /// Of one of runs: those of all code locations count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub monitor_all_code_locations: bool,
    /// Jobs it may run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<String>,
    /// Assets it may run: selections, joined by "or".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selection: Vec<String>,
    /// Which key of a run request is the same run.
    pub run_keys: RunKeyPolicy,
    /// Longest time an evaluation may take.
    pub timeout_seconds: u32,
    /// How often an evaluation of one message or event is tried before it is passed over.
    pub max_attempts: u32,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Typed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, Value>,
    /// Owners: e-mail addresses or `team:NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Version of its declaration; evaluations say with which they were made.
    #[schema(value_type = String)]
    pub version: Digest,
    /// What was before is not its business: it was made or started then.
    pub since: Time,
    /// Its cursor; absent when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Changes with everything an evaluation is asked with. The `ETag` of this answer, and what
    /// `If-Match` of a change of the cursor is compared with.
    pub state_version: u64,
    /// Failures in a row.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// When it was last evaluated to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_evaluated: Option<Time>,
    /// Run key of the last run it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_key: Option<String>,
    /// When it is asked next, as far as the log knows: looks that found nothing are written later.
    /// Absent when it is stopped, or waits for a message or an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
    /// Messages or events that lie before it.
    #[serde(default, skip_serializing_if = "is_zero_u64")]
    pub waiting: u64,
    /// Since when the oldest of them waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Time>,
    /// Its function is being asked at this moment; only the leader knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<SensorAsked>,
    /// It is due and nobody can be asked: no worker host of its code location is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_host: bool,
    /// Its last evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_evaluation: Option<Evaluation>,
}

/// What a sensor looks at.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SensorKindWord {
    /// The world, again and again.
    Poll,
    /// Messages that are pushed to it.
    Push,
    /// Materializations of assets.
    Asset,
    /// Runs that enter a status.
    RunStatus,
}

impl SensorKindWord {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Push => "push",
            Self::Asset => "asset",
            Self::RunStatus => "run_status",
        }
    }
}

/// Whether a sensor runs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SensorStatus {
    /// It is asked.
    Running,
    /// It is not.
    Stopped,
}

impl SensorStatus {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
        }
    }
}

/// What an operator said of a sensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SensorSet {
    /// To what.
    pub status: SensorStatus,
    /// Who.
    pub by: String,
    /// When.
    pub time: Time,
}

/// What came of an evaluation of a sensor, or of a series of looks that found nothing. Primary key:
/// sensor and number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evaluation {
    /// Sensor and number, `drop_folder:17`.
    pub id: String,
    /// The sensor.
    pub sensor: String,
    /// Its number: the evaluations of a sensor are counted from 1.
    pub number: u64,
    /// What came of it.
    pub status: EvaluationStatus,
    /// The messages it is about, by their ids, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
    /// The events it is about, by where they stand in the log, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<LogPosition>,
    /// The runs it asked for, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub runs: Vec<RunId>,
    /// The backfills it asked for, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub backfills: Vec<BackfillId>,
    /// What it asked for and was there already, by its run key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptBack>,
    /// Changes of dynamic partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic_partitions: Vec<PartitionsChange>,
    /// Where the facts about assets stand in the log that it recorded, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asset_events: Vec<LogPosition>,
    /// Why nothing was run, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a failure: what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// Of a failure: which try it was, from 1; of a look, failures in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Of a failure: its messages or events are not tried again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passed_over: bool,
    /// Of looks that found nothing: the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<IdleLooks>,
    /// The cursor after it; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// When a host was asked; absent for a series of looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// How long the function took. Milliseconds; absent for a series of looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// What the function logged, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// Version of the sensor's declaration.
    #[schema(value_type = String)]
    pub version: Digest,
    /// Where it stands in the log.
    pub position: LogPosition,
    /// When it was decided.
    pub time: Time,
}

/// What came of an evaluation. The words are Dagster's, and `idle`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EvaluationStatus {
    /// It asked for runs or backfills.
    Success,
    /// There was nothing to run.
    Skipped,
    /// It raised, took too long, or asked for what cannot be.
    Failure,
    /// Looks that found nothing.
    Idle,
}

impl EvaluationStatus {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Skipped => "skipped",
            Self::Failure => "failure",
            Self::Idle => "idle",
        }
    }
}

/// Looks of a sensor that found nothing and left the cursor as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdleLooks {
    /// How often it looked.
    pub count: u64,
    /// When first.
    pub first: Time,
    /// When last.
    pub last: Time,
}

/// A cursor that is set from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SensorCursor {
    /// The new cursor; absent or empty clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A message that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageAccepted {
    /// The sensor.
    pub sensor: String,
    /// Its id: of the sender, or chosen when it was accepted.
    pub id: String,
    /// A message was accepted under this id before, and this one changed nothing.
    pub duplicate: bool,
    /// Where the message, the first under its id, stands in the log.
    pub position: LogPosition,
}

/// What a sensor is tried with. Nothing is done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SensorTest {
    /// The cursor to try with; absent takes the one that stands, the empty text means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Of one that is pushed to: the message to try with; when absent the oldest that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<TestMessage>,
    /// Of one that watches assets: the asset that was made, as if; when absent the oldest that waits.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<AssetKey>,
    /// With `asset`: its partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
}

/// A message that a sensor is tried with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestMessage {
    /// What it says.
    #[serde(default)]
    pub data: Value,
    /// Attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// A host that a sensor is asked on at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SensorAsked {
    /// The worker host.
    pub host: String,
    /// Since when.
    pub since: Time,
}

/// What a sensor would do. Nothing was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SensorTrial {
    /// The sensor.
    pub sensor: String,
    /// What would come of it: `success`, `skipped` or `failure`.
    pub status: EvaluationStatus,
    /// The runs it would ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<SensorTrialRun>,
    /// How many backfills it would ask for.
    #[serde(default, skip_serializing_if = "is_zero_u64")]
    pub backfills: u64,
    /// Changes of dynamic partitions it would make: keys to add and to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic_partitions: Vec<TrialPartitions>,
    /// Facts about assets it would record, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asset_events: Vec<TrialAssetEvent>,
    /// Why nothing would be run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it would fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// The cursor after it; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How long the function took. Milliseconds.
    pub took_ms: u64,
    /// What the function logged, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// A run that a sensor would ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SensorTrialRun {
    /// Its run key, without the sensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// Its partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<String>,
    /// Its assets: the first ones.
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<AssetKey>,
    /// All of them.
    pub asset_count: u64,
    /// Its tasks.
    pub tasks: u64,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A change of a set of dynamic partitions that would be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialPartitions {
    /// The set.
    pub name: String,
    /// Keys to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Keys to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// A fact about an asset that would be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialAssetEvent {
    /// Which kind of fact.
    pub event: AssetEventWord,
    /// The asset.
    #[schema(value_type = String)]
    pub asset: AssetKey,
    /// Its partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// Of a check: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

/// Kinds of facts about assets.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AssetEventWord {
    /// It was produced.
    Materialization,
    /// It was looked at.
    Observation,
    /// A check of it was judged.
    Check,
}

impl AssetEventWord {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Materialization => "materialization",
            Self::Observation => "observation",
            Self::Check => "check",
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference to skip_serializing_if"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference to skip_serializing_if"
)]
fn is_zero_u64(number: &u64) -> bool {
    *number == 0
}
