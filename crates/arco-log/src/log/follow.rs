//! Reading the segment after the last one known.
//!
//! Read first: GET N+1. Then, unless a proof is fresh, the tombstone of its block, *whether or not
//! the GET found something*: a found object may be an orphan that a stalled writer put into a slot
//! that was deleted, an empty slot may be one whose segment is gone. (The other order would leave a
//! gap in which the block is trimmed between the look and the read.)

use arco_core::Digest;

use super::Log;
use crate::error::LogError;
use crate::segment::{DecodeContext, Segment, decode};
use crate::store::Fetched;

impl Log {
    /// Segment `next`, or `None` at the tail. `prev` is the digest of the segment before.
    ///
    /// # Errors
    /// `Reload` when the log was trimmed past `next`; `Corrupt`, `TooNew`, `Unavailable`.
    pub async fn follow(&self, next: u64, prev: Digest) -> Result<Option<Segment>, LogError> {
        let asked = self.now();
        let found = self.fetch_segment(next).await?;
        self.confirm_live(next).await?;
        let Some(segment) = found else {
            self.prove(next, asked);
            return Ok(None);
        };
        self.check_link(&segment, prev)?;
        if segment.header.writer != self.writer() {
            self.store().settle(&self.paths().segment(next)).await?;
        }
        self.learn(&segment);
        Ok(Some(segment))
    }

    /// Segment `number` with its blobs, not yet believed: neither its link nor its block is checked.
    pub(super) async fn fetch_segment(&self, number: u64) -> Result<Option<Segment>, LogError> {
        let path = self.paths().segment(number);
        let Some(fetched) = self.store().get_small(&path).await? else {
            return Ok(None);
        };
        let mut segment = match self.decode_segment(number, &fetched) {
            // A body cut short on the way looks like a damaged object: read again before saying so.
            Err(LogError::Corrupt { .. }) => match self.store().get_small(&path).await? {
                Some(again) => self.decode_segment(number, &again)?,
                None => return Ok(None),
            },
            decoded => decoded?,
        };
        self.hydrate(&mut segment).await?;
        Ok(Some(segment))
    }

    pub(super) fn decode_segment(
        &self,
        number: u64,
        fetched: &Fetched,
    ) -> Result<Segment, LogError> {
        let path = self.paths().segment(number);
        let context = DecodeContext {
            object: path.as_ref(),
            workspace: self.paths().name(),
            segment: number,
            reader: self.inner.options.reader,
            stored_at: fetched.modified,
        };
        decode(&fetched.bytes, context)
    }

    pub(super) fn check_link(&self, segment: &Segment, prev: Digest) -> Result<(), LogError> {
        if segment.header.prev == prev {
            return Ok(());
        }
        Err(LogError::corrupt(
            self.paths().segment(segment.number()),
            format!(
                "it follows a segment with digest {} and the one before it has {}",
                segment.header.prev.short(),
                prev.short()
            ),
        ))
    }

    /// What a believed segment teaches the handle.
    pub(super) fn learn(&self, segment: &Segment) {
        let mut volatile = self.volatile();
        if let Some(snapshot) = segment.header.snapshot {
            volatile.remembered.note(snapshot);
            let published = &mut volatile.remembered.published;
            *published = (*published).max(Some(snapshot));
        }
        // The slot is settled for ever, so no attempt at it is outstanding any more.
        volatile.outstanding = volatile.outstanding.split_off(&(segment.number() + 1));
    }
}
