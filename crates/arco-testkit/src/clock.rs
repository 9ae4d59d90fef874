//! Clocks that tests move.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arco_core::Timestamp;
use arco_engine::clock::Clock;
use arco_log::BootClock;

/// 2026-01-05T00:00:00Z, a Monday: when tests begin unless they say otherwise.
pub const START: Timestamp = Timestamp(1_767_571_200_000);

/// A clock that stands still until it is moved. Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Times>>);

#[derive(Debug, Clone, Copy)]
struct Times {
    wall: Timestamp,
    boot: Duration,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::at(START)
    }
}

impl ManualClock {
    /// A clock that shows `wall`.
    #[must_use]
    pub fn at(wall: Timestamp) -> Self {
        let boot = Duration::from_secs(1_000);
        Self(Arc::new(Mutex::new(Times { wall, boot })))
    }

    /// Lets `by` pass on both clocks.
    pub fn advance(&self, by: Duration) {
        let mut times = self.times();
        times.boot += by;
        times.wall = times
            .wall
            .plus_ms(u64::try_from(by.as_millis()).unwrap_or(u64::MAX));
    }

    /// Sets the wall clock alone, as a person or a time server does.
    pub fn set_wall(&self, wall: Timestamp) {
        self.times().wall = wall;
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BootClock for ManualClock {
    fn now(&self) -> Duration {
        self.times().boot
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        self.times().wall
    }
}

/// A clock that goes with the runtime's time, which a paused runtime moves from timer to timer. Each
/// machine of a simulation has one: they began at different times, go at different rates, and their
/// wall clocks disagree.
#[derive(Debug, Clone)]
pub struct RuntimeClock {
    started: tokio::time::Instant,
    /// Millionths this clock goes fast; negative for slow.
    drift_ppm: i64,
    boot: Duration,
    wall: Timestamp,
    moved: Arc<Moved>,
}

/// By how much the hands were moved. Clones of a clock share it: they are one clock.
#[derive(Debug, Default)]
struct Moved {
    wall_ms: AtomicI64,
    both_ms: AtomicU64,
}

impl RuntimeClock {
    /// A clock that shows `wall` and `boot` now.
    #[must_use]
    pub fn new(wall: Timestamp, boot: Duration, drift_ppm: i64) -> Self {
        Self {
            started: tokio::time::Instant::now(),
            drift_ppm,
            boot,
            wall,
            moved: Arc::default(),
        }
    }

    /// Sets the wall clock this far off what it would show, as people and time servers do; 0 sets it right.
    pub fn set_wall_off(&self, ms: i64) {
        self.moved.wall_ms.store(ms, Ordering::Relaxed);
    }

    /// Both hands move on by `time` at once: time that nobody lived through.
    pub fn skip(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.moved.both_ms.fetch_add(ms, Ordering::Relaxed);
    }

    fn passed(&self) -> Duration {
        let real = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        let mine = real + real / 1_000_000 * self.drift_ppm;
        let skipped = Duration::from_millis(self.moved.both_ms.load(Ordering::Relaxed));
        Duration::from_micros(u64::try_from(mine).unwrap_or(0)) + skipped
    }
}

impl BootClock for RuntimeClock {
    fn now(&self) -> Duration {
        self.boot + self.passed()
    }
}

impl Clock for RuntimeClock {
    fn wall(&self) -> Timestamp {
        let right = self
            .wall
            .plus_ms(u64::try_from(self.passed().as_millis()).unwrap_or(0));
        let off = self.moved.wall_ms.load(Ordering::Relaxed);
        Timestamp(right.0.saturating_add(off))
    }
}
