//! News of output: the server that takes an upload wakes those who follow its run.
//!
//! ```text
//! PUT …/logs/{stream}/{chunk} ──► store ──► LogNews ──► follower of the run ──► reads the store
//! ```
//!
//! News name a chunk and carry none of it: a follower reads when its client has room, so a slow
//! one holds nothing. News may be lost (a follower that lags, an upload through another replica);
//! the follower also looks at the store now and then, so that costs time and no output.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arco_core::{AttemptId, RunId};
use arco_wire::api::LogStream;
use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::limits;

#[cfg(test)]
mod tests;

/// A chunk is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uploaded {
    pub(crate) attempt: AttemptId,
    pub(crate) stream: LogStream,
    pub(crate) chunk: u64,
}

/// What a follower hears.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    Uploaded(Uploaded),
    /// So much was uploaded since it last listened that it has to look for itself.
    Missed,
}

type Runs = Mutex<HashMap<RunId, Sender<Uploaded>>>;

/// The followers of a workspace.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogNews(Arc<Runs>);

impl LogNews {
    /// Wakes the followers of the attempt's run, if there are any. Never waits.
    pub(crate) fn uploaded(&self, attempt: AttemptId, stream: LogStream, chunk: u64) {
        if let Some(sender) = lock(&self.0).get(&attempt.run) {
            // It fails when the last of them is just leaving.
            let _ = sender.send(Uploaded {
                attempt,
                stream,
                chunk,
            });
        }
    }

    /// Begins to listen.
    pub(crate) fn follow(&self, run: RunId) -> Following {
        let receiver = lock(&self.0)
            .entry(run)
            .or_insert_with(|| broadcast::channel(limits::UPLOADS_ANNOUNCED).0)
            .subscribe();
        Following {
            runs: Arc::clone(&self.0),
            run,
            receiver: Some(receiver),
        }
    }
}

fn lock(runs: &Runs) -> MutexGuard<'_, HashMap<RunId, Sender<Uploaded>>> {
    runs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One follower of one run; it leaves by being dropped.
#[derive(Debug)]
pub(crate) struct Following {
    runs: Arc<Runs>,
    run: RunId,
    /// `None` only while it leaves.
    receiver: Option<Receiver<Uploaded>>,
}

impl Following {
    /// Waits for news. Safe to drop.
    pub(crate) async fn next(&mut self) -> News {
        match &mut self.receiver {
            Some(receiver) => match receiver.recv().await {
                Ok(uploaded) => News::Uploaded(uploaded),
                Err(_) => News::Missed,
            },
            None => News::Missed,
        }
    }

    /// News that are here already.
    pub(crate) fn ready(&mut self) -> Option<News> {
        use broadcast::error::TryRecvError;
        match self.receiver.as_mut()?.try_recv() {
            Ok(uploaded) => Some(News::Uploaded(uploaded)),
            Err(TryRecvError::Lagged(_)) => Some(News::Missed),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut runs = lock(&self.runs);
        // Under the lock: of two that leave at once, the second must see that it is the last.
        self.receiver = None;
        if runs
            .get(&self.run)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            runs.remove(&self.run);
        }
    }
}
