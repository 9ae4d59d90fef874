//! One cron expression: which local times it means.

use super::error::CronError;
use super::field::{Field, LAST_WEEK, Values};
use crate::partition::civil;

pub(super) const DAY: i64 = 86_400;
/// The calendar repeats itself after this many days, weekdays included.
pub(super) const CYCLE_DAYS: i64 = 146_097;
/// No search for a time goes beyond the years 1 to 9999.
const DAYS: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;

/// A cron expression of five fields (S-1..S-10).
///
/// Accepted: numbers, names of months and days in any case, ranges that may wrap, steps, lists, `?` for
/// `*`, `L` for the last day of the month, `L5` for the last Friday and `mon#1` for the first Monday of
/// it, and the aliases `@hourly` to `@yearly`. Refused, and accepted by Dagster: a step larger than the
/// field, a cron that can never be due, and `R` (D-26, S-7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronExpression {
    text: String,
    /// Minutes of the day at which it is due, in order.
    minutes: Vec<u16>,
    day: Values,
    month: Values,
    weekday: Values,
    /// The day of month restricts nothing.
    any_day: bool,
    /// The day of week restricts nothing.
    any_weekday: bool,
    repeats_every_hour: bool,
}

impl CronExpression {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// The field that cannot be read, what is wrong with it and the mend.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let lower = text.to_lowercase();
        let plain = match lower.as_str() {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other if other.trim_start().starts_with('@') => {
                return Err(CronError::Alias { text: text.into() });
            }
            other => other,
        };
        let fields: Vec<&str> = plain.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(CronError::Fields {
                text: text.into(),
                count: fields.len(),
            });
        };
        let read = |field: Field, given: &str| field.parse(given).map_err(|p| p.in_text(text));
        let minutes = read(Field::Minute, minute)?;
        let hours = read(Field::Hour, hour)?;
        let day_values = read(Field::Day, day)?;
        let weekday_values = read(Field::Weekday, weekday)?;
        // A field that lists every value restricts nothing only when the other one has a star, as
        // Dagster has it: `0 0 1-31 * mon` is every day.
        let is_any = |field: Field, values: &Values, other: &str| {
            values.star || field.is_full(values) && other.contains('*')
        };
        let expression = Self {
            text: text.into(),
            minutes: minutes_of_day(&minutes, &hours),
            any_day: is_any(Field::Day, &day_values, weekday),
            any_weekday: is_any(Field::Weekday, &weekday_values, day),
            day: day_values,
            month: read(Field::Month, month)?,
            weekday: weekday_values,
            repeats_every_hour: hours.only_star || !hours.star && Field::Hour.is_full(&hours),
        };
        if !expression.is_ever_due() {
            return Err(CronError::Never { text: text.into() });
        }
        Ok(expression)
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the hour field means every hour, so that it follows real time and not the clock on the
    /// wall (S-19).
    #[must_use]
    pub fn repeats_every_hour(&self) -> bool {
        self.repeats_every_hour
    }

    /// Minutes of a day on which it is due.
    pub(super) fn minutes(&self) -> &[u16] {
        &self.minutes
    }

    /// Whether it is due on a day, counted from 1970-01-01. When both the day of month and the day of
    /// week restrict, either is enough (S-10).
    pub(super) fn is_due_on(&self, days: i64) -> bool {
        let (year, month, day) = civil::date(days);
        if self.month.bits >> month & 1 == 0 {
            return false;
        }
        let length = civil::days_in_month(year, month);
        let by_day = || self.day.bits >> day & 1 == 1 || self.day.last && day == length;
        let by_weekday = || {
            // 1970-01-01 was a Thursday.
            let weekday = (days + 4).rem_euclid(7);
            let weeks = usize::try_from(weekday).map_or(0, |weekday| self.weekday.weeks[weekday]);
            let is_last = day + 7 > length;
            self.weekday.bits >> weekday & 1 == 1
                || weeks >> ((day - 1) / 7 + 1) & 1 == 1
                || is_last && weeks & LAST_WEEK != 0
        };
        match (self.any_day, self.any_weekday) {
            (true, true) => true,
            (false, true) => by_day(),
            (true, false) => by_weekday(),
            (false, false) => by_day() || by_weekday(),
        }
    }

    /// The first due local time at or after `local`, in seconds.
    pub(super) fn at_or_after(&self, local: i64) -> Option<i64> {
        let minute = local.div_euclid(60) + i64::from(local.rem_euclid(60) != 0);
        let (mut day, of_day) = (minute.div_euclid(1440), minute.rem_euclid(1440));
        day = day.max(*DAYS.start());
        if DAYS.contains(&day) && self.is_due_on(day) {
            let next = self.minutes.partition_point(|m| i64::from(*m) < of_day);
            if let Some(found) = self.minutes.get(next) {
                return Some(day * DAY + i64::from(*found) * 60);
            }
        }
        let first = i64::from(*self.minutes.first()?) * 60;
        let day = (day + 1..=*DAYS.end()).find(|day| self.is_due_on(*day))?;
        Some(day * DAY + first)
    }

    /// The last due local time at or before `local`, in seconds.
    pub(super) fn at_or_before(&self, local: i64) -> Option<i64> {
        let minute = local.div_euclid(60);
        let (mut day, of_day) = (minute.div_euclid(1440), minute.rem_euclid(1440));
        day = day.min(*DAYS.end());
        if DAYS.contains(&day) && self.is_due_on(day) {
            let after = self.minutes.partition_point(|m| i64::from(*m) <= of_day);
            if let Some(found) = after.checked_sub(1).and_then(|at| self.minutes.get(at)) {
                return Some(day * DAY + i64::from(*found) * 60);
            }
        }
        let last = i64::from(*self.minutes.last()?) * 60;
        let day = (*DAYS.start()..day)
            .rev()
            .find(|day| self.is_due_on(*day))?;
        Some(day * DAY + last)
    }

    /// Whether some day of the calendar is one of its days. All days of a month but the last few come
    /// every year, so a leap year and a weekday are enough to know.
    fn is_ever_due(&self) -> bool {
        if self.any_day || !self.any_weekday || self.day.last {
            return true;
        }
        const LEAP_YEAR: i64 = 2000;
        let first = civil::days(LEAP_YEAR, 1, 1);
        (first..first + 366).any(|day| self.is_due_on(day))
    }
}

fn minutes_of_day(minutes: &Values, hours: &Values) -> Vec<u16> {
    (0..1440_u16)
        .filter(|at| hours.bits >> (at / 60) & 1 == 1 && minutes.bits >> (at % 60) & 1 == 1)
        .collect()
}

#[cfg(test)]
mod tests;
