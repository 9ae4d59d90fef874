//! A clock that is believed as long as its two hands move together.
//!
//! People and time servers set the wall clock; the boot-time clock only goes on. When the wall has moved
//! by more than [`OFF_MAX_MS`] otherwise than the boot-time clock since it was last looked at, it is not
//! believed: time goes on by the boot-time clock, so that no event bears a time of the future and no
//! instant of it is due, and what time drives waits until the wall is back (DESIGN §6,
//! `docs/adr/0014-schedules.md`).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arco_core::Timestamp;
use arco_log::BootClock;

use crate::clock::Clock;

#[cfg(test)]
mod tests;

/// How far the wall may move otherwise than the boot-time clock between two looks. Time servers correct
/// by milliseconds, and after a long sleep by seconds.
const OFF_MAX_MS: u64 = 30_000;

/// A clock with a memory of when it was last right.
#[derive(Debug)]
pub(crate) struct TrustedClock {
    clock: Arc<dyn Clock>,
    last: Mutex<Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    wall: Timestamp,
    boot: Duration,
    /// Milliseconds by which the wall was ahead of what is believed; zero while it is believed.
    off_ms: i64,
}

impl TrustedClock {
    /// The clock is right now, as far as anyone can tell.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let last = Mutex::new(Last {
            wall: clock.wall(),
            boot: clock.now(),
            off_ms: 0,
        });
        Self { clock, last }
    }

    /// Milliseconds by which the wall clock is ahead of (or behind, negative) the time that is believed;
    /// `None` while it is believed.
    pub(crate) fn off_ms(&self) -> Option<i64> {
        let off_ms = self.look().1;
        (off_ms != 0).then_some(off_ms)
    }

    fn look(&self) -> (Timestamp, i64) {
        let mut last = self.last.lock().expect("no panic holds this lock");
        let (wall, boot) = (self.clock.wall(), self.clock.now());
        let passed = boot.saturating_sub(last.boot).as_millis();
        let believed = last.wall.plus_ms(u64::try_from(passed).unwrap_or(u64::MAX));
        let off_ms = wall.0.saturating_sub(believed.0);
        if off_ms.unsigned_abs() > OFF_MAX_MS {
            if last.off_ms == 0 {
                tracing::error!(
                    ahead_ms = off_ms,
                    "the wall clock was set: schedules wait until it is right again; if it is right now, start this process again"
                );
            }
            last.off_ms = off_ms;
            return (believed, off_ms);
        }
        if last.off_ms != 0 {
            tracing::info!("the wall clock is right again");
        }
        *last = Last {
            wall,
            boot,
            off_ms: 0,
        };
        (wall, 0)
    }
}

impl BootClock for TrustedClock {
    fn now(&self) -> Duration {
        self.clock.now()
    }
}

impl Clock for TrustedClock {
    /// The wall time that is believed.
    fn wall(&self) -> Timestamp {
        self.look().0
    }
}
