//! Content named by digest: manifests, big metadata, partition lists. Durable before the segment
//! that cites it; fetched by the reader before the fold sees the event.

use arco_core::Digest;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::Log;
use crate::error::LogError;
use crate::segment::{Blobs, Segment};

/// Blobs of one segment fetched at once; segments are fetched side by side already.
const PARALLEL: usize = 8;

impl Log {
    /// Makes `bytes` durable and returns their name. Safe to repeat.
    ///
    /// # Errors
    /// `Corrupt` when an object of that name holds something else; `Unavailable`.
    pub async fn put_blob(&self, bytes: Bytes) -> Result<Digest, LogError> {
        let digest = Digest::of(&bytes);
        let path = self.paths().blob(&digest);
        match self.store().create_once(&path, bytes).await {
            Ok(()) => Ok(digest),
            Err(LogError::Conflict { problem, .. }) => Err(LogError::corrupt(&path, problem)),
            Err(error) => Err(error),
        }
    }

    /// The content of a blob.
    ///
    /// # Errors
    /// `Corrupt`, naming it, when it is missing or holds something else.
    pub async fn get_blob(&self, digest: &Digest) -> Result<Bytes, LogError> {
        let path = self.paths().blob(digest);
        // A body cut short on the way looks like a damaged object: read again before saying so.
        for _ in 0..2 {
            let Some(bytes) = self.store().get(&path).await? else {
                return Err(LogError::corrupt(
                    &path,
                    "it is missing and an event of the log needs it",
                ));
            };
            if Digest::of(&bytes) == *digest {
                return Ok(bytes);
            }
        }
        Err(LogError::corrupt(
            &path,
            "its content is not what its name says",
        ))
    }

    pub(super) async fn hydrate(&self, segment: &mut Segment) -> Result<(), LogError> {
        let mut named: Vec<Digest> = segment
            .events
            .iter()
            .flat_map(|event| event.blobs.iter().copied())
            .collect();
        if named.is_empty() {
            return Ok(());
        }
        named.sort_unstable();
        named.dedup();
        let fetched: Vec<(Digest, Bytes)> = futures::stream::iter(named)
            .map(|digest| async move { Ok::<_, LogError>((digest, self.get_blob(&digest).await?)) })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        segment.blobs = Blobs(fetched.into_iter().collect());
        Ok(())
    }
}
