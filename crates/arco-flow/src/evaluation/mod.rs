//! What user code wants done, and what that comes to (`docs/adr/0019-evaluations-and-sensors.md`).
//!
//! A function of a schedule or sensor names jobs, assets, partitions and keys. [`resolve`] makes of them runs
//! and backfills that can be decided, or says what is wrong with them. It is a function of definitions and
//! state, so that what was answered can be worked out anew when definitions moved.

mod resolve;

use std::collections::BTreeMap;

use arco_core::asset_fact::AssetFact;
use arco_core::event::ErrorInfo;
use arco_core::{AssetKey, PartitionKey};
use serde_json::Value;

use crate::command::{BackfillRequest, RunRequest};
use crate::mapping::MappingSaid;

pub use resolve::{Asker, CheckConfig, Refused, resolve};
pub(crate) use resolve::{TOO_MANY_ASSET_EVENTS, TOO_MANY_PARTITIONS, TOO_MANY_RUNS};

/// What user code said to a question.
#[derive(Debug, Clone)]
pub enum Said {
    /// The function returned.
    Returned(Wanted),
    /// It raised, took too long, or its process died.
    Raised {
        /// What was raised.
        error: ErrorInfo,
        /// What the calls before asked for; of a queue only.
        before: Option<Wanted>,
    },
    /// Which partitions some partitions need: of the code of a mapping.
    Mapped(MappingSaid),
}

/// What comes of a host that answers a question about a mapping where it was asked what to run.
#[must_use]
pub fn another_question() -> ErrorInfo {
    ErrorInfo {
        kind: "another_question".into(),
        message: "the worker host answered a question that it was not asked; look at its log"
            .into(),
        traceback: String::new(),
    }
}

/// What user code wants done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    /// Runs, in order.
    pub runs: Vec<RunAsked>,
    /// Backfills, in order.
    pub backfills: Vec<BackfillAsked>,
    /// Why there are none.
    pub skip_reason: Option<String>,
    /// The new cursor; `None` keeps it, the empty text clears it (N-8).
    pub cursor: Option<String>,
    /// Changes of dynamic partitions, made before the runs (N-16).
    pub dynamic_partitions: Vec<DynamicPartitionsAsked>,
    /// Facts about assets, recorded after the rest (N-17).
    pub asset_events: Vec<AssetEventAsked>,
    /// How many of the queue it took; of a queue only.
    pub taken: usize,
}

/// One run asked for (S-40).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunAsked {
    /// Key under which it is one run.
    pub run_key: Option<String>,
    /// Run configuration, whole; null takes that of what is run.
    pub config: Value,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The job, of those it may run.
    pub job: Option<String>,
    /// Partition in Dagster's text.
    pub partition: Option<String>,
    /// Assets, of those it may run; `None` for all of them.
    pub assets: Option<Vec<AssetKey>>,
    /// Checks; `None` for those of the assets.
    pub checks: Option<Vec<(AssetKey, String)>>,
    /// The queued thing it answers, counted from 0; of a queue only.
    pub answers: Option<usize>,
}

/// One backfill asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BackfillAsked {
    /// Assets, in the selection language.
    pub selection: Vec<String>,
    /// Partitions, or ranges `FIRST...LAST`; empty for all.
    pub partitions: Vec<String>,
    /// Tags of its runs.
    pub tags: BTreeMap<String, String>,
    /// Key under which it is one backfill.
    pub run_key: Option<String>,
    /// The queued thing it answers, counted from 0; of a queue only.
    pub answers: Option<usize>,
}

/// One fact about an asset to record.
#[derive(Debug, Clone, PartialEq)]
pub struct AssetEventAsked {
    /// The fact.
    pub fact: AssetFact,
    /// The queued thing it answers, counted from 0; of a queue only.
    pub answers: Option<usize>,
}

/// One change of a set of dynamic partitions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DynamicPartitionsAsked {
    /// The set.
    pub name: String,
    /// Keys to add.
    pub add: Vec<String>,
    /// Keys to remove.
    pub remove: Vec<String>,
    /// The queued thing it answers, counted from 0; of a queue only.
    pub answers: Option<usize>,
}

/// What is to be decided.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// Changes of dynamic partitions, before the rest.
    pub dynamic_partitions: Vec<DynamicChange>,
    /// Runs, in order.
    pub runs: Vec<RunRequest>,
    /// Backfills, in order.
    pub backfills: Vec<BackfillRequest>,
    /// Why there are none.
    pub skip_reason: Option<String>,
    /// Facts about assets, each of what is defined.
    pub asset_events: Vec<AssetFact>,
}

impl Resolved {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
            && self.backfills.is_empty()
            && self.dynamic_partitions.is_empty()
            && self.asset_events.is_empty()
    }
}

/// A change of a set of dynamic partitions, with keys that can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicChange {
    /// The set.
    pub name: String,
    /// Keys to add.
    pub add: Vec<PartitionKey>,
    /// Keys to remove.
    pub remove: Vec<PartitionKey>,
}
