//! Backfills: what each is to make, how far it is, and the fold arms that move it.

mod fold;
mod outcome;
mod progress;
mod shape;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::backfill::{BackfillSelector, BackfillSettings, BackfillStatus, BackfillTarget};
use arco_core::definitions::BackfillPolicy;
use arco_core::event::{Position, Principal};
use arco_core::{AssetKey, BackfillId, RunId, Timestamp};
use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use fold::{chunk_dropped, created, edited, moved, run_asked, run_ended};
pub use progress::{Progress, Settled, Tally, UnitProgress};
pub use shape::{Members, Shape, UnitShape};

/// Backfills that are over and stay in memory; the oldest end leaves first.
pub(super) const ENDED_MAX: usize = 1_000;

/// Ends of runs by which the rate is told.
const RECENT_MAX: usize = 64;

/// Reasons of dropped chunks that are kept; the rest is in the log.
const DROPPED_MAX: usize = 20;

/// One backfill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backfill {
    /// Its id.
    pub id: BackfillId,
    /// Where and when it was asked for.
    pub created: (Position, Timestamp),
    /// Who asked.
    pub principal: Principal,
    /// The assets, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// The assets, in order.
    pub assets: Arc<Vec<AssetKey>>,
    /// The partitions, as asked.
    pub selector: Arc<BackfillSelector>,
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
    pub config: Arc<Value>,
    /// How it goes on.
    pub settings: BackfillSettings,
    /// How many partitions a run makes, when that was said in place of what the assets say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<BackfillPolicy>,
    /// The backfill whose undone partitions it makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<BackfillId>,
    /// The backfill that makes what this one left undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried_by: Option<BackfillId>,
    /// Where it stands.
    pub status: BackfillStatus,
    /// How often that changed.
    pub state_version: u64,
    /// Why it stands there, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it makes.
    pub target: Arc<BackfillTarget>,
    /// Derived from the target.
    #[serde(skip)]
    pub shape: Arc<Shape>,
    /// How far it is.
    pub progress: Progress,
    /// Its runs that go on or are owed a retry, with their chunks.
    pub active: OrdMap<RunId, u64>,
    /// When its runs ended lately, and how many partitions each settled; oldest first.
    pub recent: Vector<(Timestamp, u32)>,
    /// Chunks that could not become runs, with the reason; the first ones.
    #[serde(default, skip_serializing_if = "Vector::is_empty")]
    pub dropped: Vector<(u64, String)>,
    /// When its first run was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When its last run was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_planned: Option<Timestamp>,
    /// Where and when it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(Position, Timestamp)>,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            now: Timestamp(0),
            units: Vec::new(),
        }
    }
}

impl PartialEq for Shape {
    /// Derived from the target, which is compared beside it.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Backfill {
    /// Partitions it is to make, those of assets without partitions counted as one.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shape.count()
    }

    /// Runs that may begin now beside those that go on: by its limit, and by its throttle at `now`.
    #[must_use]
    pub fn room(&self, now: Timestamp) -> usize {
        let active = u32::try_from(self.active.len()).unwrap_or(u32::MAX);
        let free = self.settings.concurrency.saturating_sub(active) as usize;
        match self.next_begin() {
            Some(at) if now < at => 0,
            Some(_) => free.min(1),
            None => free,
        }
    }

    /// The earliest instant of the next run, when runs are throttled.
    #[must_use]
    pub fn next_begin(&self) -> Option<Timestamp> {
        let per_minute = u64::from(self.settings.runs_per_minute?.max(1));
        Some(self.last_planned?.plus_ms(60_000 / per_minute))
    }

    /// Whether nothing of it will happen any more, but that its end is said.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.active.is_empty()
            && match self.status {
                BackfillStatus::Canceling => true,
                _ => self.progress.open() == 0 && self.progress.rest(&self.shape).next().is_none(),
            }
    }

    /// How it ends once it is exhausted. What was left unmade on purpose, and what would have read that, is
    /// no failure.
    #[must_use]
    pub fn outcome(&self) -> BackfillStatus {
        let tally = self.progress.tally();
        let untried = self.count() - tally.done - tally.failed - tally.skipped;
        match self.status {
            BackfillStatus::Canceling => BackfillStatus::Canceled,
            _ if tally.failed > 0 || untried > 0 && tally.skipped == 0 => BackfillStatus::Failed,
            _ => BackfillStatus::Succeeded,
        }
    }

    /// Partitions settled in a minute lately, seen at `now`; `None` before two runs ended.
    #[must_use]
    pub fn rate_per_minute(&self, now: Timestamp) -> Option<f64> {
        let (first, _) = self.recent.front()?;
        let until = match self.ended {
            Some((_, at)) => at,
            None => now,
        };
        let settled: u64 = self.recent.iter().skip(1).map(|(_, n)| u64::from(*n)).sum();
        let ms = until.ms_since(*first);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = settled as f64 * 60_000.0 / ms as f64;
        (self.recent.len() > 1 && ms > 0).then_some(rate)
    }

    /// Derives what is not stored.
    pub(super) fn rebuild(&mut self) {
        self.shape = Arc::new(Shape::of(&self.target).unwrap_or_default());
    }
}
