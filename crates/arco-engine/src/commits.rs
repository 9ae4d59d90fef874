//! Wakes those inside the engine who wait for commits, first come, first woken.
//!
//! `tokio::sync::watch` wakes its waiters in an order it draws at random, and then one seed would be
//! many histories: which of two waiting hosts is given the task that became ready would be luck.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// What both ends share: how often something was committed, or [`ENDED`].
#[derive(Debug, Default)]
struct Shared {
    count: AtomicU64,
    notify: Notify,
}

const ENDED: u64 = u64::MAX;

/// The committer's end.
#[derive(Debug, Default)]
pub(crate) struct Announcer(Arc<Shared>);

/// A waiter's end. A clone has seen what its original had seen.
#[derive(Debug, Clone)]
pub(crate) struct Commits {
    shared: Arc<Shared>,
    seen: u64,
}

/// The committer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended;

impl Announcer {
    pub(crate) fn announce(&self) {
        self.0.count.fetch_add(1, Ordering::Release);
        self.0.notify.notify_waiters();
    }

    pub(crate) fn commits(&self) -> Commits {
        Commits {
            shared: Arc::clone(&self.0),
            seen: 0,
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.0.count.store(ENDED, Ordering::Release);
        self.0.notify.notify_waiters();
    }
}

impl Commits {
    /// What was committed up to here is seen. Call it before looking at the view.
    pub(crate) fn look(&mut self) {
        self.seen = self.shared.count.load(Ordering::Acquire);
    }

    /// Waits until something was committed since the last look.
    pub(crate) async fn changed(&self) -> Result<(), Ended> {
        loop {
            let notified = self.shared.notify.notified();
            match self.shared.count.load(Ordering::Acquire) {
                ENDED => return Err(Ended),
                now if now != self.seen => return Ok(()),
                _ => notified.await,
            }
        }
    }
}

#[cfg(test)]
mod tests;
