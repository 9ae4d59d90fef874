//! The store's side of it: each request asks the plan for its fate and then meets it.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};

use super::{Fault, FaultStore, Op};

impl FaultStore {
    /// Puts once more, or for the first time, after a while. Whatever comes of it.
    fn put_later(&self, after: Duration, path: &Path, payload: PutPayload, options: PutOptions) {
        let (inner, path) = (self.inner.clone(), path.clone());
        self.late().spawn(async move {
            tokio::time::sleep(after).await;
            let _ = inner.put_opts(&path, payload, options).await;
        });
    }

    /// The part of a fate that all requests share: some fail, some wait, some never end.
    async fn meet(&self, op: Op) -> Result<Option<Fault>> {
        let fault = self.plan().next(op);
        match fault {
            Some(Fault::ErrorBefore) => Err(broken("503, nothing done")),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Delay(by)) => {
                tokio::time::sleep(by).await;
                Ok(None)
            }
            other => Ok(other),
        }
    }

    fn retime(&self, meta: &mut ObjectMeta) {
        if let Some(clock) = &self.plan().clock {
            let mut time = meta.last_modified;
            time -= Duration::from_millis(u64::try_from(time.timestamp_millis()).unwrap_or(0));
            meta.last_modified = time + Duration::from_millis(clock());
        }
    }
}

#[async_trait]
impl ObjectStore for FaultStore {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let create = options.mode == PutMode::Create;
        let op = if create { Op::Create } else { Op::Overwrite };
        let put = |options| self.inner.put_opts(path, payload.clone(), options);
        match self.meet(op).await? {
            Some(Fault::ErrorAfter) => {
                put(options).await?;
                Err(broken("503 after the work was done"))
            }
            Some(Fault::HangAfter) => {
                let _ = put(options).await;
                std::future::pending().await
            }
            Some(Fault::LandLater(after)) => {
                self.put_later(after, path, payload, options);
                Err(broken("connection reset"))
            }
            Some(Fault::ApplyAgain(after)) => {
                self.put_later(after, path, payload.clone(), options.clone());
                put(options).await
            }
            Some(Fault::ConflictNothing) if create => Err(Error::AlreadyExists {
                path: path.to_string(),
                source: "409 and nothing there".into(),
            }),
            Some(Fault::IgnoreCondition) => put(PutOptions::from(PutMode::Overwrite)).await,
            _ => put(options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.meet(Op::Overwrite).await?;
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let op = if options.head { Op::Head } else { Op::Get };
        let fault = self.meet(op).await?;
        let mut found = self.inner.get_opts(path, options).await?;
        self.retime(&mut found.meta);
        let spoil: fn(&mut Vec<u8>) = match fault {
            Some(Fault::ErrorAfter) => return Err(broken("503 after the work was done")),
            Some(Fault::HangAfter) => return std::future::pending().await,
            Some(Fault::Truncate) => |body| body.truncate(body.len() / 2),
            Some(Fault::Flip) => |body| {
                let middle = body.len() / 2;
                if let Some(byte) = body.get_mut(middle) {
                    *byte ^= 1;
                }
            },
            _ => return Ok(found),
        };
        let (meta, range, attributes) = (
            found.meta.clone(),
            found.range.clone(),
            found.attributes.clone(),
        );
        let mut body = found.bytes().await?.to_vec();
        spoil(&mut body);
        let body = futures::stream::once(async move { Ok(Bytes::from(body)) }).boxed();
        Ok(GetResult {
            payload: GetResultPayload::Stream(body),
            meta,
            range,
            attributes,
            extensions: Default::default(),
        })
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.meet(Op::Get).await?;
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        // A stream cannot wait for its fate here; a removal either fails or is done.
        match self.plan().next(Op::Delete) {
            Some(Fault::ErrorBefore) => {
                futures::stream::once(async { Err(broken("503, nothing done")) }).boxed()
            }
            _ => self.inner.delete_stream(paths),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.plan().next(Op::List) {
            Some(Fault::ErrorBefore) => {
                futures::stream::once(async { Err(broken("503, nothing done")) }).boxed()
            }
            _ => self.inner.list(prefix),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.meet(Op::List).await?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.meet(Op::Overwrite).await?;
        self.inner.copy_opts(from, to, options).await
    }
}

fn broken(what: &'static str) -> Error {
    Error::Generic {
        store: "FaultStore",
        source: what.into(),
    }
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultStore({})", self.inner)
    }
}
