//! The one place of the commands that looks at the clock.

use std::time::{Duration, Instant};

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
