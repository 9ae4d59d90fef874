//! Backfills as the log keeps them: what was asked, and what that came to, once and for all
//! (`docs/adr/0018-backfills.md`).
//!
//! What is asked is small whatever its size: a range, a filter, all. What it came to is worked out before the
//! event is written and stands beside it, as ranges of ordinals together with the definitions they count in;
//! so a redefinition moves nothing, and no replica has to work it out again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::Stored;
use crate::partition::{DynamicSets, MappingAnswers, Ordinals, PartitionMapping, PartitionsDef};
use crate::{AssetKey, BackfillId, PartitionKey, Timestamp};

/// Runs of one backfill that go on at once, unless it says otherwise.
pub const CONCURRENCY: u32 = 50;

/// The most runs of one backfill that may go on at once: cancelling stops them in one decision.
pub const CONCURRENCY_MAX: u32 = 1_000;

/// Which partitions are asked for, as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackfillSelector {
    /// All that existed.
    All,
    /// From one key to another, both included, in Dagster's text.
    Range {
        /// First key.
        from: String,
        /// Last key.
        to: String,
    },
    /// Keys and `FIRST...LAST` ranges, in Dagster's text.
    Explicit(Stored<Vec<String>>),
    /// Those that existed and are like this.
    Filter(PartitionFilter),
    /// What another backfill left undone: what failed, and what was not tried because of that.
    Undone(BackfillId),
}

/// Which partitions a filter lets through. What says nothing lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionFilter {
    /// Keys and `FIRST...LAST` ranges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Keys by dimension, of partitions of several dimensions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, Vec<String>>,
    /// How they stood.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub statuses: BTreeSet<PartitionWanted>,
}

/// How a partition stands that a filter lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PartitionWanted {
    /// Never materialized.
    Missing,
    /// Its last attempt failed, with no materialization since (F-2).
    Failed,
    /// Materialized, and no failure since.
    Materialized,
}

/// In which order ready chunks become runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BackfillOrder {
    /// In the order of the definition.
    #[default]
    Oldest,
    /// The other way round.
    Newest,
}

/// How a backfill goes on. May change while it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillSettings {
    /// Runs that go on at once, at most.
    pub concurrency: u32,
    /// Of the runs to come: higher goes first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// Which ready chunk is next.
    #[serde(default)]
    pub order: BackfillOrder,
    /// Runs begun in a minute, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_per_minute: Option<u32>,
}

impl Default for BackfillSettings {
    fn default() -> Self {
        Self {
            concurrency: CONCURRENCY,
            priority: 0,
            order: BackfillOrder::Oldest,
            runs_per_minute: None,
        }
    }
}

fn is_zero(n: &i32) -> bool {
    *n == 0
}

/// Where a backfill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BackfillStatus {
    /// Nothing of it was planned yet.
    Pending,
    /// Chunks become runs.
    Running,
    /// No chunk becomes a run; runs go on.
    Paused,
    /// As paused, for good; it waits for the end of its runs.
    Canceling,
    /// Over: everything was made, but for what was left unmade on purpose.
    Succeeded,
    /// Over, and something failed.
    Failed,
    /// Over, stopped.
    Canceled,
}

impl BackfillStatus {
    /// Whether it will never change again.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }

    /// Whether chunks become runs.
    #[must_use]
    pub fn plans(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }

    /// The word on the API and the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Canceling => "canceling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// Which chunk of which backfill a run makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkOf {
    /// The backfill.
    pub backfill: BackfillId,
    /// The chunk, from 0.
    pub chunk: u64,
}

/// What a backfill is to make, worked out at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BackfillTarget {
    /// When that was: what began to exist later is no part of it (B-5).
    pub now: Timestamp,
    /// Keys of the dynamic partitions that the units count in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sets: DynamicSets,
    /// Assets that are made together; each unit after those it needs.
    pub units: Vec<TargetUnit>,
    /// What was asked for and cannot be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// Assets that are made by one run for each chunk of their partitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetUnit {
    /// Each after all its ancestors among them.
    pub assets: Vec<AssetKey>,
    /// Their definition; absent when they have no partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionsDef>,
    /// Ordinals of the partitions, in the definition. The n-th of them is member n of the unit. A unit
    /// without partitions has one member.
    pub members: Ordinals,
    /// Members of a chunk.
    pub chunk_size: u32,
    /// What it reads of other units, and of itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<TargetNeed>,
    /// Members that need nothing of the target.
    pub ready: Ordinals,
}

impl TargetUnit {
    /// How many members it has.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self.partitions {
            Some(_) => self.members.len(),
            None => 1,
        }
    }
}

/// What a unit reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetNeed {
    /// The unit, by number.
    pub unit: u32,
    /// Which of its partitions; absent when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PartitionMapping>,
    /// What the code of the mapping answered for the members; none when it has no code.
    #[serde(default, skip_serializing_if = "MappingAnswers::is_empty")]
    pub answers: MappingAnswers,
    /// Which assets of the unit it reads, by number; none for all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<u32>,
}

/// Partitions of an asset that were asked for and cannot be made (D-5, D-14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The asset.
    pub asset: AssetKey,
    /// How many partitions; 1 for an asset without partitions.
    pub partitions: u64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<PartitionKey>,
    /// The parent they need.
    pub parent: AssetKey,
    /// One partition of the parent that does not exist, or is itself left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<PartitionKey>,
}
