//! The manifest: the JSON that an SDK makes of a code location.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JobDef, ScheduleDef, SensorDef};
use crate::AssetKey;
use crate::partition::{PartitionMapping, PartitionsDef};

/// Definitions of one code location. Its version is the digest of its canonical JSON, so that the
/// same code has the same version everywhere and a deploy that changes nothing is no event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Shape of this document; 1.
    pub format: u32,
    /// Code location.
    pub location: String,
    /// Who made it: name, version, language.
    #[serde(default)]
    pub sdk: BTreeMap<String, String>,
    /// Assets, made here or external.
    #[serde(default)]
    pub assets: Vec<AssetDef>,
    /// Checks.
    #[serde(default)]
    pub checks: Vec<CheckDef>,
    /// The units of computation.
    #[serde(default)]
    pub steps: Vec<StepDef>,
    /// Named resources with their configuration schema.
    #[serde(default)]
    pub resources: Vec<ResourceDef>,
    /// Named selections of its assets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobDef>,
    /// What is done when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleDef>,
    /// What is done because of what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<SensorDef>,
}

/// One asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssetDef {
    /// Key.
    pub key: AssetKey,
    /// Step that makes it; absent for an external asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Group, `default` when none was given (M-11).
    #[serde(default = "default_group")]
    pub group: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Kinds, at most 10 (M-12).
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Owners: e-mail addresses or `team:NAME` (M-13).
    #[serde(default)]
    pub owners: Vec<String>,
    /// Version of the code as its author sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_version: Option<String>,
    /// Typed values by name.
    #[serde(default)]
    pub metadata: BTreeMap<String, Value>,
    /// Partitions; absent when unpartitioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionsDef>,
    /// How many of its partitions one run of a backfill makes; absent for one (B-8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill_policy: Option<BackfillPolicy>,
    /// IO manager, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_manager: Option<String>,
    /// Its step may leave it unmade; what reads it is skipped then (M-25, R-37).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skippable: bool,
    /// Upstream assets.
    #[serde(default)]
    pub deps: Vec<Dep>,
}

/// How many partitions of an asset one run of a backfill makes (B-8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillPolicy {
    /// At most so many; absent for all of them in one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_partitions_per_run: Option<NonZeroU32>,
}

/// One upstream edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dep {
    /// Upstream asset.
    pub asset: AssetKey,
    /// Parameter that receives its value; absent for order only (`deps=`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// Which upstream partitions; absent means inferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PartitionMapping>,
}

/// One check of an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckDef {
    /// The asset it judges.
    pub asset: AssetKey,
    /// Name, unique for the asset.
    pub name: String,
    /// Step that judges it.
    pub step: String,
    /// Whether a failure of severity ERROR stops what is downstream (M-21).
    #[serde(default)]
    pub blocking: bool,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Partitions, when judged per partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionsDef>,
    /// What its function reads; first its asset.
    #[serde(default)]
    pub deps: Vec<Dep>,
    /// Typed values by name.
    #[serde(default)]
    pub metadata: BTreeMap<String, Value>,
}

/// One unit of computation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepDef {
    /// Name, unique in the location.
    pub name: String,
    /// Asset step or check step.
    pub kind: StepKind,
    /// Assets it makes.
    #[serde(default)]
    pub outputs: Vec<AssetKey>,
    /// A run may make some of its assets without the others (M-2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub can_subset: bool,
    /// The graph whose op it is; its name is `graph.op` then. Ops of one graph run together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<String>,
    /// Of an op: the assets it reads. Other steps read those of the assets they make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deps: Vec<Dep>,
    /// Of an op: what it takes from other ops of its graph.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<OpInput>,
    /// Of an op: its outputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<OpOutput>,
    /// Of an op: the dynamic output it is carried out for each key of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<OpSource>,
    /// Checks judged within it, (asset, name).
    #[serde(default)]
    pub checks: Vec<(AssetKey, String)>,
    /// JSON schema of its configuration; absent when it takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_schema: Option<Value>,
    /// Resources it uses.
    #[serde(default)]
    pub resources: Vec<String>,
    /// When and how to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// Longest time one attempt may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Memory one attempt may use, in bytes: resident, of its process and what that started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// How its body is kept apart from others.
    #[serde(default)]
    pub isolation: Isolation,
    /// Pool, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Tags of the computation.
    #[serde(default)]
    pub op_tags: BTreeMap<String, Value>,
}

/// What a parameter of an op takes from other ops of its graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpInput {
    /// The parameter.
    pub param: String,
    /// Outputs: one, unless it is a list.
    pub sources: Vec<OpSource>,
    /// It takes a list of what is there of its sources.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub list: bool,
}

/// An output of an op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpSource {
    /// Step of the op.
    pub step: String,
    /// Name of the output.
    pub output: String,
    /// Under all mapping keys, as a list; otherwise under the reader's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// One output of an op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpOutput {
    /// Name.
    pub name: String,
    /// It may be left out; what reads it is skipped then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// It has any number of values, each under a mapping key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dynamic: bool,
    /// The asset that it is the value of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<AssetKey>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceDef {
    /// Name.
    pub name: String,
    /// JSON schema of its configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_schema: Option<Value>,
}

/// When and how to try again (R-20..R-22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub max_retries: u32,
    /// Base delay in milliseconds; absent means at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// How the delay grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// How the delay is spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Jitter>,
}

/// How a retry delay grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// n times the delay.
    Linear,
    /// (2ⁿ − 1) times the delay.
    Exponential,
}

/// How a retry delay is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Anything from nothing to the delay.
    Full,
    /// The delay, more or less by up to the base delay.
    PlusMinus,
}

/// What a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Materializes assets.
    Asset,
    /// Judges checks of assets made before.
    Check,
    /// Looks at assets that are made elsewhere, and says their data versions.
    Observe,
    /// One op of a graph that materializes assets.
    Op,
}

/// How a body is kept apart from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A child that runs one task at a time, many in its life.
    #[default]
    Reuse,
    /// A child forked for the task.
    Fork,
    /// A fresh interpreter.
    Spawn,
}

fn default_group() -> String {
    "default".into()
}
