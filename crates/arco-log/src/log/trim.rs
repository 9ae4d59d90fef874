//! Trimming old blocks without losing an acknowledged write.
//!
//! Deleting segment N+1 reopens its slot: a writer that stalled at N would create it "successfully",
//! and what it acknowledged would be lost (the bug that log designs on object stores ship with).
//! So a block gets a *tombstone* before anything in it is deleted, the tombstone stays for ever, and
//! everyone who used a slot looks for the tombstone of its block *afterwards*: after a put, after a
//! read that found something, after a read that found nothing. The model check needs all three.
//!
//! The look can be skipped while a proof is fresh. A proof is an instant, taken before the request
//! that showed the block to be live; deletion comes at least [`GRACE`] after the tombstone, so within
//! [`FRESH`] of a proof nothing can have been deleted. This leans on clocks running at about the same
//! rate (a factor of twelve is allowed for), never on what time they show. Blocks are tombstoned in
//! order, so a proof for one block holds for all later ones.

use std::time::Duration;

use arco_core::Timestamp;
use bytes::Bytes;

use super::Log;
use crate::error::LogError;
use crate::paths::{BLOCK, block_of, first_of_block};
use crate::snapshot::SnapshotRef;

/// How long a proof stands in for a look.
pub(super) const FRESH: Duration = Duration::from_secs(3600);
/// How long a block keeps its segments after its tombstone.
const GRACE: Duration = Duration::from_secs(24 * 3600);

/// At `at`, the block of segment `from`, and so every later one, had no tombstone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proof {
    pub(super) from: u64,
    pub(super) at: Duration,
}

impl Log {
    /// Notes that a request sent at `at` showed the slot `from` to be at the tail.
    pub(super) fn prove(&self, from: u64, at: Duration) {
        let mut volatile = self.volatile();
        if volatile.proof.is_none_or(|proof| proof.at <= at) {
            volatile.proof = Some(Proof { from, at });
        }
    }

    /// To be called *after* the slot was put, read, or found empty, and before that is believed.
    ///
    /// # Errors
    /// `Reload` when the block of `segment` has a tombstone.
    pub(super) async fn confirm_live(&self, segment: u64) -> Result<(), LogError> {
        let fresh = self.volatile().proof.is_some_and(|proof| {
            block_of(proof.from) <= block_of(segment) && self.now().saturating_sub(proof.at) < FRESH
        });
        if fresh {
            return Ok(());
        }
        self.look_for_tombstone(segment).await
    }

    /// [`Self::confirm_live`] without the shortcut.
    pub(super) async fn look_for_tombstone(&self, segment: u64) -> Result<(), LogError> {
        let at = self.now();
        let block = block_of(segment);
        if self.is_tombstoned(block).await? {
            return Err(LogError::Reload { block });
        }
        self.prove(segment, at);
        Ok(())
    }

    pub(super) async fn is_tombstoned(&self, block: u64) -> Result<bool, LogError> {
        let found = self.store().head(&self.paths().tombstone(block)).await?;
        Ok(found.is_some())
    }

    /// Declares `block` dead. Its segments stay readable for a day; after that
    /// [`Self::delete_block`] may remove them. Safe to repeat, and for several at once.
    ///
    /// # Errors
    /// `Invalid` unless the block before it is tombstoned and the whole block lies below
    /// `keep_from`, a snapshot no newer than the newest that a segment of the log names; it should be
    /// the second-newest of those.
    pub async fn tombstone(&self, block: u64, keep_from: &SnapshotRef) -> Result<(), LogError> {
        if first_of_block(block + 1) > keep_from.segment {
            return Err(LogError::invalid(
                format!(
                    "block {block} is not wholly below snapshot {}",
                    keep_from.segment
                ),
                "trim only below the second-newest snapshot",
            ));
        }
        let published = self.volatile().remembered.published;
        if published.is_none_or(|newest| newest.segment < keep_from.segment) {
            return Err(LogError::invalid(
                format!(
                    "no segment of the log names a snapshot from {} on",
                    keep_from.segment
                ),
                "trim after a segment has been put that does: with the hint lost, the last segment \
                 is how the snapshot is found",
            ));
        }
        let snapshot = self.paths().snapshot(keep_from);
        if self.store().head(&snapshot).await?.is_none() {
            return Err(LogError::invalid(
                format!("snapshot `{snapshot}` is not there"),
                "trim only below a snapshot that exists",
            ));
        }
        if block > 0 && !self.is_tombstoned(block - 1).await? {
            return Err(LogError::invalid(
                format!("block {} has no tombstone yet", block - 1),
                "trim blocks in order: recovery gallops over them",
            ));
        }
        let text = Bytes::from(format!("{{\"block\":{block}}}\n"));
        self.store()
            .create_once(&self.paths().tombstone(block), text)
            .await
    }

    /// Deletes the segments of a block whose tombstone is a day old at `now` (the store's time, see
    /// [`crate::ObjectInfo::modified`]), last segment first. Returns how many were there.
    ///
    /// # Errors
    /// `Invalid` without a tombstone that old.
    pub async fn delete_block(&self, block: u64, now: Timestamp) -> Result<u64, LogError> {
        let tombstone = self.store().head(&self.paths().tombstone(block)).await?;
        let grace = u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX);
        if tombstone.is_none_or(|found| now.ms_since(found.modified) < grace) {
            return Err(LogError::invalid(
                format!("block {block} has no tombstone that is a day old"),
                "lay the tombstone first and come back a day later: writers may stall that long",
            ));
        }
        let mut deleted = 0;
        for segment in (first_of_block(block)..(block + 1) * BLOCK).rev() {
            let path = self.paths().segment(segment);
            if self.store().head(&path).await?.is_some() {
                self.store().delete(&path).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}
