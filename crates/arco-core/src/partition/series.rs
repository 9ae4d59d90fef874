//! Where windows begin: an endless row of instants with a number for each.
//!
//! A **slot** is the number of a window in its row, before and after any start or end. Slots follow
//! each other without holes, and `start(slot)` and `floor(instant)` are arithmetic on calendar fields
//! plus one look at the time zone, so nothing here walks from window to window: the millionth hour
//! costs what the first one costs.
//!
//! Wall-clock rows (daily, weekly, monthly) begin at a local time: in the gap of a spring change at
//! the first instant after the gap, in the overlap of an autumn change at the second time (P-14,
//! P-15). Hourly rows count real hours: the gap has no window, the overlap has two (P-12, P-13).

use super::error::PartitionsError;
use super::window::{Cadence, TimeWindowSpec};
use crate::cron::CronSchedule;
use crate::selection::suggest::nearest;

pub(crate) mod civil;
mod crons;
mod hours;
mod zone;

#[cfg(test)]
mod tests;

use crons::Crons;
pub(super) use crons::LISTED_MAX;
use hours::Hours;
pub(crate) use zone::Zone;

const DAY: i64 = 86_400;
/// Bounds of slots and instants, far outside of what validation lets in, so that arithmetic on
/// offsets given by users cannot overflow.
const SLOT_BOUND: i64 = 100_000_000;

/// The row of windows of one definition.
#[derive(Debug)]
pub(super) struct Series {
    zone: Zone,
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    Hourly(Hours),
    Daily {
        time: i64,
        /// Days on which no window begins, because the zone left them out of its calendar.
        skipped: Vec<i64>,
    },
    Weekly {
        time: i64,
        weekday: i64,
    },
    Monthly {
        time: i64,
        day: u8,
        /// For days that some months lack: how many months have it, up to each month of the
        /// 400-year cycle of the calendar.
        having: Vec<i64>,
    },
    Crons(Crons),
}

impl Series {
    /// The row of a definition. A cron that says no more than a cadence does is that cadence.
    pub(super) fn new(
        spec: &TimeWindowSpec,
        zone: Zone,
        start: i64,
    ) -> Result<Self, PartitionsError> {
        let Some(cron) = &spec.cron else {
            return Ok(Self::plain(spec, zone, start));
        };
        let schedule = CronSchedule::parse(&[cron], zone.name())
            .map_err(|error| PartitionsError(format!("the windows cannot begin so: {error}")))?;
        Ok(match plain(cron) {
            Some(plain) => Self::plain(&plain, zone, start),
            None => Self {
                zone,
                rule: Rule::Crons(Crons::new(schedule, start)),
            },
        })
    }

    fn plain(spec: &TimeWindowSpec, zone: Zone, start: i64) -> Self {
        let time = i64::from(spec.hour_offset) * 3600 + i64::from(spec.minute_offset) * 60;
        let rule = match spec.cadence {
            Cadence::Hourly => Rule::Hourly(Hours::new(&zone, time, start)),
            Cadence::Daily => Rule::Daily {
                time,
                skipped: zone.days_left_out(time),
            },
            Cadence::Weekly => Rule::Weekly {
                time,
                weekday: i64::from(spec.day_offset),
            },
            // `plain` makes no other, and `new` has dealt with the crons.
            Cadence::Monthly | Cadence::Cron => Rule::Monthly {
                time,
                day: spec.day_offset,
                having: months_having(spec.day_offset),
            },
        };
        Self { zone, rule }
    }

    /// Whether windows begin every hour or more often, so that an hour that comes twice has two (P-13).
    pub(super) fn repeats_every_hour(&self) -> bool {
        match &self.rule {
            Rule::Hourly(_) => true,
            Rule::Crons(crons) => crons.repeats_every_hour(),
            _ => false,
        }
    }

    /// Whether the instants are listed one by one, so that there is a last one.
    pub(super) fn is_listed(&self) -> bool {
        matches!(self.rule, Rule::Crons(_))
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The instant at which the window of `slot` begins, in seconds.
    pub(super) fn start(&self, slot: i64) -> i64 {
        let slot = slot.clamp(-SLOT_BOUND, SLOT_BOUND);
        match &self.rule {
            Rule::Hourly(hours) => hours.start(slot),
            Rule::Crons(crons) => crons.start(slot),
            Rule::Daily { time, skipped } => {
                let day = skipped
                    .iter()
                    .fold(slot, |day, left_out| day + i64::from(*left_out <= day));
                self.zone.resolve_last(day * DAY + time)
            }
            Rule::Weekly { time, weekday } => self
                .zone
                .resolve_last((FIRST_SUNDAY + weekday + 7 * slot) * DAY + time),
            Rule::Monthly { time, day, having } => {
                let (year, month) = month_of_slot(slot, having);
                self.zone
                    .resolve_last(civil::days(year, month, *day) * DAY + time)
            }
        }
    }

    /// The slot of the window in which `instant` lies: the last that begins at or before it.
    pub(super) fn floor(&self, instant: i64) -> i64 {
        let instant = instant.clamp(-SLOT_BOUND * 3000, SLOT_BOUND * 3000);
        if let Rule::Crons(crons) = &self.rule {
            return crons.floor(instant);
        }
        let mut slot = self.guess(instant);
        // The guess works on the local calendar and can be one off where windows do not begin at
        // midnight or the zone changes.
        while self.start(slot) > instant {
            slot -= 1;
        }
        while self.start(slot + 1) <= instant {
            slot += 1;
        }
        slot
    }

    /// The first slot that begins at or after `instant`.
    pub(super) fn ceil(&self, instant: i64) -> i64 {
        self.floor(instant - 1) + 1
    }

    fn guess(&self, instant: i64) -> i64 {
        let local_day = || (instant + self.zone.offset_at(instant)).div_euclid(DAY);
        match &self.rule {
            Rule::Hourly(hours) => hours.guess(instant),
            Rule::Crons(crons) => crons.floor(instant),
            Rule::Daily { skipped, .. } => {
                let day = local_day();
                day - skipped.iter().filter(|left_out| **left_out < day).count() as i64
            }
            Rule::Weekly { weekday, .. } => (local_day() - FIRST_SUNDAY - weekday).div_euclid(7),
            Rule::Monthly { having, .. } => {
                let (year, month, _) = civil::date(local_day());
                slot_of_month(year, month, having)
            }
        }
    }

    /// Whether both rows are the same, so that their slots are the same windows.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        if self.zone.name() != other.zone.name() {
            return false;
        }
        match (&self.rule, &other.rule) {
            (Rule::Hourly(a), Rule::Hourly(b)) => a == b,
            (Rule::Crons(a), Rule::Crons(b)) => a.same_as(b),
            (Rule::Daily { time: a, .. }, Rule::Daily { time: b, .. }) => a == b,
            (
                Rule::Weekly { time, weekday },
                Rule::Weekly {
                    time: t,
                    weekday: w,
                },
            ) => time == t && weekday == w,
            (
                Rule::Monthly { time, day, .. },
                Rule::Monthly {
                    time: t, day: d, ..
                },
            ) => time == t && day == d,
            _ => false,
        }
    }
}

/// The cadence that a cron of plain numbers is: `30 6 * * *` is daily at 06:30.
fn plain(cron: &str) -> Option<TimeWindowSpec> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else {
        return None;
    };
    let number = |text: &str| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u8>().ok()).flatten()
    };
    let (cadence, hour, day) = match (*hour, *day, *month, *weekday) {
        ("*", "*", "*", "*") => (Cadence::Hourly, 0, 0),
        (hour, "*", "*", "*") => (Cadence::Daily, number(hour)?, 0),
        (hour, "*", "*", weekday) => (Cadence::Weekly, number(hour)?, number(weekday)? % 7),
        (hour, day, "*", "*") => (Cadence::Monthly, number(hour)?, number(day)?),
        _ => return None,
    };
    Some(TimeWindowSpec {
        minute_offset: number(minute)?,
        hour_offset: hour,
        day_offset: day,
        ..TimeWindowSpec::of(cadence, "")
    })
}

/// 1970-01-04, the first Sunday.
const FIRST_SUNDAY: i64 = 3;
/// Months after which the calendar repeats itself.
const CYCLE: i64 = 4800;

/// `having[m]` = months before month `m` of the cycle that have `day`; empty when all have it (P-8).
fn months_having(day: u8) -> Vec<i64> {
    if day <= 28 {
        return Vec::new();
    }
    let mut having = vec![0];
    for month in 0..CYCLE {
        let (year, month) = (month.div_euclid(12), month.rem_euclid(12) as u8 + 1);
        let has = i64::from(civil::days_in_month(year, month) >= day);
        having.push(having.last().copied().unwrap_or(0) + has);
    }
    having
}

/// Slot to (year, month). Slots count months from January of year 0.
fn month_of_slot(slot: i64, having: &[i64]) -> (i64, u8) {
    let month = match having.last() {
        None => slot,
        Some(per_cycle) => {
            let (cycle, rest) = (slot.div_euclid(*per_cycle), slot.rem_euclid(*per_cycle));
            // The last month before which there are exactly `rest` months with the day.
            cycle * CYCLE + having.partition_point(|before| *before <= rest) as i64 - 1
        }
    };
    (month.div_euclid(12), month.rem_euclid(12) as u8 + 1)
}

/// The slot of a month, or of the next that has the day.
fn slot_of_month(year: i64, month: u8, having: &[i64]) -> i64 {
    let month = year * 12 + i64::from(month) - 1;
    match having.last() {
        None => month,
        Some(per_cycle) => {
            let before = usize::try_from(month.rem_euclid(CYCLE))
                .ok()
                .and_then(|m| having.get(m))
                .copied()
                .unwrap_or(0);
            month.div_euclid(CYCLE) * per_cycle + before
        }
    }
}

impl Zone {
    /// The zone with an IANA name, spelled as the database spells it.
    pub(crate) fn get(name: &str) -> Result<Self, PartitionsError> {
        Self::find(name).ok_or_else(|| {
            let names: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
            let hint = nearest(name, names.iter().map(String::as_str)).map_or_else(
                || "; use an IANA name such as `Europe/Berlin`".into(),
                |near| format!("; did you mean `{near}`?"),
            );
            PartitionsError(format!("time zone `{name}` is not known{hint}"))
        })
    }
}
