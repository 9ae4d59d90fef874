//! Partitions that are windows of time (P-1 to P-15).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::{PartitionKeyError, PartitionsError, Reason};
use super::format::Format;
use super::key::{PartitionKey, PartitionValue};
use super::series::{Series, Zone, civil};
use crate::Timestamp;

#[cfg(test)]
mod tests;

/// How often a window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Every real hour.
    Hourly,
    /// Every calendar day.
    Daily,
    /// Every week.
    Weekly,
    /// Every calendar month.
    Monthly,
}

impl Cadence {
    /// The word for people.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The format of keys when none is given (P-2).
    #[must_use]
    pub fn default_fmt(self) -> &'static str {
        match self {
            Self::Hourly => "%Y-%m-%d-%H:%M",
            _ => "%Y-%m-%d",
        }
    }

    pub(super) fn default_day_offset(self) -> u8 {
        u8::from(self == Self::Monthly)
    }
}

/// What user code says of its windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeWindowSpec {
    /// How often a window begins.
    pub cadence: Cadence,
    /// Local time from which on windows begin: the first is the first that begins at or after it.
    pub start: String,
    /// Local time by which windows must have ended; without it there is always a next one.
    pub end: Option<String>,
    /// IANA name.
    pub timezone: String,
    /// How the start of a window is written as a key, in `strftime` directives.
    pub fmt: String,
    /// How many windows more (or fewer) exist than have ended.
    pub end_offset: i32,
    /// Minute of the hour at which a window begins.
    pub minute_offset: u8,
    /// Hour of the day; 0 for hourly windows.
    pub hour_offset: u8,
    /// Monthly: day of the month, from 1. Weekly: day of the week, 0 is Sunday. Else without meaning.
    pub day_offset: u8,
}

impl TimeWindowSpec {
    /// Windows in UTC from `start` (`2024-01-01` or `2024-01-01T00:00:00`), the rest by default.
    #[must_use]
    pub fn of(cadence: Cadence, start: &str) -> Self {
        Self {
            cadence,
            start: start.into(),
            end: None,
            timezone: "UTC".into(),
            fmt: cadence.default_fmt().into(),
            end_offset: 0,
            minute_offset: 0,
            hour_offset: 0,
            day_offset: cadence.default_day_offset(),
        }
    }

    /// Hourly windows in UTC.
    #[must_use]
    pub fn hourly(start: &str) -> Self {
        Self::of(Cadence::Hourly, start)
    }

    /// Daily windows in UTC.
    #[must_use]
    pub fn daily(start: &str) -> Self {
        Self::of(Cadence::Daily, start)
    }

    /// Weekly windows in UTC, from Sunday.
    #[must_use]
    pub fn weekly(start: &str) -> Self {
        Self::of(Cadence::Weekly, start)
    }

    /// Monthly windows in UTC, from the first day.
    #[must_use]
    pub fn monthly(start: &str) -> Self {
        Self::of(Cadence::Monthly, start)
    }
}

/// Windows of time, ready to be asked.
#[derive(Debug, Clone)]
pub struct TimeWindowPartitions(Arc<Windows>);

#[derive(Debug)]
struct Windows {
    spec: TimeWindowSpec,
    series: Series,
    format: Format,
    /// Slot of the first window.
    first: i64,
    /// Slot after the last window that will ever be.
    end: i64,
}

impl PartialEq for TimeWindowPartitions {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.spec == other.0.spec
    }
}

/// The instants between which windows may lie, the years 1000 to 9999: keys then have four-digit years.
const INSTANT_MIN: i64 = civil::days(1000, 1, 1) * 86_400;
const INSTANT_MAX: i64 = civil::days(9999, 12, 1) * 86_400;

impl TimeWindowPartitions {
    pub(super) fn new(spec: TimeWindowSpec) -> Result<Self, PartitionsError> {
        check_offsets(&spec)?;
        let zone = Zone::get(&spec.timezone)?;
        let format = Format::compile(&spec.fmt, spec.cadence)?;
        let start = instant("start", &spec.start, &zone)?;
        let end = spec
            .end
            .as_deref()
            .map(|end| instant("end", end, &zone))
            .transpose()?;
        let series = Series::new(&spec, zone, start);
        let first = series.ceil(start);
        // A window is a partition when it has ended by `end` (P-6).
        let end = series.floor(end.unwrap_or(INSTANT_MAX)).max(first);
        Ok(Self(Arc::new(Windows {
            spec,
            series,
            format,
            first,
            end,
        })))
    }

    /// What user code said.
    #[must_use]
    pub fn spec(&self) -> &TimeWindowSpec {
        &self.0.spec
    }

    /// The slot of the first window.
    pub(super) fn first(&self) -> i64 {
        self.0.first
    }

    pub(super) fn series(&self) -> &Series {
        &self.0.series
    }

    /// How many windows there will ever be.
    pub(super) fn most(&self) -> u64 {
        (self.0.end - self.0.first).unsigned_abs()
    }

    pub(super) fn count(&self, now: Timestamp) -> u64 {
        let w = &*self.0;
        // The window of slot s has ended when slot s + 1 has begun, so the slots before the newest
        // begun one have ended; `end_offset` moves that mark by whole windows (P-4, P-5).
        let begun = w.series.floor(now.0.div_euclid(1000));
        let past = begun
            .saturating_add(i64::from(w.spec.end_offset))
            .min(w.end);
        u64::try_from(past - w.first).unwrap_or(0)
    }

    pub(super) fn key_at(&self, ordinal: u64) -> Option<PartitionKey> {
        (ordinal < self.most()).then(|| self.key_of(self.slot(ordinal)))
    }

    fn slot(&self, ordinal: u64) -> i64 {
        self.0
            .first
            .saturating_add(i64::try_from(ordinal).unwrap_or(i64::MAX))
    }

    /// The key of any slot, also of one that is no partition of this definition.
    pub(super) fn key_of(&self, slot: i64) -> PartitionKey {
        PartitionKey::time(&self.text_of(slot))
    }

    fn text_of(&self, slot: i64) -> String {
        let w = &*self.0;
        let begin = w.series.start(slot);
        let offset = w.series.zone().offset_at(begin);
        let repeated = w.spec.cadence == Cadence::Hourly && w.series.zone().is_repeated(begin);
        w.format.print(begin, offset, repeated)
    }

    pub(super) fn ordinal_of(&self, key: &PartitionKey) -> Result<u64, PartitionKeyError> {
        let text = key.display();
        match key.only_value() {
            Some(PartitionValue::Time(_)) => {}
            // A format with other characters than plain ones makes text values.
            Some(PartitionValue::Text(_)) if PartitionKey::time(&text) == *key => {}
            _ => {
                return Err(PartitionKeyError::new(
                    &text,
                    Reason::Foreign {
                        noun: self.0.spec.cadence.noun(),
                        example: self.example(),
                    },
                ));
            }
        }
        self.parse_key(&text).map(|(_, ordinal)| ordinal)
    }

    pub(super) fn parse_key(&self, text: &str) -> Result<(PartitionKey, u64), PartitionKeyError> {
        let w = &*self.0;
        let noun = w.spec.cadence.noun();
        let refuse = |reason| Err(PartitionKeyError::new(text, reason));
        let Some(parsed) = w.format.parse(text) else {
            return refuse(Reason::NotADate {
                noun,
                example: self.example(),
            });
        };
        let instant = match parsed.offset {
            Some(offset) => parsed.local - offset,
            None => w.series.zone().resolve_first(parsed.local),
        };
        // The text may leave out the hour at which the window begins, so the window meant is the
        // first that begins at or after it; that it really is this one shows when it is printed.
        let slot = w.series.ceil(instant.clamp(INSTANT_MIN, INSTANT_MAX));
        let canonical = self.text_of(slot);
        if canonical != text {
            return refuse(Reason::NotAStart {
                noun,
                near: canonical,
            });
        }
        if slot < w.first {
            return refuse(Reason::BeforeFirst {
                first: self.text_of(w.first),
            });
        }
        if slot >= w.end {
            return refuse(Reason::AfterLast {
                last: self.text_of(w.end - 1),
            });
        }
        Ok((PartitionKey::time(text), (slot - w.first).unsigned_abs()))
    }

    pub(super) fn not_yet(&self, key: &PartitionKey, ordinal: u64) -> PartitionKeyError {
        // It exists when the window `end_offset` before it has ended.
        let slot = self
            .slot(ordinal)
            .saturating_sub(i64::from(self.0.spec.end_offset));
        let until = Timestamp(self.0.series.start(slot.saturating_add(1)) * 1000);
        PartitionKeyError::new(
            &key.display(),
            Reason::NotYet {
                until: until.to_rfc3339(),
            },
        )
    }

    pub(super) fn window(&self, ordinal: u64) -> (Timestamp, Timestamp) {
        let slot = self.slot(ordinal);
        let series = &self.0.series;
        (
            Timestamp(series.start(slot) * 1000),
            Timestamp(series.start(slot + 1) * 1000),
        )
    }

    pub(super) fn example(&self) -> String {
        self.text_of(self.0.first)
    }
}

fn check_offsets(spec: &TimeWindowSpec) -> Result<(), PartitionsError> {
    let refuse = |what: &str, value: u8, mend: &str| {
        Err(PartitionsError(format!(
            "{what}={value} does not fit {} partitions; {mend}",
            spec.cadence.noun()
        )))
    };
    match spec {
        _ if spec.minute_offset > 59 => refuse("minute_offset", spec.minute_offset, "use 0 to 59"),
        _ if spec.hour_offset > 23 => refuse("hour_offset", spec.hour_offset, "use 0 to 23"),
        _ if spec.cadence == Cadence::Hourly && spec.hour_offset != 0 => {
            refuse("hour_offset", spec.hour_offset, "leave it out")
        }
        _ if spec.cadence == Cadence::Weekly && spec.day_offset > 6 => refuse(
            "day_offset",
            spec.day_offset,
            "use 0 (Sunday) to 6 (Saturday)",
        ),
        _ if spec.cadence == Cadence::Monthly && !(1..=31).contains(&spec.day_offset) => {
            refuse("day_offset", spec.day_offset, "use 1 to 31")
        }
        _ => Ok(()),
    }
}

/// Reads a local time, `2024-01-01T00:00:00` or `2024-01-01`.
fn instant(what: &str, text: &str, zone: &Zone) -> Result<i64, PartitionsError> {
    let refuse = |why: &str| {
        PartitionsError(format!(
            "{what} `{text}` of the partitions {why}; write a local time such as `2024-01-01T00:00:00`"
        ))
    };
    let local = civil::parse(text).ok_or_else(|| refuse("is not a time"))?;
    if !(INSTANT_MIN..INSTANT_MAX).contains(&local) {
        return Err(refuse("is outside the years 1000 to 9999"));
    }
    Ok(zone.resolve_first(local))
}
