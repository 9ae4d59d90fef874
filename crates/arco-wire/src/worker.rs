//! The worker protocol: what a host says to the control plane and hears back.
//!
//! One hot call, `exchange`, reports facts, asks for leases and is a heartbeat, so that finishing a
//! task and leasing the next ready one is one commit. `docs/guide/worker-protocol.md` tells how to
//! write a host in any language.

use std::collections::BTreeMap;

pub use arco_core::asset_fact::{AssetCheckResult, AssetMaterialization, AssetObservation};
pub use arco_core::definitions::{Isolation, StepKind};
pub use arco_core::event::{ErrorInfo, FailureClass, Severity};
pub use arco_core::plan::OutputValues;
use arco_core::{AssetKey, AttemptId, Digest, HostId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Announces a host and the definitions of its location; also re-attaches after the control plane
/// was away (same host id).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RegisterHost {
    /// Chosen by the host process, once in its life.
    #[schema(value_type = String)]
    pub host: HostId,
    /// Code location.
    pub location: String,
    /// The manifest of the location.
    #[schema(value_type = Object)]
    pub manifest: Value,
    /// Process id, for people.
    pub pid: u32,
    /// Machine, for people.
    pub hostname: String,
    /// How many tasks it runs at once.
    pub slots: u32,
    /// Attempts that are alive in its children.
    #[schema(value_type = Vec<String>)]
    #[serde(default)]
    pub attempts: Vec<AttemptId>,
}

/// Answer to [`RegisterHost`].
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Registered {
    /// A host that has not heard a 200 for this long must have killed its children. Milliseconds.
    pub lease_ttl_ms: u64,
    /// How often to call when there is nothing to say. Milliseconds.
    pub heartbeat_interval_ms: u64,
    /// Version of the definitions now current: digest of the canonical manifest.
    #[schema(value_type = String)]
    pub definitions_version: Digest,
    /// Attempts the host may go on with.
    #[schema(value_type = Vec<String>)]
    pub kept: Vec<AttemptId>,
    /// Attempts it must kill: they belong to someone else, or are over.
    #[schema(value_type = Vec<String>)]
    pub killed: Vec<AttemptId>,
}

/// Facts, a wish for work, a sign of life.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Exchange {
    /// Counts from 1 per host. The same number again is the same call: its effect happens once and
    /// its answer is given again.
    pub seq: u64,
    /// Facts in the order they happened.
    #[serde(default)]
    pub reports: Vec<Report>,
    /// Leases wanted, at most.
    #[serde(default)]
    pub want: u32,
    /// How long to wait for work when there is none and nothing to report. Milliseconds, at most 30,000.
    #[serde(default)]
    pub wait_ms: u64,
    /// Attempts that are alive in its children or waiting in its hands.
    #[schema(value_type = Vec<String>)]
    #[serde(default)]
    pub live: Vec<AttemptId>,
}

/// Answer to [`Exchange`].
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Exchanged {
    /// Work.
    #[serde(default)]
    pub leases: Vec<Lease>,
    /// Attempts to cancel: SIGTERM, grace, SIGKILL.
    #[schema(value_type = Vec<String>)]
    #[serde(default)]
    pub cancels: Vec<AttemptId>,
    /// Reports that changed nothing, and why. The host kills what is still alive of them.
    #[serde(default)]
    pub refused: Vec<Refused>,
    /// As in [`Registered`].
    pub lease_ttl_ms: u64,
}

/// A report that changed nothing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    /// Which attempt.
    #[schema(value_type = String)]
    pub attempt: AttemptId,
    /// Why: late, foreign, ended, unknown.
    pub reason: String,
}

/// A sign of life between exchanges.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Heartbeat {
    /// Attempts that are alive.
    #[schema(value_type = Vec<String>)]
    #[serde(default)]
    pub live: Vec<AttemptId>,
}

/// Answer to [`Heartbeat`].
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatAnswer {
    /// Attempts to cancel.
    #[schema(value_type = Vec<String>)]
    #[serde(default)]
    pub cancels: Vec<AttemptId>,
    /// Attempts the control plane does not hold for this host: kill them.
    #[schema(value_type = Vec<String>)]
    #[serde(default)]
    pub unknown: Vec<AttemptId>,
    /// As in [`Registered`].
    pub lease_ttl_ms: u64,
}

/// User code did not load. Shown to people; the old definitions stay.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FailedLoad {
    /// Code location.
    pub location: String,
    /// What was raised.
    pub error: ErrorInfo,
}

/// One fact about one attempt.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Which attempt.
    #[schema(value_type = String)]
    pub attempt: AttemptId,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// What can happen to an attempt.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The body began.
    Started,
    /// An output was written.
    Materialized(AssetMaterialization),
    /// An asset was looked at.
    Observed(AssetObservation),
    /// An op gave these outputs. Said once, when the body has returned, before its end.
    Values {
        /// The outputs, each once; one that may be left out and is not here was left out.
        outputs: Vec<OutputValues>,
    },
    /// A check was judged.
    Check(AssetCheckResult),
    /// The attempt is over.
    Finished {
        /// How it ended.
        outcome: Outcome,
    },
}

/// How an attempt ended.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Outcome {
    /// The body returned.
    Succeeded,
    /// The body raised, or its process died.
    Failed {
        /// Which kind of failure; decides what a retry policy may do.
        class: FailureClass,
        /// What was raised, or how the process ended.
        error: ErrorInfo,
        /// False when user code forbade further tries.
        #[serde(default = "yes")]
        allow_retries: bool,
        /// User code asked to wait this long before the next try. Milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
        /// User code asked for at most this many retries (`RetryRequested`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_retries: Option<u32>,
    },
    /// Stopped because it was asked to.
    Cancelled,
    /// Given back before the body began; costs no try.
    Released,
}

fn yes() -> bool {
    true
}

/// One task to carry out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Lease {
    /// Which attempt this is.
    #[schema(value_type = String)]
    pub attempt: AttemptId,
    /// Its run.
    #[schema(value_type = String)]
    pub run: RunId,
    /// Its task in the run's plan.
    pub task: u32,
    /// Which try, from 1.
    pub number: u32,
    /// Tries that failed before this one.
    pub retry_number: u32,
    /// Step of the definitions.
    pub step: String,
    /// Asset step or check step.
    pub kind: StepKind,
    /// Assets to materialize.
    #[schema(value_type = Vec<String>)]
    pub outputs: Vec<AssetKey>,
    /// Checks to judge within the step, (asset, name).
    #[schema(value_type = Vec<Vec<String>>)]
    pub checks: Vec<(AssetKey, String)>,
    /// Partitions in Dagster's text, in order; absent for an unpartitioned task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Vec<String>>,
    /// What it reads.
    pub inputs: Vec<LeaseInput>,
    /// Of an op: what it takes from other ops of its graph.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub op_inputs: Vec<LeaseOpInput>,
    /// Of an op that is carried out for one value of a dynamic output: its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_key: Option<String>,
    /// Run configuration, whole.
    #[schema(value_type = Object)]
    pub config: Value,
    /// Tags of the run.
    pub tags: BTreeMap<String, String>,
    /// How the body is kept apart from others.
    pub isolation: Isolation,
    /// Longest time the body may take. Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Memory the body may use: resident, of its process and what that started. Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Authorises log uploads of this attempt, nothing else.
    pub token: String,
    /// When it was leased, milliseconds since the epoch.
    pub time: i64,
}

/// A parameter of an op, and the values it takes from other ops.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LeaseOpInput {
    /// The parameter.
    pub param: String,
    /// It takes a list of the values; otherwise there is one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub list: bool,
    /// Where the values are, in order.
    pub values: Vec<ValueAt>,
}

/// Where a value of an op is: under these names, and the task's partitions.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ValueAt {
    /// The run that made it: this one, or an earlier one of the lineage.
    #[schema(value_type = String)]
    pub run: RunId,
    /// `graph.op`, or `graph.op[key]`.
    pub step: String,
    /// Name of the output.
    pub output: String,
    /// Mapping key, of a value of a dynamic output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_key: Option<String>,
}

/// One upstream asset of a leased task.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LeaseInput {
    /// Asset key.
    #[schema(value_type = String)]
    pub asset: AssetKey,
    /// Parameter of the function that receives its value; absent for order only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// Whether the upstream asset is partitioned.
    pub partitioned: bool,
    /// Upstream partitions in Dagster's text, in order; absent for an unpartitioned upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Vec<String>>,
}
