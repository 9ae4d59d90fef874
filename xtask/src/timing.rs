//! The one place of the commands that looks at the clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Measures from when it was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(
        clippy::disallowed_methods,
        reason = "commands of the repository measure real time; nothing here is replayed"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// Milliseconds since the start, with their fraction.
    pub(crate) fn elapsed_ms(self) -> f64 {
        self.elapsed().as_secs_f64() * 1e3
    }
}

/// Milliseconds since the minute began, by the wall clock.
#[expect(
    clippy::disallowed_methods,
    reason = "what is due at a minute of the wall clock is measured by it"
)]
pub(crate) fn ms_of_minute() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis() % 60_000).unwrap_or(0)
}

/// Calls `probe` every `pause` until it gives a value; `None` once `patience` is over.
pub(crate) fn poll<T>(
    patience: Duration,
    pause: Duration,
    mut probe: impl FnMut() -> Option<T>,
) -> Option<T> {
    let watch = Stopwatch::start();
    loop {
        if let Some(value) = probe() {
            return Some(value);
        }
        if watch.elapsed() >= patience {
            return None;
        }
        std::thread::sleep(pause);
    }
}
