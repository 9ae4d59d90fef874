//! After a stop of everything: which of the instants that passed are fired, and why the others are not
//! (D-1, S-34).

use arco_core::Timestamp;
use arco_core::definitions::{CatchUpPolicy, Schedule};
use arco_core::event::MissedReason;

/// An instant this late is a missed one under the policy `skip`: longer than any pause of a healthy
/// control plane, shorter than the least interval of a cron.
pub const LATE_MS: u64 = 60_000;

/// Instants recorded as missed in one step. A cron of every minute makes half a million a year; what
/// is left waits for the next step.
pub const MISSED_MAX: usize = 10_000;

/// An unbroken series of instants that are never fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: MissedReason,
}

/// What is to be done about the instants after `settled` up to `now`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overdue {
    /// Those before the one that is fired, in order; none if there is none.
    pub missed: Vec<Missed>,
    /// The one that is fired next.
    pub fire: Option<Timestamp>,
}

/// Judges the instants after `settled` up to `now`. Later ones do not exist yet, whatever follows.
#[must_use]
pub fn overdue(schedule: &Schedule, settled: Timestamp, now: Timestamp) -> Overdue {
    if now <= settled {
        return Overdue::default();
    }
    let policy = schedule.def().catch_up.policy;
    let window = schedule.def().catch_up.window_seconds;
    let oldest = window.map_or(Timestamp(i64::MIN), |seconds| {
        minus_ms(now, seconds.saturating_mul(1000))
    });
    let fire = match policy {
        CatchUpPolicy::Skip => {
            let on_time = minus_ms(now, LATE_MS - 1).max(oldest);
            first_in(schedule, on_time.max(settled.plus_ms(1)), now)
        }
        CatchUpPolicy::Latest => newest(schedule, 1, oldest.max(settled.plus_ms(1)), now),
        CatchUpPolicy::All => {
            let many = usize::try_from(schedule.def().catch_up.max_ticks).unwrap_or(usize::MAX);
            newest(schedule, many, oldest.max(settled.plus_ms(1)), now)
        }
    };
    let reason = |instant: Timestamp| match policy {
        _ if instant < oldest => MissedReason::OutsideWindow,
        CatchUpPolicy::Skip => MissedReason::Late,
        CatchUpPolicy::Latest => MissedReason::NotLatest,
        CatchUpPolicy::All => MissedReason::OverMaxTicks,
    };
    let before_fire = schedule
        .cron()
        .instants_from(settled.plus_ms(1))
        .take_while(|instant| *instant <= now && fire.is_none_or(|fire| *instant < fire));
    let (missed, all) = series(before_fire, reason);
    Overdue {
        missed,
        fire: fire.filter(|_| all),
    }
}

/// Instants as series of one reason each; false when there are more than one step records.
fn series(
    instants: impl Iterator<Item = Timestamp>,
    reason: impl Fn(Timestamp) -> MissedReason,
) -> (Vec<Missed>, bool) {
    let mut out: Vec<Missed> = Vec::new();
    for (n, instant) in instants.enumerate() {
        if n == MISSED_MAX {
            return (out, false);
        }
        let reason = reason(instant);
        match out.last_mut() {
            Some(last) if last.reason == reason => {
                last.last = instant;
                last.count += 1;
            }
            _ => out.push(Missed {
                first: instant,
                last: instant,
                count: 1,
                reason,
            }),
        }
    }
    (out, true)
}

fn first_in(schedule: &Schedule, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
    let first = schedule.cron().instants_from(from).next();
    first.filter(|instant| *instant <= to)
}

/// The oldest of the newest `many` instants.
fn newest(schedule: &Schedule, many: usize, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
    schedule
        .cron()
        .instants_before(to)
        .take(many)
        .take_while(|instant| *instant >= from)
        .last()
}

fn minus_ms(at: Timestamp, ms: u64) -> Timestamp {
    Timestamp(at.0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX)))
}
