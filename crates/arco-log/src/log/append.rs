//! The commit: one create-only put, and how to be sure of its outcome.
//!
//! | put | then GET of the slot | outcome |
//! |---|---|---|
//! | Ok | – | committed |
//! | anything else | our nonce | committed |
//! | anything else | a nonce of an earlier attempt of ours | lost to ourselves: apply it |
//! | anything else | another's nonce | lost: apply it, decide again |
//! | anything else | absent | the same bytes again after a wait, until time is up |
//! | time is up | – | unknown: it may land yet |
//!
//! Putting the same bytes again is safe because the slot takes one object and the nonce says whose.
//! Deciding anew while an old put is still in flight is safe too, as long as all nonces are kept. And
//! no row is believed before the block is known to be live (`trim.rs`).

use std::sync::atomic::Ordering;

use super::Log;
use crate::error::LogError;
use crate::segment::{Draft, EncodedSegment, Frame, Head, Segment, encode};
use crate::store::{Backoff, read_failed};

/// What became of a put.
#[derive(Debug)]
pub enum AppendOutcome {
    /// It is in the log, durably: the new head.
    Committed(Head),
    /// Another segment is in that slot: apply it and decide again.
    Lost {
        /// What is there.
        winner: Box<Segment>,
        /// It is an earlier attempt of this handle, whose outcome had been unknown.
        ours: bool,
    },
    /// The store gave no answer in time. The segment may be in the log, may land later, or never.
    /// Following the log tells.
    Unknown {
        /// The last thing that went wrong.
        cause: LogError,
    },
}

impl Log {
    /// Puts `draft` after its head: [`Self::encode`] and [`Self::put`] in one. One at a time.
    ///
    /// # Errors
    /// As those two.
    pub async fn append(&self, draft: Draft<'_>) -> Result<AppendOutcome, LogError> {
        let encoded = self.encode(draft)?;
        self.put(&encoded).await
    }

    /// Makes the bytes of a segment, under a fresh nonce.
    ///
    /// # Errors
    /// `Invalid` when the draft is empty or larger than a segment may be.
    pub fn encode(&self, draft: Draft<'_>) -> Result<EncodedSegment, LogError> {
        let number = self.inner.nonces.fetch_add(1, Ordering::Relaxed);
        let frame = Frame {
            workspace: self.paths().name(),
            writer: self.writer(),
            nonce: format!("{}.{number}", self.writer()),
            min_reader: self.inner.options.min_reader,
            snapshot: self.newest_snapshot(),
        };
        encode(&draft, frame)
    }

    /// Puts a segment and finds out what became of it. Costs one request when all is well. If this is
    /// dropped half-way the outcome is unknown, and a later put at the slot recognises it.
    ///
    /// # Errors
    /// `Reload` when the log was trimmed past the slot: whether this was applied before that is for
    /// the idempotency key in the recovered state to say. `Corrupt` or `TooNew` when what is in the
    /// slot cannot be read, in which case it is not known either. `Moved` when nothing was sent.
    pub async fn put(&self, segment: &EncodedSegment) -> Result<AppendOutcome, LogError> {
        self.store().holds()?;
        match self.put_surely(segment).await {
            // Something was sent, and may be in the folder wherever that is now.
            Err(cause @ LogError::Moved { .. }) => Ok(AppendOutcome::Unknown { cause }),
            settled => settled,
        }
    }

    async fn put_surely(&self, segment: &EncodedSegment) -> Result<AppendOutcome, LogError> {
        let slot = segment.head.segment;
        let path = self.paths().segment(slot);
        self.expect(segment.head);
        let deadline = tokio::time::Instant::now() + self.inner.options.give_up_after;
        let mut backoff = Backoff::new();
        // If a create of this call is the one that made the object, then at this instant the slot was
        // still empty and its block alive. An object merely found may be older: no proof.
        let asked = self.now();
        loop {
            let cause = match self.store().create(&path, segment.bytes.clone()).await {
                Ok(()) => match self.commit(segment).await {
                    Ok(committed) => {
                        self.prove(slot, asked);
                        return Ok(committed);
                    }
                    Err(error) if error.retryable() => error,
                    Err(error) => return Err(error),
                },
                Err(unsure) => {
                    if let Some(moved) = unsure.moved() {
                        return Err(moved.clone().into());
                    }
                    match self.look(segment).await {
                        Ok(Some(outcome)) => return Ok(outcome),
                        Ok(None) => LogError::unavailable("create", &path, unsure),
                        Err(error) if error.retryable() => error,
                        Err(error) => return Err(error),
                    }
                }
            };
            if !backoff.wait_until(deadline).await {
                return Ok(AppendOutcome::Unknown { cause });
            }
        }
    }

    /// Our object is in the slot.
    async fn commit(&self, segment: &EncodedSegment) -> Result<AppendOutcome, LogError> {
        let slot = segment.head.segment;
        self.confirm_live(slot).await?;
        let mut volatile = self.volatile();
        volatile.outstanding = volatile.outstanding.split_off(&(slot + 1));
        let published = &mut volatile.remembered.published;
        *published = (*published).max(segment.snapshot);
        Ok(AppendOutcome::Committed(segment.head))
    }

    async fn found_ours(&self, segment: &EncodedSegment) -> Result<AppendOutcome, LogError> {
        let path = self.paths().segment(segment.head.segment);
        self.store().settle(&path).await?;
        self.commit(segment).await
    }

    /// Who is in the slot? `None`: nobody.
    async fn look(&self, segment: &EncodedSegment) -> Result<Option<AppendOutcome>, LogError> {
        let slot = segment.head.segment;
        let path = self.paths().segment(slot);
        let found = self
            .store()
            .look(&path)
            .await
            .map_err(|e| read_failed(&path, e))?;
        let Some(found) = found else {
            // An empty slot of a trimmed block would take our bytes: look before trying again.
            self.confirm_live(slot).await?;
            return Ok(None);
        };
        if found.bytes == segment.bytes {
            return self.found_ours(segment).await.map(Some);
        }
        let winner = self.fetch_segment(slot).await?;
        self.confirm_live(slot).await?;
        let Some(winner) = winner else {
            return Ok(None);
        };
        if winner.digest == segment.head.digest {
            return self.found_ours(segment).await.map(Some);
        }
        let ours = self.is_outstanding(winner.head());
        self.store().settle(&path).await?;
        self.learn(&winner);
        Ok(Some(AppendOutcome::Lost {
            winner: Box::new(winner),
            ours,
        }))
    }

    /// Notes that an object of ours may appear in its slot. It is known by the digest of its text,
    /// which has the nonce in it: even a writer name used twice, against the rule, does not make
    /// another's segment ours.
    fn expect(&self, head: Head) {
        let mut volatile = self.volatile();
        let attempts = volatile.outstanding.entry(head.segment).or_default();
        if !attempts.contains(&head.digest) {
            attempts.push(head.digest);
        }
    }

    fn is_outstanding(&self, head: Head) -> bool {
        self.volatile()
            .outstanding
            .get(&head.segment)
            .is_some_and(|attempts| attempts.contains(&head.digest))
    }
}
