//! Logs of attempts: read from the child's descriptors, bounded, uploaded in chunks.
//!
//! ```text
//! child fd 1 ──pipe──┐
//! child fd 2 ──pipe──┤ Capture ── buffers ── uploader ── PUT …/attempts/{a}/logs/{stream}/{n}
//! logging ──records──┘  (reads)   (bounded)   (one a time)
//! ```
//!
//! Reading never waits for uploading, so a body that prints is never held up by the network. The
//! report that a task is finished never waits for either. An attempt that said nothing makes no
//! call at all.

mod buffer;
mod capture;

use std::sync::Arc;
use std::time::Duration;

use arco_core::AttemptId;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

pub(crate) use capture::Capture;

use crate::client::{CallError, Client};
use crate::clock::Boottime;
use crate::settings::Settings;

/// Uploads at once, of all attempts: enough to hide the network, few enough to leave the hot call
/// its share of a small control plane.
const UPLOADS_AT_ONCE: usize = 4;
/// A chunk that nobody took for so long is given up; the task itself does not depend on it.
const UPLOAD_MS_MAX: u64 = 120_000;
const BACKOFF_MS: [u64; 5] = [50, 200, 500, 1_000, 2_000];

/// Streams of an attempt, in the order they are numbered here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
    Log,
}

impl Stream {
    pub(crate) const ALL: [Self; 3] = [Self::Stdout, Self::Stderr, Self::Log];

    fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Log => "log",
        }
    }
}

/// Uploads logs for all attempts of a host.
#[derive(Debug, Clone)]
pub(crate) struct Uploads {
    client: Client,
    settings: Arc<Settings>,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Uploads {
    pub(crate) fn new(client: Client, settings: Arc<Settings>) -> Self {
        let permits = Arc::new(Semaphore::new(UPLOADS_AT_ONCE));
        Self {
            client,
            settings,
            permits,
            tasks: TaskTracker::new(),
        }
    }

    /// Runs something else that must be sent before the host ends.
    pub(crate) fn spawn(&self, sending: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(sending);
    }

    /// Waits until everything is uploaded, at most so long.
    pub(crate) async fn finish(&self, at_most: Duration) {
        self.tasks.close();
        if tokio::time::timeout(at_most, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                attempts = self.tasks.len(),
                "logs were not uploaded in time"
            );
        }
    }

    async fn put(
        &self,
        attempt: AttemptId,
        token: &str,
        stream: Stream,
        chunk: (u32, bytes::Bytes),
    ) {
        let (number, bytes) = chunk;
        let give_up = Boottime::now().plus_ms(UPLOAD_MS_MAX);
        for failures in 0.. {
            let answer = {
                let Ok(_permit) = self.permits.acquire().await else {
                    return;
                };
                self.client
                    .put_log(attempt, token, stream.as_str(), number, bytes.clone())
                    .await
            };
            match answer {
                Ok(()) => return,
                Err(CallError::Unavailable(why)) if Boottime::now() < give_up => {
                    tracing::debug!(%attempt, why, "log chunk is tried again");
                    let pause = BACKOFF_MS[usize::min(failures, BACKOFF_MS.len() - 1)];
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Err(error) => {
                    let stream = stream.as_str();
                    tracing::warn!(%attempt, stream, number, %error, "log chunk is lost");
                    return;
                }
            }
        }
    }
}
