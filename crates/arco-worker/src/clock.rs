//! The two clocks of the host, both read from the kernel by name.
//!
//! Deadlines are on `CLOCK_BOOTTIME`: it runs on while the machine sleeps, as the control plane's
//! clock does. `CLOCK_MONOTONIC` (which `std::time::Instant` reads) stops in sleep, so a laptop that
//! wakes up would believe in leases that others have long taken; the wall clock can be set back.
//! Waiting itself (`tokio::time::sleep`) is on the monotonic clock, so long waits are cut in pieces
//! and the boot-time clock is read again ([`Boottime::nap`]).

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// The longest single wait before the boot-time clock is read again. After the machine slept, a
/// deadline that passed meanwhile is noticed at most this late.
const NAP_MS_MAX: u64 = 500;

/// Nanoseconds since boot, sleep included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Boottime(u64);

impl Boottime {
    /// Long past.
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) fn now() -> Self {
        Self(read(ClockId::CLOCK_BOOTTIME))
    }

    pub(crate) fn as_ns(self) -> u64 {
        self.0
    }

    pub(crate) fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000_000)))
    }

    pub(crate) fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms.saturating_mul(1_000_000)))
    }

    /// Time from `earlier` to here; zero when it is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// How long to sleep towards this moment before looking at the clock again.
    pub(crate) fn nap(self, now: Self) -> Duration {
        self.since(now).min(Duration::from_millis(NAP_MS_MAX))
    }
}

/// Milliseconds since the epoch, for people and for ids; nothing is decided by it.
pub(crate) fn wall_ms() -> u64 {
    read(ClockId::CLOCK_REALTIME) / 1_000_000
}

fn read(clock: ClockId) -> u64 {
    let time = clock_gettime(clock).expect("Linux has had both clocks since 2.6.39");
    let sec = u64::try_from(time.tv_sec()).unwrap_or(0);
    let nsec = u64::try_from(time.tv_nsec()).unwrap_or(0);
    sec * 1_000_000_000 + nsec
}
