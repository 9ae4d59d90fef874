//! Partitions that are windows of time (P-1 to P-15).

use std::collections::HashMap;
use std::sync::Arc;

use super::error::{PartitionKeyError, PartitionsError, Reason};
use super::format::Format;
use super::key::{PartitionKey, PartitionValue};
use super::series::{LISTED_MAX, Series, Zone, civil};
use crate::Timestamp;

mod exclusions;
mod spec;

#[cfg(test)]
mod tests;

use exclusions::Exclusions;
use spec::check_offsets;
pub use spec::{Cadence, TimeWindowSpec};

/// Windows of time, ready to be asked.
#[derive(Debug, Clone)]
pub struct TimeWindowPartitions(Arc<Windows>);

#[derive(Debug)]
struct Windows {
    spec: TimeWindowSpec,
    series: Series,
    format: Format,
    exclusions: Option<Exclusions>,
    /// Slot of the first window, left out or not.
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
        let exclusions = Exclusions::read(&spec.exclusions, &zone)?;
        let series = Series::new(&spec, zone, start)?;
        let first = series.ceil(start);
        // A window is a partition when it has ended by `end` (P-6).
        let mut end = match end {
            Some(end) => series.floor(end),
            // Not asked of a list, which would list them all.
            None if series.is_listed() => i64::MAX,
            None => series.floor(INSTANT_MAX),
        };
        if series.is_listed() || exclusions.is_some() {
            end = end.min(first + LISTED_MAX);
        }
        let windows = Self(Arc::new(Windows {
            spec,
            series,
            format,
            exclusions,
            first,
            end: end.max(first),
        }));
        windows.check_keys()?;
        Ok(windows)
    }

    /// Refuses what only the windows themselves show: a format too coarse for a cron (P-10), and
    /// exclusions that leave nothing.
    fn check_keys(&self) -> Result<(), PartitionsError> {
        const LOOKED_AT: i64 = 1000;
        let w = &*self.0;
        let until = (w.first + LOOKED_AT).min(w.end);
        if w.exclusions.is_some() && until > w.first && self.rank(until) == 0 {
            return Err(PartitionsError(format!(
                "the exclusions leave out each of the first {} windows; leave out fewer",
                until - w.first
            )));
        }
        if w.spec.cadence != Cadence::Cron {
            return Ok(());
        }
        let mut seen = HashMap::new();
        for slot in w.first..until {
            if let Some(earlier) = seen.insert(self.text_of(slot), slot) {
                return Err(PartitionsError(format!(
                    "partition format `{}` is too coarse for these windows: those that begin at {} \
                     and {} would have one key; add what tells them apart, such as `%H:%M`",
                    w.spec.fmt,
                    Timestamp(w.series.start(earlier) * 1000).to_rfc3339(),
                    Timestamp(w.series.start(slot) * 1000).to_rfc3339(),
                )));
            }
        }
        Ok(())
    }

    /// What user code said.
    #[must_use]
    pub fn spec(&self) -> &TimeWindowSpec {
        &self.0.spec
    }

    /// The slot of the first window, left out or not.
    pub(super) fn first(&self) -> i64 {
        self.0.first
    }

    pub(super) fn series(&self) -> &Series {
        &self.0.series
    }

    pub(super) fn has_exclusions(&self) -> bool {
        self.0.exclusions.is_some()
    }

    /// As many windows as there will ever be, counting those that are left out.
    pub(super) fn most(&self) -> u64 {
        (self.0.end - self.0.first).unsigned_abs()
    }

    /// How many windows there are from the first one to before `slot`; negative before the first one.
    pub(super) fn rank(&self, slot: i64) -> i64 {
        let w = &*self.0;
        let (from, to) = (w.first.min(slot), w.first.max(slot));
        let out = match &w.exclusions {
            Some(exclusions) => exclusions.count(&w.series, w.first, from, to),
            None => 0,
        };
        if slot < w.first {
            slot - w.first + out
        } else {
            slot - w.first - out
        }
    }

    /// The slot of the window with this ordinal; also of those before the first one, and after the last.
    pub(super) fn slot(&self, ordinal: i64) -> i64 {
        let w = &*self.0;
        let mut slot = w.first.saturating_add(ordinal);
        let Some(exclusions) = &w.exclusions else {
            return slot;
        };
        // As many further as are left out on the way, until that says nothing new.
        loop {
            let next = if ordinal < 0 {
                w.first + ordinal - exclusions.count(&w.series, w.first, slot, w.first)
            } else {
                w.first + ordinal + exclusions.count(&w.series, w.first, w.first, slot + 1)
            };
            if next == slot {
                return slot;
            }
            slot = next;
        }
    }

    pub(super) fn is_excluded(&self, slot: i64) -> bool {
        let w = &*self.0;
        let count = |e: &Exclusions| e.count(&w.series, w.first, slot, slot + 1);
        w.exclusions.as_ref().is_some_and(|e| count(e) > 0)
    }

    /// Where the window with this ordinal begins, in seconds.
    pub(super) fn begin(&self, ordinal: i64) -> i64 {
        self.0.series.start(self.slot(ordinal))
    }

    /// Where it ends.
    pub(super) fn finish(&self, ordinal: i64) -> i64 {
        self.0.series.start(self.slot(ordinal) + 1)
    }

    pub(super) fn count(&self, now: Timestamp) -> u64 {
        let w = &*self.0;
        // The window of slot s has ended when slot s + 1 has begun, so the slots before the newest
        // begun one have ended; `end_offset` moves that mark by whole windows (P-4, P-5).
        let begun = w.series.floor(now.0.div_euclid(1000));
        let offset = i64::from(w.spec.end_offset);
        if w.exclusions.is_none() {
            let past = begun.saturating_add(offset).min(w.end);
            return u64::try_from(past - w.first).unwrap_or(0);
        }
        let past = self.rank(begun.min(w.end)).saturating_add(offset);
        let past = match offset {
            1.. if past > 0 && self.slot(past - 1) >= w.end => self.rank(w.end),
            _ => past,
        };
        u64::try_from(past).unwrap_or(0)
    }

    /// The last window that exists at `now`; none when the one that comes last by the clock is left out.
    pub(super) fn latest(&self, now: Timestamp) -> Option<u64> {
        let w = &*self.0;
        let last = self.count(now).checked_sub(1)?;
        let begun = w.series.floor(now.0.div_euclid(1000));
        let past = begun.saturating_add(i64::from(w.spec.end_offset));
        (!self.is_excluded(past.min(w.end) - 1)).then_some(last)
    }

    pub(super) fn key_at(&self, ordinal: u64) -> Option<PartitionKey> {
        if ordinal >= self.most() {
            return None;
        }
        let slot = self.slot(i64::try_from(ordinal).ok()?);
        (slot < self.0.end).then(|| self.key_of(slot))
    }

    /// The key of any slot, also of one that is no partition of this definition.
    pub(super) fn key_of(&self, slot: i64) -> PartitionKey {
        PartitionKey::time(&self.text_of(slot))
    }

    fn text_of(&self, slot: i64) -> String {
        let w = &*self.0;
        let begin = w.series.start(slot);
        let offset = w.series.zone().offset_at(begin);
        let repeated = w.series.repeats_every_hour() && w.series.zone().is_repeated(begin);
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
            // Only spelled otherwise, or a time within a window: then that window is meant.
            let respelled = w.format.parse(&canonical).as_ref() == Some(&parsed);
            let near = match respelled {
                true => canonical,
                false => self.text_of(w.series.floor(instant).max(w.first)),
            };
            return refuse(Reason::NotAStart { noun, near });
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
        if self.is_excluded(slot) {
            return refuse(Reason::Excluded);
        }
        Ok((PartitionKey::time(text), self.rank(slot).unsigned_abs()))
    }

    pub(super) fn not_yet(&self, key: &PartitionKey, ordinal: u64) -> PartitionKeyError {
        // It exists when the window `end_offset` before it has ended.
        let ordinal = i64::try_from(ordinal).unwrap_or(i64::MAX);
        let ended = ordinal.saturating_sub(i64::from(self.0.spec.end_offset));
        let until = Timestamp(self.finish(ended) * 1000);
        PartitionKeyError::new(
            &key.display(),
            Reason::NotYet {
                until: until.to_rfc3339(),
            },
        )
    }

    pub(super) fn window(&self, ordinal: u64) -> (Timestamp, Timestamp) {
        let ordinal = i64::try_from(ordinal).unwrap_or(i64::MAX);
        (
            Timestamp(self.begin(ordinal) * 1000),
            Timestamp(self.finish(ordinal) * 1000),
        )
    }

    pub(super) fn example(&self) -> String {
        self.text_of(self.slot(0))
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
