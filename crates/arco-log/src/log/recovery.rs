//! The segments of a recovery, as they come: fetched side by side, handed out in order, believed at
//! the end.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use arco_core::Digest;
use futures::StreamExt;
use futures::stream::BoxStream;

use super::Log;
use crate::error::LogError;
use crate::segment::{Head, Segment};

/// The segments a recovery still has to fold.
pub struct Recovery {
    log: Log,
    start: Head,
    target: u64,
    at: u64,
    prev: Digest,
    segments: BoxStream<'static, Result<Option<Segment>, LogError>>,
}

impl Recovery {
    pub(super) fn new(log: Log, start: Head, target: u64) -> Self {
        let reader = log.clone();
        let segments = futures::stream::iter(start.segment + 1..=target)
            .map(move |number| {
                let log = reader.clone();
                // Tasks, so that decoding runs beside the fold; joined by the stream, ended with it.
                Joined(tokio::spawn(async move { log.fetch_segment(number).await }))
            })
            .buffered(log.inner.options.parallel_gets)
            .boxed();
        Self {
            log,
            start,
            target,
            at: start.segment,
            prev: start.digest,
            segments,
        }
    }

    /// What the accepted snapshot covers; the genesis when there was none.
    #[must_use]
    pub fn start(&self) -> Head {
        self.start
    }

    /// The last segment there is to fold, for showing progress.
    #[must_use]
    pub fn target(&self) -> u64 {
        self.target
    }

    /// The head after what has been returned so far.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            segment: self.at,
            digest: self.prev,
        }
    }

    /// The next segment to fold; `None` when all are folded and may be believed. Go on with
    /// [`Log::follow`] then.
    ///
    /// # Errors
    /// `Reload` when what was folded may be what a trim left behind: drop it and recover again.
    pub async fn next(&mut self) -> Result<Option<Segment>, LogError> {
        let first = self.start.segment + 1;
        let segment = match self.segments.next().await {
            Some(segment) => segment?,
            None => {
                self.log.look_last(first).await?;
                return Ok(None);
            }
        };
        let Some(segment) = segment else {
            self.log.look_last(first).await?;
            return Err(LogError::corrupt(
                self.log.paths().segment(self.at + 1),
                "it is missing and later ones are there",
            ));
        };
        self.log.check_link(&segment, self.prev)?;
        self.log.learn(&segment);
        self.at = segment.number();
        self.prev = segment.digest;
        Ok(Some(segment))
    }
}

impl std::fmt::Debug for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recovery")
            .field("start", &self.start)
            .field("target", &self.target)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A task that ends with its owner.
struct Joined(tokio::task::JoinHandle<Result<Option<Segment>, LogError>>);

impl Future for Joined {
    type Output = Result<Option<Segment>, LogError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| {
            joined.unwrap_or_else(|error| Err(LogError::unavailable("decode", "a segment", error)))
        })
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.0.abort();
    }
}
