use std::sync::{Arc, Mutex};
use std::time::Duration;

use arco_core::Timestamp;
use arco_log::BootClock;

use super::TrustedClock;
use crate::clock::Clock;

/// Wall and boot-time clock, in milliseconds.
#[derive(Debug)]
struct Hands(Mutex<(i64, u64)>);

impl BootClock for Hands {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.lock().expect("a lock").1)
    }
}

impl Clock for Hands {
    fn wall(&self) -> Timestamp {
        Timestamp(self.0.lock().expect("a lock").0)
    }
}

const HOUR: i64 = 3_600_000;

/// What is believed after each (change of the wall, time that passes).
fn believed(steps: &[(i64, u64)]) -> Vec<(i64, bool)> {
    let hands = Arc::new(Hands(Mutex::new((HOUR * 1_000, 7))));
    let clock = TrustedClock::new(Arc::clone(&hands) as _);
    let mut out = Vec::new();
    for (set, passes) in steps {
        {
            let mut hands = hands.0.lock().expect("a lock");
            hands.0 += set + i64::try_from(*passes).expect("small");
            hands.1 += passes;
        }
        out.push((clock.wall().0 - HOUR * 1_000, clock.off_ms().is_none()));
    }
    out
}

#[test]
fn small_corrections_are_believed_and_add_up() {
    let steps = [(0, 1_000), (20_000, 1_000), (20_000, 1_000), (-25_000, 0)];
    let expected = [
        (1_000, true),
        (22_000, true),
        (43_000, true),
        (18_000, true),
    ];
    assert_eq!(believed(&steps), expected);
}

#[test]
fn a_jump_is_not_believed_and_time_goes_on_by_the_other_clock() {
    for jump in [HOUR, 24 * HOUR, -HOUR, 30_001, -30_001] {
        let steps = [(jump, 1_000), (0, 60_000), (-jump, 1_000), (0, 1_000)];
        let expected = [
            (1_000, false),
            (61_000, false),
            (62_000, true),
            (63_000, true),
        ];
        assert_eq!(believed(&steps), expected, "{jump}");
    }
}

#[test]
fn a_sleep_of_the_machine_is_no_jump() {
    assert_eq!(believed(&[(0, 86_400_000)]), [(86_400_000, true)]);
}
