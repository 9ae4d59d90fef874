//! SIGSTOP and SIGCONT: those who come to a closed gate wait, and go on in the order they came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A gate. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<(AtomicBool, Notify)>);

impl Gate {
    pub(super) fn close(&self) {
        self.0.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn open(&self) {
        self.0.0.store(false, Ordering::Relaxed);
        self.0.1.notify_waiters();
    }

    pub(super) async fn pass(&self) {
        while self.0.0.load(Ordering::Relaxed) {
            self.0.1.notified().await;
        }
    }
}
