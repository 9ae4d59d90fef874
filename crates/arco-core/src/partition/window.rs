//! Partitions that are windows of time (P-1 to P-15).

use std::sync::Arc;

use super::error::{PartitionKeyError, PartitionsError, Reason};
use super::format::Format;
use super::key::{PartitionKey, PartitionValue};
use super::series::{Series, Zone, civil};
use crate::Timestamp;

mod spec;

#[cfg(test)]
mod tests;

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
