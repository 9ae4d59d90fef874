//! The shell's one clock. Everything else takes `now` as a parameter.

use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arco_core::Timestamp;
use arco_log::{BootClock, SystemBootClock};

/// Wall time for what people read, boot time for what must not jump.
pub trait Clock: BootClock + Debug {
    /// Wall time.
    fn wall(&self) -> Timestamp;
}

/// The machine's clocks.
#[derive(Debug, Default)]
pub struct SystemClock(SystemBootClock);

impl BootClock for SystemClock {
    fn now(&self) -> Duration {
        self.0.now()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is handed"
    )]
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
