//! Walks over the instants of one cron in a zone, and over several at once.

use std::iter::Peekable;

use super::expression::{CronExpression, DAY};
use crate::partition::Zone;

/// Local times whose instant may still lie ahead of a local time: a gap leaves out a day at most, an
/// overlap repeats less.
const REACH: i64 = DAY + 3600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forwards,
    Backwards,
}

/// The instants of one cron, each once, in seconds.
pub(super) enum Instants<'a> {
    /// Every-hour crons: the clock is read as real time passes (S-19).
    RealTime(RealTime<'a>),
    /// All others: each local time is due once (S-17, S-18).
    WallTime(WallTime<'a>),
}

impl<'a> Instants<'a> {
    /// From `from` on, which counts itself.
    pub(super) fn new(
        cron: &'a CronExpression,
        zone: &'a Zone,
        from: i64,
        direction: Direction,
    ) -> Self {
        if cron.repeats_every_hour() {
            return Self::RealTime(RealTime {
                cron,
                zone,
                direction,
                at: from,
                stretch: None,
            });
        }
        let local = from + zone.offset_at(from);
        Self::WallTime(WallTime {
            cron,
            zone,
            direction,
            bound: from,
            local: match direction {
                Direction::Forwards => local - REACH,
                Direction::Backwards => local + REACH,
            },
        })
    }
}

impl Iterator for Instants<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        match self {
            Self::RealTime(walk) => walk.next(),
            Self::WallTime(walk) => walk.next(),
        }
    }
}

pub(super) struct RealTime<'a> {
    cron: &'a CronExpression,
    zone: &'a Zone,
    direction: Direction,
    /// The next instant that may be due.
    at: i64,
    /// The time between two changes of the clocks in which `at` was last seen.
    stretch: Option<Stretch>,
}

#[derive(Clone, Copy)]
struct Stretch {
    from: i64,
    until: i64,
    offset: i64,
}

impl RealTime<'_> {
    fn next(&mut self) -> Option<i64> {
        loop {
            let stretch = self.stretch();
            let local = self.at + stretch.offset;
            let instant = match self.direction {
                Direction::Forwards => self.cron.at_or_after(local)? - stretch.offset,
                Direction::Backwards => self.cron.at_or_before(local)? - stretch.offset,
            };
            match self.direction {
                Direction::Forwards if instant >= stretch.until => self.at = stretch.until,
                Direction::Backwards if instant < stretch.from => self.at = stretch.from - 1,
                Direction::Forwards => {
                    self.at = instant + 1;
                    return Some(instant);
                }
                Direction::Backwards => {
                    self.at = instant - 1;
                    return Some(instant);
                }
            }
        }
    }

    fn stretch(&mut self) -> Stretch {
        match self.stretch {
            Some(stretch) if (stretch.from..stretch.until).contains(&self.at) => stretch,
            _ => {
                let (from, until) = self.zone.stretch(self.at);
                let offset = self.zone.offset_at(self.at);
                *self.stretch.insert(Stretch {
                    from,
                    until,
                    offset,
                })
            }
        }
    }
}

pub(super) struct WallTime<'a> {
    cron: &'a CronExpression,
    zone: &'a Zone,
    direction: Direction,
    /// The next local time that may be due.
    local: i64,
    /// Instants before it (behind it, backwards) are past.
    bound: i64,
}

impl WallTime<'_> {
    fn next(&mut self) -> Option<i64> {
        loop {
            let (local, ahead) = match self.direction {
                Direction::Forwards => {
                    let local = self.cron.at_or_after(self.local)?;
                    self.local = local + 1;
                    (local, 1)
                }
                Direction::Backwards => {
                    let local = self.cron.at_or_before(self.local)?;
                    self.local = local - 1;
                    (local, -1)
                }
            };
            if self.zone.leaves_out_day(local.div_euclid(DAY)) {
                continue;
            }
            let instant = self.zone.resolve_last(local);
            if (instant - self.bound) * ahead >= 0 {
                self.bound = instant + ahead;
                return Some(instant);
            }
        }
    }
}

/// Several walks as one: in order, each instant once (S-11).
pub(super) struct Union<'a> {
    walks: Vec<Peekable<Instants<'a>>>,
    direction: Direction,
}

impl<'a> Union<'a> {
    pub(super) fn new(walks: Vec<Instants<'a>>, direction: Direction) -> Self {
        Self {
            walks: walks.into_iter().map(Iterator::peekable).collect(),
            direction,
        }
    }
}

impl Iterator for Union<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let heads = self
            .walks
            .iter_mut()
            .filter_map(|walk| walk.peek().copied());
        let next = match self.direction {
            Direction::Forwards => heads.min(),
            Direction::Backwards => heads.max(),
        }?;
        for walk in &mut self.walks {
            walk.next_if_eq(&next);
        }
        Some(next)
    }
}
