//! Questions to user code, and its answers: what to run for an instant, a look, a message, an event
//! (`docs/adr/0019-evaluations-and-sensors.md`).
//!
//! A host takes questions by a long poll of its own beside `exchange`; nothing here is in the log.

use std::collections::BTreeMap;

use arco_core::asset_fact::{AssetCheckResult, AssetMaterialization, AssetObservation};
use arco_core::event::ErrorInfo;
use arco_core::{AssetKey, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Answers, and a wish for questions. Also a sign of life.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Evaluations {
    /// What was found out since the last call.
    #[serde(default)]
    pub answers: Vec<EvaluationAnswer>,
    /// Questions wanted, at most.
    #[serde(default)]
    pub want: u32,
    /// How long to wait for a question when there is none. Milliseconds, at most 30,000.
    #[serde(default)]
    pub wait_ms: u64,
    /// Questions that are being worked on: they are not handed out again.
    #[serde(default)]
    pub busy: Vec<String>,
}

/// Answer to [`Evaluations`].
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct EvaluationsGiven {
    /// Questions.
    #[serde(default)]
    pub questions: Vec<EvaluationQuestion>,
    /// Of what is `busy`: nobody waits for it any more; its child may be killed.
    #[serde(default)]
    pub dropped: Vec<String>,
}

/// One question to user code.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvaluationQuestion {
    /// Names it between host and control plane; a question that is asked again has another id.
    pub id: String,
    /// Longest time the function may take. Milliseconds.
    pub timeout_ms: u64,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
}

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ask {
    /// What does the schedule run at this instant?
    Schedule {
        /// Name of the schedule.
        name: String,
        /// The due instant, RFC 3339 in UTC, whole seconds.
        instant: String,
    },
    /// What does the sensor run now?
    Sensor {
        /// Name of the sensor.
        name: String,
        /// Cursor that stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
        /// When it was last evaluated to the end, milliseconds since the epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_evaluated: Option<i64>,
        /// Run key of the last run it asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_run_key: Option<String>,
        /// What lies before it, oldest first; empty for a sensor that polls. The function is called
        /// once for each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        queue: Vec<QueuedItem>,
    },
    /// Which partitions of `upstream` do these partitions of `downstream` need?
    Mapping {
        /// The asset that reads.
        #[schema(value_type = String)]
        downstream: AssetKey,
        /// The asset that is read.
        #[schema(value_type = String)]
        upstream: AssetKey,
        /// Digest of the mapping's code, as the manifest says it: who has other code does not answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// Partitions in Dagster's text, at most 1,000.
        keys: Vec<String>,
        /// Partitions that may be named in all; keys for which there is no room are left out.
        upstream_keys_max: u32,
    },
}

/// One thing that lies before a sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum QueuedItem {
    /// A message that was pushed.
    Message {
        /// Its id: of the sender, or chosen when it was accepted.
        id: String,
        /// When it was accepted, milliseconds since the epoch.
        time: i64,
        /// What it says.
        data: Value,
        /// CloudEvents attributes, headers, attributes of the envelope.
        #[serde(default)]
        attributes: BTreeMap<String, String>,
    },
    /// An asset was materialized.
    Materialization {
        /// Position in the log, `segment.index`.
        position: String,
        /// When, milliseconds since the epoch.
        time: i64,
        /// Asset key.
        #[schema(value_type = String)]
        asset: AssetKey,
        /// Partition in Dagster's text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition: Option<String>,
        /// The run that made it; absent when reported from outside.
        #[schema(value_type = Option<String>)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        /// Typed values by name.
        #[serde(default)]
        #[schema(value_type = Object)]
        metadata: BTreeMap<String, Value>,
        /// Version of the data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data_version: Option<String>,
    },
    /// A run entered a status.
    Run {
        /// Position in the log, `segment.index`.
        position: String,
        /// When, milliseconds since the epoch.
        time: i64,
        /// The run.
        #[schema(value_type = String)]
        run: RunId,
        /// Its status: `started`, `succeeded`, `failed`, `cancelled`.
        status: String,
        /// Its job, if it is of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<String>,
        /// Its tags.
        #[serde(default)]
        tags: BTreeMap<String, String>,
        /// Why it failed, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
}

/// What user code said to a question.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvaluationAnswer {
    /// The question.
    pub id: String,
    /// What it said.
    #[serde(flatten)]
    pub said: Said,
    /// What the function logged, oldest first, cut to 64 KiB in all.
    #[serde(default)]
    pub log: Vec<String>,
    /// How long the function took. Milliseconds.
    #[serde(default)]
    pub took_ms: u64,
}

/// What user code said.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Said {
    /// The function returned.
    Returned(Wanted),
    /// The function raised, took too long, or its process died. Of a queue, what came before counts.
    Raised {
        /// What was raised.
        error: ErrorInfo,
        /// What the calls before this one asked for; of a queue only.
        #[serde(default)]
        before: Option<Wanted>,
    },
    /// The code of a mapping answered, for some keys at least. Keys that are named nowhere are asked again.
    Mapped {
        /// Downstream key → the upstream keys that it needs.
        answers: BTreeMap<String, Vec<String>>,
        /// Downstream keys for which the code raised, or said what is no list of keys.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failed: Vec<String>,
        /// What was raised for the first of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorInfo>,
    },
    /// Nobody was asked: the host stops, or has other definitions by now. It is asked again.
    NotAsked,
}

/// What user code wants done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Wanted {
    /// Runs, in order.
    #[serde(default)]
    pub run_requests: Vec<RunRequestAsked>,
    /// Backfills, in order.
    #[serde(default)]
    pub backfills: Vec<BackfillAsked>,
    /// Why there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_reason: Option<String>,
    /// The new cursor; absent keeps it, the empty text clears it (N-8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Changes of dynamic partitions, made before the runs (N-16).
    #[serde(default)]
    pub dynamic_partitions: Vec<DynamicPartitionsAsked>,
    /// Facts about assets, recorded in one commit with the rest; of a sensor only (N-17).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asset_events: Vec<AssetEventAsked>,
    /// How many of the queue it took; of a queue only.
    #[serde(default)]
    pub taken: u32,
}

/// One run asked for (`RunRequest` of Dagster, S-40).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunRequestAsked {
    /// Key under which it is one run (N-12, S-39).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// Run configuration, whole; absent takes the job's.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub run_config: Value,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The job, of those it may run; absent when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_name: Option<String>,
    /// Partition in Dagster's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
    /// Assets to run, of those it may run; absent means all of them.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_selection: Option<Vec<AssetKey>>,
    /// Checks to run, (asset, name).
    #[schema(value_type = Option<Vec<Vec<String>>>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_check_keys: Option<Vec<(AssetKey, String)>>,
    /// The queued thing it answers, counted from 0; of a queue only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<u32>,
}

/// One backfill asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackfillAsked {
    /// Assets, in the selection language.
    pub selection: Vec<String>,
    /// Partitions in Dagster's text, or ranges `FIRST...LAST`; empty means all.
    #[serde(default)]
    pub partitions: Vec<String>,
    /// Tags of its runs.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Key under which it is one backfill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// The queued thing it answers, counted from 0; of a queue only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<u32>,
}

/// One fact about an asset to record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssetEventAsked {
    /// The fact.
    #[serde(flatten)]
    pub event: AssetEvent,
    /// The queued thing it answers, counted from 0; of a queue only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<u32>,
}

/// A fact about an asset that no run made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AssetEvent {
    /// It was produced.
    Materialization(AssetMaterialization),
    /// It was looked at.
    Observation(AssetObservation),
    /// A check of it was judged.
    Check(AssetCheckResult),
}

/// One change of a dynamic partitions definition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DynamicPartitionsAsked {
    /// Its name.
    pub name: String,
    /// Keys to add; those that exist are passed over.
    #[serde(default)]
    pub add: Vec<String>,
    /// Keys to remove; those that do not exist are passed over.
    #[serde(default)]
    pub remove: Vec<String>,
    /// The queued thing it answers, counted from 0; of a queue only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<u32>,
}
