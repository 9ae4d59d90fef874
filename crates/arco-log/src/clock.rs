//! The clock behind the one-hour shortcut of the trim checks.
//!
//! Rust's `Instant` stands still while the machine is suspended, so a laptop that slept for a day
//! would believe its proof to be seconds old. `CLOCK_BOOTTIME` counts the sleep.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Time since boot, suspend included. Only differences mean anything.
pub trait BootClock: Send + Sync + fmt::Debug {
    /// Time since boot.
    fn now(&self) -> Duration;
}

/// The machine's boot-time clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemBootClock;

impl BootClock for SystemBootClock {
    fn now(&self) -> Duration {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let clock = nix::time::ClockId::CLOCK_BOOTTIME;
        // On macOS the monotonic clock counts the sleep already.
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let clock = nix::time::ClockId::CLOCK_MONOTONIC;
        clock
            .now()
            .map(Duration::from)
            .expect("a clock every kernel has, read into a valid struct, cannot fail")
    }
}

/// A clock moved by hand, for tests and the simulation. Clones share the time.
#[derive(Debug, Clone, Default)]
pub struct ManualBootClock(Arc<Mutex<Duration>>);

impl ManualBootClock {
    /// Lets `by` pass.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl BootClock for ManualBootClock {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
