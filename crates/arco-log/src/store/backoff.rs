//! Waiting between tries.

use std::time::Duration;

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
