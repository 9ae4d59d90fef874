//! Backfills.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::backfill::{BackfillOrder, BackfillStatus, PartitionWanted};
use arco_core::{AssetKey, BackfillId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{LogPosition, RunStatus, SelectionText, Time};

/// Asks for a backfill, or for what one would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBackfill {
    /// Which assets: one selection or several, joined by "or".
    pub selection: SelectionText,
    /// Which partitions of the partitioned ones; absent when none is partitioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<BackfillPartitions>,
    /// Partitions that one run makes, in place of what the assets say: a number, or 0 for all in one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions_per_run: Option<u32>,
    /// Refuses it when some partition needs a parent partition that does not exist; else such partitions are
    /// left out, and shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refuse_left_out: bool,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags of its runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Configuration of its runs.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Object)]
    pub config: Value,
    /// Runs that go on at once, at most: 1 to 1,000; 50 at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub concurrency: Option<u32>,
    /// Of the runs to come: higher goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Which of the partitions that may begin is next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<BackfillOrder>,
    /// Runs begun in a minute, at most; 0 for no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_per_minute: Option<u32>,
}

/// Partitions of a backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackfillPartitions {
    /// Keys, or ranges with both ends in, of the assets that no other selected one leads to. What lies
    /// downstream follows by the mappings.
    Keys(Vec<String>),
    /// Every partition that exists.
    All,
    /// Those like this.
    Filter(BackfillFilter),
}

/// Which partitions a filter lets through. What says nothing lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackfillFilter {
    /// Keys, or ranges with both ends in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Keys by dimension, of partitions of several dimensions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, Vec<String>>,
    /// How they stand.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub statuses: BTreeSet<PartitionWanted>,
}

/// Changes a backfill that goes on; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditBackfill {
    /// The version that was seen; the change is refused when it moved since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_version: Option<u64>,
    /// Runs that go on at once, at most: 1 to 1,000; 50 at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub concurrency: Option<u32>,
    /// Of the runs to come: higher goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Which of the partitions that may begin is next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<BackfillOrder>,
    /// Runs begun in a minute, at most; 0 for no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_per_minute: Option<u32>,
}

/// Pauses or resumes a backfill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SteerBackfill {
    /// The version that was seen; refused when it moved since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_version: Option<u64>,
}

/// Cancels a backfill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelBackfill {
    /// Lets runs that go on end by themselves; else they are stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drain: bool,
    /// The version that was seen; refused when it moved since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_version: Option<u64>,
}

/// A backfill that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackfillCreated {
    /// False when the same request had made it before.
    pub created: bool,
    /// Read from here to see it (`arco-min-position`).
    pub position: LogPosition,
    /// The backfill.
    pub backfill: Backfill,
}

/// How far a backfill is. Partitions of all its assets; those made by one run together are counted once, an
/// asset without partitions as one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackfillProgress {
    /// All it is to make.
    pub partitions: u64,
    /// Made.
    pub succeeded: u64,
    /// Their run ended without making them, or a blocking check failed.
    pub failed: u64,
    /// Their body left them unmade, as it may.
    pub skipped: u64,
    /// Not yet; when it is over: not tried, because of what failed or because it was canceled.
    pub remaining: u64,
    /// Runs that it is in all.
    pub runs: u64,
    /// Runs that were asked for.
    pub runs_requested: u64,
    /// Runs that go on or wait.
    pub runs_active: u64,
    /// Partitions settled in a minute lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<f64>,
    /// When it would be over at this rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_end: Option<Time>,
}

/// A backfill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Backfill {
    /// Its id.
    #[schema(value_type = String)]
    pub id: BackfillId,
    /// Where it stands.
    pub status: BackfillStatus,
    /// How often that changed.
    pub state_version: u64,
    /// Why it stands there, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The assets, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// The assets: the first ones.
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<AssetKey>,
    /// How many assets there are.
    pub assets_count: u64,
    /// The partitions as asked, in words.
    pub partitions: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags of its runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Runs that go on at once, at most.
    pub concurrency: u32,
    /// Of the runs to come: higher goes first.
    pub priority: i32,
    /// Which of the partitions that may begin is next.
    pub order: BackfillOrder,
    /// Runs begun in a minute, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_per_minute: Option<u32>,
    /// How far it is.
    pub progress: BackfillProgress,
    /// What was asked for and cannot be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<BackfillLeftOut>,
    /// Why chunks could not become runs: the first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<BackfillDropped>,
    /// The backfill whose undone partitions it makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub parent: Option<BackfillId>,
    /// The backfill that makes what this one left undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub retried_by: Option<BackfillId>,
    /// Who asked.
    pub created_by: String,
    /// When it was asked for.
    pub created: Time,
    /// When its first run was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
}

/// Partitions that were asked for and cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackfillLeftOut {
    /// The asset.
    #[schema(value_type = String)]
    pub asset: AssetKey,
    /// How many of its partitions.
    pub partitions: u64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The parent that they need.
    #[schema(value_type = String)]
    pub parent: AssetKey,
    /// A partition of it that does not exist, or is left out itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<String>,
}

/// A chunk that could not become a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackfillDropped {
    /// Its number.
    pub chunk: u64,
    /// Why.
    pub reason: String,
}

/// What a backfill would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackfillPreview {
    /// Partitions it would make, as [`BackfillProgress::partitions`].
    pub partitions: u64,
    /// Materializations that would be, of all assets.
    pub materializations: u64,
    /// Runs it would be.
    pub runs: u64,
    /// Rounds, when everything waits for what comes before it.
    pub rounds: u64,
    /// Assets that are made together.
    pub units: Vec<BackfillUnit>,
    /// What would begin when: the first rounds.
    pub first_rounds: Vec<BackfillRound>,
    /// What was asked for and cannot be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<BackfillLeftOut>,
}

/// Assets that are made by one run for each chunk of their partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackfillUnit {
    /// The assets.
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<AssetKey>,
    /// Partitions of each; absent for assets without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u64>,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Partitions that a run makes.
    pub partitions_per_run: u32,
    /// Runs.
    pub runs: u64,
    /// Units, by number, of which it reads partitions.
    pub needs: Vec<u32>,
}

/// What may begin at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackfillRound {
    /// Runs.
    pub runs: u64,
    /// Partitions they make.
    pub partitions: u64,
    /// Units, by number.
    pub units: Vec<u32>,
}

/// Where a partition of a backfill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackfillPartitionStatus {
    /// Waits for partitions of the backfill that it reads.
    Waiting,
    /// May begin.
    Ready,
    /// A run that makes it was asked for.
    Requested,
    /// Made.
    Succeeded,
    /// Not made by its run.
    Failed,
    /// Left unmade by its body, as it may.
    Skipped,
}

impl BackfillPartitionStatus {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Requested => "requested",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A partition of a backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackfillPartition {
    /// The assets it is a partition of.
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<AssetKey>,
    /// Its key; absent for assets without partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The chunk that makes it.
    pub chunk: u64,
    /// Where it stands.
    pub status: BackfillPartitionStatus,
}

/// A chunk of a backfill that became a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackfillChunk {
    /// Its number, unique in the backfill.
    pub chunk: u64,
    /// The assets.
    #[schema(value_type = Vec<String>)]
    pub assets: Vec<AssetKey>,
    /// Its first partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Its last partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// How many partitions it has.
    pub partitions: u64,
    /// Its run; absent for a chunk that was dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub run: Option<RunId>,
    /// Where the run stands, while it is in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_status: Option<RunStatus>,
}
