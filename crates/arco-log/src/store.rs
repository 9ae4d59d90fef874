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

mod local;

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arco_core::Timestamp;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::error::LogError;

/// Five seconds: the slowest honest answer of S3 to a small put is well under one; longer waits only
/// delay the look that settles it.
pub(crate) const PUT_TIMEOUT: Duration = Duration::from_secs(5);
/// Reads may be larger than segments (blobs, snapshots), so they get longer.
pub(crate) const GET_TIMEOUT: Duration = Duration::from_secs(60);
/// Four tries with 50, 100 and 200 ms between them ride out a hiccup; more is an outage, which is
/// for the caller to report.
const READ_TRIES: u32 = 4;

/// An object store, seen through what a log needs. Clones share the store.
#[derive(Debug, Clone)]
pub struct LogStore {
    inner: Arc<dyn ObjectStore>,
    folder: Option<Arc<PathBuf>>,
    name: Arc<str>,
    put_timeout: Duration,
    get_timeout: Duration,
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
    /// Opens the store at `url`: `memory:`, `file:/path` or a path. A folder is made if need be.
    ///
    /// # Errors
    /// `Invalid` for a scheme this build has no store for; `Unavailable` when the folder cannot be
    /// made.
    pub fn open(url: &str) -> Result<Self, LogError> {
        Self::parse(url, true)
    }

    /// As [`Self::open`], but the folder must be there: for commands that only read.
    ///
    /// # Errors
    /// As [`Self::open`], and `Invalid` when there is no such folder.
    pub fn open_existing(url: &str) -> Result<Self, LogError> {
        Self::parse(url, false)
    }

    fn parse(url: &str, make: bool) -> Result<Self, LogError> {
        let supported = "this build supports `memory:`, `file:/path` and a plain path";
        let path = match url.split_once(':') {
            Some(("memory", rest)) if rest.trim_matches('/').is_empty() => {
                return Ok(Self::memory());
            }
            Some(("file", rest)) => rest.strip_prefix("//").unwrap_or(rest),
            // One letter would be a drive, not a scheme; a slash before the colon is a path.
            Some((scheme, _)) if scheme.len() > 1 && !scheme.contains(['/', '.']) => {
                return Err(LogError::invalid(
                    format!("store `{url}` has the unknown scheme `{scheme}:`"),
                    supported,
                ));
            }
            _ => url,
        };
        if path.is_empty() {
            return Err(LogError::invalid(
                format!("store `{url}` names no folder"),
                supported,
            ));
        }
        Self::local(FilePath::new(path), make)
    }

    fn local(folder: &FilePath, make: bool) -> Result<Self, LogError> {
        if make {
            std::fs::create_dir_all(folder)
                .map_err(|e| LogError::unavailable("make folder", folder.display(), e))?;
        } else if !folder.is_dir() {
            return Err(LogError::invalid(
                format!("there is no folder `{}`", folder.display()),
                "name the folder that holds the state, such as `./.arco`",
            ));
        }
        // Without fsync a segment that was acknowledged can be a file of zeros after power loss.
        let inner = LocalFileSystem::new_with_prefix(folder)
            .map_err(|e| LogError::unavailable("open folder", folder.display(), e))?
            .with_fsync(true);
        let mut store = Self::new(Arc::new(inner));
        store.name = format!("file:{}", folder.display()).into();
        store.folder = Some(Arc::new(folder.to_path_buf()));
        Ok(store)
    }

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
            put_timeout: PUT_TIMEOUT,
            get_timeout: GET_TIMEOUT,
        }
    }

    /// With other deadlines for puts of small objects and for reads.
    #[must_use]
    pub fn with_timeouts(mut self, put: Duration, get: Duration) -> Self {
        self.put_timeout = put;
        self.get_timeout = get;
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

    /// Creates `path` with `bytes` if it is absent. `Ok` means durable and ours.
    ///
    /// # Errors
    /// [`Unsure`]: look at the object before believing anything.
    pub async fn create(&self, path: &Path, bytes: Bytes) -> Result<(), Unsure> {
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
        within(deadline, put).await.map(|_| ()).map_err(Unsure)
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
            match self.try_get(path).await {
                Ok(Some(found)) if found.bytes == bytes => {
                    return self.settle(path).await;
                }
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
        let put = self.inner.put(path, bytes.into());
        within(self.put_timeout, put)
            .await
            .map(|_| ())
            .map_err(|e| LogError::unavailable("write", path, e))
    }

    /// The object at `path`; `None` when there is none.
    ///
    /// # Errors
    /// `Unavailable` after a few tries.
    pub async fn get(&self, path: &Path) -> Result<Option<Bytes>, LogError> {
        Ok(self.fetch(path).await?.map(|found| found.bytes))
    }

    pub(crate) async fn fetch(&self, path: &Path) -> Result<Option<Fetched>, LogError> {
        self.reading(path, || self.try_get(path)).await
    }

    /// One try, for loops that have their own.
    pub(crate) async fn try_get(&self, path: &Path) -> object_store::Result<Option<Fetched>> {
        let read = async {
            let found = self.inner.get(path).await?;
            let modified = Timestamp(found.meta.last_modified.timestamp_millis());
            let bytes = found.bytes().await?;
            Ok(Fetched { bytes, modified })
        };
        absent_is_none(within(self.get_timeout, read).await)
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
            absent_is_none(within(self.get_timeout, read).await)
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
            let meta = absent_is_none(within(self.get_timeout, read).await)?;
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

    /// Deletes `path`; absent is fine.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn delete(&self, path: &Path) -> Result<(), LogError> {
        let deleted = within(self.put_timeout, self.inner.delete(path)).await;
        absent_is_none(deleted)
            .map(|_| ())
            .map_err(|e| LogError::unavailable("delete", path, e))
    }

    /// Large blobs and snapshots get a second more for each MiB: the slowest uplink worth using.
    fn put_deadline(&self, len: usize) -> Duration {
        self.put_timeout + Duration::from_secs(u64::try_from(len >> 20).unwrap_or(u64::MAX))
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
            if let Ok(value) = attempt().await {
                return Ok(value);
            }
            backoff.wait().await;
        }
        attempt()
            .await
            .map_err(|e| LogError::unavailable("read", path, e))
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

fn absent_is_none<T>(result: object_store::Result<T>) -> object_store::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits that double from 50 ms to two seconds.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self(Duration::from_millis(50))
    }

    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(2));
    }

    /// Waits, unless that would end past `deadline`; then answers false at once.
    pub(crate) async fn wait_until(&mut self, deadline: tokio::time::Instant) -> bool {
        if tokio::time::Instant::now() + self.0 > deadline {
            return false;
        }
        self.wait().await;
        true
    }
}

impl fmt::Display for LogStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests;
