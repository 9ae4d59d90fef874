//! Facts about backfills. A chunk that becomes a run has no fact of its own: `run.requested` names it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Stored;
use crate::backfill::{BackfillSelector, BackfillSettings, BackfillStatus, BackfillTarget};
use crate::definitions::BackfillPolicy;
use crate::{AssetKey, BackfillId, Digest};

/// Someone asked for many partitions: what was asked, and what it came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackfillCreated {
    /// The backfill.
    pub backfill: BackfillId,
    /// The assets, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// The assets, in order.
    pub assets: Vec<AssetKey>,
    /// The partitions, as asked.
    pub selector: BackfillSelector,
    /// What is made.
    pub target: Stored<BackfillTarget>,
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
    pub config: Value,
    /// How it goes on.
    pub settings: BackfillSettings,
    /// How many partitions a run makes, when that was said in place of what the assets say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<BackfillPolicy>,
    /// The backfill whose undone partitions it makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<BackfillId>,
    /// The client's idempotency key and the digest of the request under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<(String, Digest)>,
}

/// A backfill is in another state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillMoved {
    /// The backfill.
    pub backfill: BackfillId,
    /// Number of the change, from 1. A move that does not follow the last one changes nothing.
    pub state_version: u64,
    /// Where it stands from here.
    pub to: BackfillStatus,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Someone changed how a backfill goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillEdited {
    /// The backfill.
    pub backfill: BackfillId,
    /// How it goes on from here.
    pub settings: BackfillSettings,
}

/// A chunk of a backfill cannot become a run: its partitions failed without being tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillChunkDropped {
    /// The backfill.
    pub backfill: BackfillId,
    /// The chunk.
    pub chunk: u64,
    /// Why, for people.
    pub reason: String,
}
