//! Windows that begin at the instants of a cron (P-3), when it is none of the plain rows.
//!
//! The instants are listed as they are asked for, in both directions from the first one, and kept. The
//! list is the same whoever asks first, so what is answered does not depend on it.

use std::sync::{PoisonError, RwLock};

use crate::Timestamp;
use crate::cron::CronSchedule;

/// The most instants that are listed in one direction; later windows are none. Ten million minutes are
/// nineteen years, and take 80 MB.
pub(in crate::partition) const LISTED_MAX: i64 = 10_000_000;

/// The instants of a cron, by slot.
#[derive(Debug)]
pub(super) struct Crons {
    schedule: CronSchedule,
    /// Slot 0.
    first: i64,
    listed: RwLock<Listed>,
}

#[derive(Debug, Default)]
struct Listed {
    /// Instants of slots 0, 1, 2, …
    forwards: Vec<i64>,
    /// Instants of slots -1, -2, …
    backwards: Vec<i64>,
}

impl Crons {
    pub(super) fn new(schedule: CronSchedule, start: i64) -> Self {
        let from = Timestamp(start.saturating_mul(1000));
        let first = schedule.instants_from(from).next();
        Self {
            first: first.map_or(start, |first| first.0.div_euclid(1000)),
            schedule,
            listed: RwLock::default(),
        }
    }

    pub(super) fn repeats_every_hour(&self) -> bool {
        self.schedule
            .crons()
            .iter()
            .all(|cron| cron.repeats_every_hour())
    }

    pub(super) fn same_as(&self, other: &Self) -> bool {
        // Slots are counted from the start, so rows with another start are not in step.
        self.first == other.first && self.schedule.crons() == other.schedule.crons()
    }

    pub(super) fn start(&self, slot: i64) -> i64 {
        let slot = slot.clamp(-LISTED_MAX, LISTED_MAX);
        if slot >= 0 {
            self.forwards(|listed| listed.len() as i64 > slot, |all| at(all, slot))
        } else {
            self.backwards(
                |listed| listed.len() as i64 >= -slot,
                |all| at(all, -slot - 1),
            )
        }
    }

    pub(super) fn floor(&self, instant: i64) -> i64 {
        if instant >= self.first {
            let reaches = |listed: &[i64]| listed.last().is_some_and(|last| *last > instant);
            self.forwards(reaches, |all| {
                all.partition_point(|at| *at <= instant) as i64 - 1
            })
        } else {
            let reaches = |listed: &[i64]| listed.last().is_some_and(|last| *last <= instant);
            self.backwards(reaches, |all| {
                -(all.partition_point(|at| *at > instant) as i64) - 1
            })
        }
    }

    /// Asks the instants from the first one on, once they are listed far enough.
    fn forwards(&self, is_enough: impl Fn(&[i64]) -> bool, ask: impl Fn(&[i64]) -> i64) -> i64 {
        let listed = self.listed.read().unwrap_or_else(PoisonError::into_inner);
        if is_enough(&listed.forwards) {
            return ask(&listed.forwards);
        }
        drop(listed);
        let mut listed = self.listed.write().unwrap_or_else(PoisonError::into_inner);
        let all = &mut listed.forwards;
        let from = all.last().map_or(self.first, |last| last + 1);
        let walk = self
            .schedule
            .instants_from(Timestamp(from.saturating_mul(1000)));
        extend(all, walk, is_enough);
        ask(all)
    }

    fn backwards(&self, is_enough: impl Fn(&[i64]) -> bool, ask: impl Fn(&[i64]) -> i64) -> i64 {
        let listed = self.listed.read().unwrap_or_else(PoisonError::into_inner);
        if is_enough(&listed.backwards) {
            return ask(&listed.backwards);
        }
        drop(listed);
        let mut listed = self.listed.write().unwrap_or_else(PoisonError::into_inner);
        let all = &mut listed.backwards;
        let from = all.last().copied().unwrap_or(self.first) - 1;
        let walk = self
            .schedule
            .instants_before(Timestamp(from.saturating_mul(1000)));
        extend(all, walk, is_enough);
        ask(all)
    }
}

/// Lists instants until it is enough, and some more, so that the next question finds them.
fn extend(
    all: &mut Vec<i64>,
    walk: impl Iterator<Item = Timestamp>,
    is_enough: impl Fn(&[i64]) -> bool,
) {
    const MORE: usize = 64;
    let mut more = 0;
    for instant in walk {
        if more == MORE || all.len() as i64 > LISTED_MAX {
            break;
        }
        all.push(instant.0.div_euclid(1000));
        // Looking at the last one is cheap; the questions look at nothing else.
        more += usize::from(is_enough(all));
    }
}

fn at(all: &[i64], index: i64) -> i64 {
    let found = usize::try_from(index).ok().and_then(|index| all.get(index));
    found.or(all.last()).copied().unwrap_or(0)
}
