//! Where to start looking. The hint is overwritten now and then, may be lost, stale or wrong, and
//! costs a slower start at worst.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Log;
use crate::segment::Head;
use crate::snapshot::SnapshotRef;

/// Snapshots kept in mind: the newest may be of a fold version this binary does not know yet, the
/// one before may be damaged.
const SNAPSHOTS: usize = 3;

/// What the hint object says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Hint {
    /// A segment that existed.
    pub(super) segment: u64,
    /// Snapshots, newest first.
    #[serde(default)]
    pub(super) snapshots: Vec<SnapshotRef>,
}

/// What the handle keeps for hints and headers.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    snapshots: BTreeSet<SnapshotRef>,
    written: Option<(Duration, Hint)>,
    /// The newest one that a segment of the log names, so that anyone can find it.
    pub(super) published: Option<SnapshotRef>,
    /// Recovery found the hint to point into a trimmed block: look for the live end instead.
    pub(super) distrusted: bool,
}

impl Remembered {
    pub(super) fn note(&mut self, snapshot: SnapshotRef) {
        self.snapshots.insert(snapshot);
        while self.snapshots.len() > SNAPSHOTS {
            self.snapshots.pop_first();
        }
    }

    pub(super) fn newest(&self) -> Option<SnapshotRef> {
        self.snapshots.last().copied()
    }
}

impl Log {
    /// Writes the hint if there is something new and the last one is [`super::LogOptions::hint_interval`] old.
    /// Never fails: a hint that was not written is a lost hint. Not part of a commit; call it after
    /// the callers have been answered.
    pub async fn refresh_hint(&self, head: Head) {
        let now = self.now();
        let hint = {
            let mut volatile = self.volatile();
            let remembered = &mut volatile.remembered;
            let hint = Hint {
                segment: head.segment,
                snapshots: remembered.snapshots.iter().rev().copied().collect(),
            };
            let due = remembered.written.as_ref().is_none_or(|(at, last)| {
                *last != hint && now.saturating_sub(*at) >= self.inner.options.hint_interval
            });
            if !due {
                return;
            }
            remembered.written = Some((now, hint.clone()));
            hint
        };
        let mut text = serde_json::to_vec(&hint).expect("plain fields serialize");
        text.push(b'\n');
        let path = self.paths().hint();
        if let Err(error) = self.store().overwrite(&path, Bytes::from(text)).await {
            tracing::debug!(%error, "hint not written");
        }
    }

    /// The hint; one that says nothing when there is none or it does not read.
    pub(super) async fn read_hint(&self) -> Hint {
        let path = self.paths().hint();
        let text = match self.store().get_small(&path).await {
            Ok(Some(found)) => found.bytes,
            Ok(None) => return Hint::default(),
            Err(error) => {
                tracing::warn!(%error, "hint not read; looking for the end of the log without it");
                return Hint::default();
            }
        };
        serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!(%path, %error, "hint does not read; looking for the end of the log without it");
            Hint::default()
        })
    }
}
