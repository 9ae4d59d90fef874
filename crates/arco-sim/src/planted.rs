//! Bugs put in on purpose: each must be found.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::sync::Arc;

/// A bug to plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Planted {
    /// None: what is built must hold.
    #[default]
    Nothing,
    /// The store says that it created an object, now and then, and did not.
    StoreForgets,
    /// The store replaces objects it should refuse to replace.
    StoreIgnoresConditions,
    /// Hosts go on past their deadline.
    HostIgnoresDeadline,
    /// User code sets its cursor back.
    CursorGoesBack,
    /// User code takes messages and does nothing about them.
    MessagesAreLost,
    /// Whoever sets a wall clock moves the boot-time clock too, so that nobody notices.
    ClocksAreBelieved,
    /// Schedules that are to catch up with all they missed are declared to take the latest.
    CatchesUpWithLittle,
}

/// A store that forgets every so many segments.
#[derive(Debug)]
pub(crate) struct Forgetful {
    pub(crate) inner: Arc<dyn ObjectStore>,
    pub(crate) creates: AtomicU64,
}

/// Rare enough for a start to succeed, often enough to happen in every run.
const EVERY: u64 = 40;

impl fmt::Display for Forgetful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Forgetful({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Forgetful {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let segment = options.mode == PutMode::Create && path.as_ref().contains("/log/");
        if segment && self.creates.fetch_add(1, Ordering::Relaxed) % EVERY == EVERY - 1 {
            return Ok(PutResult {
                e_tag: None,
                version: None,
                extensions: Default::default(),
            });
        }
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(path, options).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
