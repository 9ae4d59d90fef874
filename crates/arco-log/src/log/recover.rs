//! From nothing to the state at the tail, without a list (but of a log that seems not to have begun).
//!
//! ```text
//!   hint ─► a segment that existed ─► gallop and halve to the head ─► its header names a snapshot
//!     │ (lost, stale, wrong: gallop from 1, or from the first block without a tombstone)
//!     ▼
//!   newest snapshot the caller accepts, else an older one, else the first segment
//!     ▼
//!   the segments between, 32 GETs at once, decoded beside the fold ─► tombstone of the first one's
//!                                                                     block, last of all
//! ```
//!
//! That segments exist without a gap up to the head, so that a search by halves finds it, holds from
//! the first block without a tombstone on. Below, deletion may have left holes, and what the search
//! found would be wrong; the look at the end notices, and the next recovery does not use the hint.

use std::future::Future;

use super::Log;
use super::hint::Hint;
use super::recovery::Recovery;
use crate::error::LogError;
use crate::paths::{block_of, first_of_block};
use crate::segment::Head;
use crate::snapshot::{Snapshot, SnapshotRef};

/// Where the log is, found without having read much of it.
struct Found {
    /// First segment that must exist still.
    first: u64,
    /// The end of the log.
    head: Head,
    /// Snapshots heard of on the way.
    snapshots: Vec<SnapshotRef>,
}

impl Log {
    /// Finds the newest usable snapshot and the segments after it.
    ///
    /// `accept` is shown snapshots, newest first: it decodes the state and keeps it, and answers
    /// whether it could. False passes to an older one (a fold version it does not know, say), at last
    /// to the log alone.
    ///
    /// # Errors
    /// `Corrupt` when the log is trimmed and no snapshot makes up for it; `Unavailable`; `TooNew`.
    pub async fn recover(
        &self,
        accept: &mut (dyn FnMut(&Snapshot) -> bool + Send),
    ) -> Result<Recovery, LogError> {
        let hint = self.read_hint().await;
        let trusted = !std::mem::take(&mut self.volatile().remembered.distrusted);
        let by_hint = if trusted {
            self.find_by_hint(&hint).await?
        } else {
            None
        };
        let chosen = match by_hint {
            Some(found) => self.choose_start(&found, accept).await?,
            None => None,
        };
        let (start, target) = match chosen {
            Some(chosen) => chosen,
            None => {
                let found = self.find_above_tombstones(hint).await?;
                let chosen = self.choose_start(&found, accept).await?;
                chosen.ok_or(LogError::Reload {
                    block: block_of(found.first),
                })?
            }
        };
        if target > 0 {
            self.store().settle(&self.paths().segment(target)).await?;
        } else {
            self.refuse_orphans().await?;
        }
        Ok(Recovery::new(self.clone(), start, target))
    }

    /// The head by way of the hint, or of segment 1; `None` when neither leads anywhere.
    async fn find_by_hint(&self, hint: &Hint) -> Result<Option<Found>, LogError> {
        for known in [hint.segment, 1] {
            if known > 0 && self.exists(known).await? {
                return self.find_from(1, known, hint.snapshots.clone()).await;
            }
        }
        // Nothing at 1: an empty log, unless it has been trimmed.
        let empty = Found {
            first: 1,
            head: Head::genesis(),
            snapshots: hint.snapshots.clone(),
        };
        Ok((!self.is_tombstoned(0).await?).then_some(empty))
    }

    /// The head by way of the first block that has no tombstone. Tombstones are laid in order and
    /// stay, so the search by halves is right for them at any time.
    async fn find_above_tombstones(&self, hint: Hint) -> Result<Found, LogError> {
        let live = gallop(
            0,
            |block| async move { self.is_tombstoned(block - 1).await },
        )
        .await?;
        let first = first_of_block(live);
        if let Some(found) = self.find_from(first, first, hint.snapshots).await? {
            return Ok(found);
        }
        if live == 0 {
            return Ok(Found {
                first,
                head: Head::genesis(),
                snapshots: Vec::new(),
            });
        }
        Err(LogError::corrupt(
            self.paths().segment(first),
            format!("it is missing, and everything before block {live} was trimmed"),
        ))
    }

    /// The head at or after `known`, and the snapshots its header leads to. `None` when it went
    /// while we looked.
    async fn find_from(
        &self,
        first: u64,
        known: u64,
        mut snapshots: Vec<SnapshotRef>,
    ) -> Result<Option<Found>, LogError> {
        let head = gallop(known, |n| self.exists(n)).await?;
        let Some(segment) = self.fetch_segment(head).await? else {
            return Ok(None);
        };
        snapshots.extend(segment.header.snapshot);
        Ok(Some(Found {
            first,
            head: segment.head(),
            snapshots,
        }))
    }

    /// Where folding starts, after the newest snapshot that is good and accepted, and where it ends.
    /// `None` when the log was trimmed where it was looked for.
    async fn choose_start(
        &self,
        found: &Found,
        accept: &mut (dyn FnMut(&Snapshot) -> bool + Send),
    ) -> Result<Option<(Head, u64)>, LogError> {
        let target = found.head.segment;
        let mut candidates = found.snapshots.clone();
        let mut refused = Vec::new();
        loop {
            candidates.sort_unstable();
            candidates.dedup();
            let Some(candidate) = candidates.pop() else {
                break;
            };
            if refused.contains(&candidate) || candidate.segment + 1 < found.first {
                continue;
            }
            match self.get_snapshot(&candidate).await {
                Ok(snapshot) if snapshot.head.segment > target => {
                    if self.is_tombstoned(block_of(target + 1)).await? {
                        return Ok(None);
                    }
                    return Err(LogError::corrupt(
                        self.paths().segment(target + 1),
                        format!(
                            "it is missing, and there is a snapshot of segment {}",
                            snapshot.head.segment
                        ),
                    ));
                }
                Ok(snapshot)
                    if snapshot.head.segment == target
                        && snapshot.head.digest != found.head.digest =>
                {
                    tracing::warn!(
                        snapshot = %self.paths().snapshot(&candidate),
                        "snapshot passed over: it is of another log's segment"
                    );
                }
                Ok(snapshot) if accept(&snapshot) => {
                    self.volatile().remembered.note(candidate);
                    return Ok(Some((snapshot.head, target)));
                }
                Ok(snapshot) => tracing::warn!(
                    snapshot = %self.paths().snapshot(&candidate), fold = snapshot.fold,
                    "snapshot passed over: its state is not for this version"
                ),
                Err(error) if error.retryable() => return Err(error),
                Err(error) => tracing::warn!(%error, "snapshot passed over"),
            }
            refused.push(candidate);
            // Its own segment was written before it was, and names the one before it.
            if let Ok(Some(segment)) = self.fetch_segment(candidate.segment).await {
                candidates.extend(segment.header.snapshot);
            }
        }
        if found.first > 1 {
            return Err(LogError::Corrupt {
                object: self.paths().segment(found.first).to_string(),
                problem:
                    "the log before it was trimmed and no snapshot of what came before is usable"
                        .into(),
                mend:
                    "run the arco version that wrote the newest snapshot, or put a snapshot back \
                       from a backup"
                        .into(),
            });
        }
        Ok(Some((Head::genesis(), target)))
    }

    /// The look that comes after everything was read.
    pub(super) async fn look_last(&self, first: u64) -> Result<(), LogError> {
        let looked = self.look_for_tombstone(first).await;
        if let Err(LogError::Reload { .. }) = looked {
            self.volatile().remembered.distrusted = true;
        }
        looked
    }

    async fn exists(&self, segment: u64) -> Result<bool, LogError> {
        let found = self.store().head(&self.paths().segment(segment)).await?;
        Ok(found.is_some())
    }
}

/// The last number for which `holds`, given that it holds for `known`, and that where it fails it
/// fails from there on. Doubling steps, then halves: 20 questions for a million.
async fn gallop<F>(known: u64, holds: impl Fn(u64) -> F) -> Result<u64, LogError>
where
    F: Future<Output = Result<bool, LogError>>,
{
    let (mut last, mut step) = (known, 1);
    let mut fails = loop {
        if !holds(last + step).await? {
            break last + step;
        }
        last += step;
        step *= 2;
    };
    while fails - last > 1 {
        let middle = last + (fails - last) / 2;
        if holds(middle).await? {
            last = middle;
        } else {
            fails = middle;
        }
    }
    Ok(last)
}
