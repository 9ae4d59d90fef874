//! The few things the log asks of an object store, and what their answers are worth.
//!
//! Everything is built on create-only put and get, so that a local folder, S3, GCS, Azure Blob and
//! memory run the same code: no object is ever compared and swapped. Two rules shape this module:
//!
//! - **A failed create proves nothing.** A put that committed and then answered 503 comes back as
//!   "already exists" for our own object; a 409 with nothing written does too. So [`LogStore::create`]
//!   answers `Ok` or [`Unsure`], and only a look at the object settles it.
//! - **Every call has a deadline**, reads are repeated a few times, the create on the commit path
//!   never is (its caller owns that loop).

mod anchor;
mod backoff;
mod local;
mod open;

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arco_core::Timestamp;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::error::LogError;

pub(crate) use anchor::Moved;
pub(crate) use backoff::Backoff;

use anchor::{Anchor, moved};

/// For requests that move at most a segment. Five seconds: the slowest honest answer of S3 to them is
/// well under one; longer waits only delay the look that settles it.
const SMALL_TIMEOUT: Duration = Duration::from_secs(5);
/// For reads of blobs, snapshots and history, which may be a hundred times that.
const LARGE_TIMEOUT: Duration = Duration::from_secs(60);
/// Four tries with 50, 100 and 200 ms between them ride out a hiccup; more is an outage, which is
/// for the caller to report.
const READ_TRIES: u32 = 4;

/// An object store, seen through what a log needs. Clones share the store.
#[derive(Debug, Clone)]
pub struct LogStore {
    inner: Arc<dyn ObjectStore>,
    folder: Option<Arc<PathBuf>>,
    anchor: Option<Arc<Anchor>>,
    name: Arc<str>,
    small_timeout: Duration,
    large_timeout: Duration,
}

/// A create that did not answer Ok. The object may be there or not, and may be ours or not.
#[derive(Debug, thiserror::Error)]
#[error("the store did not confirm the create")]
pub struct Unsure(#[source] object_store::Error);

impl Unsure {
    /// Whether the store at least claims that the object existed (which may be a lie; good for
    /// nothing but choosing how soon to look).
    #[must_use]
    pub fn claims_existing(&self) -> bool {
        matches!(
            self.0,
            object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }
        )
    }

    /// The folder is not the opened one any more.
    pub(crate) fn moved(&self) -> Option<&Moved> {
        moved(&self.0)
    }

    /// Whether the store says that it cannot do conditional puts at all.
    #[must_use]
    pub(crate) fn unsupported(&self) -> bool {
        matches!(
            self.0,
            object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }
        )
    }
}

/// What `head` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Bytes.
    pub size: u64,
    /// By the store's clock.
    pub modified: Timestamp,
}

/// What `get` brings.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub(crate) bytes: Bytes,
    pub(crate) modified: Timestamp,
}

#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
struct TimedOut(Duration);

impl LogStore {
    /// A new empty store in memory. Clones share it.
    #[must_use]
    pub fn memory() -> Self {
        let mut store = Self::new(Arc::new(InMemory::new()));
        store.name = "memory:".into();
        store
    }

    /// A log store over any object store. On cloud stores its client must not retry (the log's own
    /// loop looks at the object between tries; a client that repeats a create hides whose it is).
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            name: inner.to_string().into(),
            inner,
            folder: None,
            anchor: None,
            small_timeout: SMALL_TIMEOUT,
            large_timeout: LARGE_TIMEOUT,
        }
    }

    /// With other deadlines for requests that move little (segments, looks, puts) and for reads that
    /// may move much (blobs, snapshots, history).
    #[must_use]
    pub fn with_timeouts(mut self, small: Duration, large: Duration) -> Self {
        self.small_timeout = small;
        self.large_timeout = large;
        self
    }

    /// How the store calls itself, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder, when this is one. For locks and clean-up only: what is stored is reached through
    /// the other functions.
    #[must_use]
    pub fn local_folder(&self) -> Option<&FilePath> {
        self.folder.as_deref().map(PathBuf::as_path)
    }

    /// This store, as long as the object at `path`, which must be there, is the one it is now: of a
    /// folder that was moved away nothing is read, and nothing is written in its place. Stores other
    /// than a folder cannot be moved.
    pub(crate) fn anchored(mut self, path: &Path) -> Result<Self, LogError> {
        if let Some(folder) = self.local_folder() {
            let anchor =
                Anchor::new(folder, path).map_err(|e| LogError::unavailable("open", path, e))?;
            self.anchor = Some(Arc::new(anchor));
        }
        Ok(self)
    }

    /// Whether the folder is still the one that was opened.
    pub(crate) fn holds(&self) -> Result<(), Moved> {
        self.anchor.as_ref().map_or(Ok(()), |anchor| anchor.check())
    }

    /// Creates `path` with `bytes` if it is absent. `Ok` means durable and ours.
    ///
    /// # Errors
    /// [`Unsure`]: look at the object before believing anything.
    pub async fn create(&self, path: &Path, bytes: Bytes) -> Result<(), Unsure> {
        self.holds().map_err(|moved| Unsure(moved.into()))?;
        if self.folder.is_some() {
            // On a disk the loser of a race pays a full sync of its data first; a look is cheap.
            if let Ok(meta) = self.inner.head(path).await {
                return Err(Unsure(object_store::Error::AlreadyExists {
                    path: path.to_string(),
                    source: format!("{} bytes are there", meta.size).into(),
                }));
            }
        }
        let deadline = self.put_deadline(bytes.len());
        let options = PutOptions::from(PutMode::Create);
        let put = self.inner.put_opts(path, bytes.into(), options);
        within(deadline, put).await.map_err(Unsure)?;
        // Moved meanwhile: it may have been put in the old folder or in a new one.
        self.holds().map_err(|moved| {
            if let Some(anchor) = &self.anchor {
                anchor.take_back(path);
            }
            Unsure(moved.into())
        })
    }

    /// Creates `path` with `bytes`; finding the same bytes there already is success. For objects
    /// whose name says their content, and for those that only one writer names.
    ///
    /// # Errors
    /// `Conflict` when other bytes are there; `Unavailable` after about thirty seconds of trying.
    pub async fn create_once(&self, path: &Path, bytes: Bytes) -> Result<(), LogError> {
        let mut backoff = Backoff::new();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let Err(unsure) = self.create(path, bytes.clone()).await else {
                return Ok(());
            };
            if let Some(moved) = unsure.moved() {
                return Err(moved.clone().into());
            }
            let look = || self.try_get(path, self.put_deadline(bytes.len()));
            let mut found = look().await;
            if matches!(&found, Ok(Some(other)) if other.bytes != bytes) {
                // A body cut short on the way looks like another's object: read again.
                found = look().await;
            }
            match found {
                Ok(Some(found)) if found.bytes == bytes => return self.settle(path).await,
                Ok(Some(found)) => {
                    return Err(LogError::Conflict {
                        object: path.to_string(),
                        problem: format!(
                            "{} bytes are there and {} other ones were to be written",
                            found.bytes.len(),
                            bytes.len()
                        ),
                    });
                }
                Ok(None) | Err(_) => {}
            }
            if !backoff.wait_until(deadline).await {
                return Err(LogError::unavailable("create", path, unsure));
            }
        }
    }

    /// Replaces `path`. Only for the hint, which nobody trusts.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn overwrite(&self, path: &Path, bytes: Bytes) -> Result<(), LogError> {
        self.holds()?;
        let put = self.inner.put(path, bytes.into());
        within(self.small_timeout, put)
            .await
            .map(|_| ())
            .map_err(|e| LogError::unavailable("write", path, e))
    }

    /// The object at `path`; `None` when there is none.
    ///
    /// # Errors
    /// `Unavailable` after a few tries.
    pub async fn get(&self, path: &Path) -> Result<Option<Bytes>, LogError> {
        let read = || self.try_get(path, self.large_timeout);
        Ok(self.reading(path, read).await?.map(|found| found.bytes))
    }

    /// An object no larger than a segment.
    pub(crate) async fn get_small(&self, path: &Path) -> Result<Option<Fetched>, LogError> {
        self.reading(path, || self.look(path)).await
    }

    /// The same in one try, for loops of their own.
    pub(crate) async fn look(&self, path: &Path) -> object_store::Result<Option<Fetched>> {
        self.try_get(path, self.small_timeout).await
    }

    async fn try_get(
        &self,
        path: &Path,
        deadline: Duration,
    ) -> object_store::Result<Option<Fetched>> {
        let read = async {
            let found = self.inner.get(path).await?;
            let modified = Timestamp(found.meta.last_modified.timestamp_millis());
            let bytes = found.bytes().await?;
            Ok(Fetched { bytes, modified })
        };
        self.absent_is_none(within(deadline, read).await)
    }

    /// The bytes of `range` of the object at `path`.
    ///
    /// # Errors
    /// `Unavailable` after a few tries.
    pub async fn get_range(
        &self,
        path: &Path,
        range: Range<u64>,
    ) -> Result<Option<Bytes>, LogError> {
        self.reading(path, || async {
            let read = self.inner.get_range(path, range.clone());
            self.absent_is_none(within(self.large_timeout, read).await)
        })
        .await
    }

    /// Size and age of the object at `path`; `None` when there is none.
    ///
    /// # Errors
    /// `Unavailable` after a few tries.
    pub async fn head(&self, path: &Path) -> Result<Option<ObjectInfo>, LogError> {
        self.reading(path, || async {
            let read = self.inner.head(path);
            let meta = self.absent_is_none(within(self.small_timeout, read).await)?;
            Ok(meta.map(|meta| ObjectInfo {
                size: meta.size,
                modified: Timestamp(meta.last_modified.timestamp_millis()),
            }))
        })
        .await
    }

    /// Everything below `prefix`, sorted. For sweeps and `verify` only: lists are slow, cost ten
    /// reads, and lag on some stores.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(&self, prefix: &Path) -> Result<Vec<Path>, LogError> {
        let mut paths: Vec<Path> = self
            .inner
            .list(Some(prefix))
            .map_ok(|meta| meta.location)
            .try_collect()
            .await
            .map_err(|e| LogError::unavailable("list", prefix, e))?;
        paths.sort();
        Ok(paths)
    }

    /// The first object below `prefix` that is `wanted`, in no order. For the start of a log in a place
    /// that looks empty.
    pub(crate) async fn any_below(
        &self,
        prefix: &Path,
        wanted: impl Fn(&Path) -> bool,
    ) -> Result<Option<Path>, LogError> {
        self.reading(prefix, || async {
            let mut listed = self.inner.list(Some(prefix));
            let search = async {
                while let Some(meta) = listed.try_next().await? {
                    if wanted(&meta.location) {
                        return Ok(Some(meta.location));
                    }
                }
                Ok(None)
            };
            within(self.large_timeout, search).await
        })
        .await
    }

    /// Deletes `path`; absent is fine.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn delete(&self, path: &Path) -> Result<(), LogError> {
        self.holds()?;
        let deleted = within(self.small_timeout, self.inner.delete(path)).await;
        self.absent_is_none(deleted)
            .map(|_| ())
            .map_err(|e| LogError::unavailable("delete", path, e))
    }

    /// Large blobs and snapshots get a second more for each MiB: the slowest uplink worth using.
    fn put_deadline(&self, len: usize) -> Duration {
        self.small_timeout + Duration::from_secs(u64::try_from(len >> 20).unwrap_or(u64::MAX))
    }

    async fn reading<T, F>(
        &self,
        path: &Path,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, LogError>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let mut backoff = Backoff::new();
        for _ in 1..READ_TRIES {
            match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) if moved(&error).is_some() => return Err(read_failed(path, error)),
                Err(_) => backoff.wait().await,
            }
        }
        attempt().await.map_err(|error| read_failed(path, error))
    }

    /// "There is no such object" is true of the opened folder alone.
    fn absent_is_none<T>(
        &self,
        result: object_store::Result<T>,
    ) -> object_store::Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(object_store::Error::NotFound { .. }) => {
                self.holds()?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = object_store::Result<T>>,
) -> object_store::Result<T> {
    tokio::time::timeout(deadline, call)
        .await
        .unwrap_or_else(|_| {
            Err(object_store::Error::Generic {
                store: "LogStore",
                source: Box::new(TimedOut(deadline)),
            })
        })
}

/// A read that did not succeed.
pub(crate) fn read_failed(path: &Path, error: object_store::Error) -> LogError {
    match moved(&error) {
        Some(moved) => moved.clone().into(),
        None => LogError::unavailable("read", path, error),
    }
}

impl fmt::Display for LogStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests;
