//! One time zone, in seconds. `jiff` and its bundled database answer; this says which of several
//! answers is ours at a change of the clocks.

use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::{DAY, civil};

/// Past this year the database has no changes but those that repeat every year.
const LAST_LISTED_YEAR: i64 = 2040;

/// A time zone.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Fixed(i64),
    Changing(TimeZone),
}

/// One change of the clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) at: i64,
    pub(super) before: i64,
    pub(super) after: i64,
}

impl Zone {
    /// The zone named exactly `name`.
    pub(super) fn find(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        if zone.iana_name() != Some(name) {
            return None;
        }
        let kind = match zone.to_fixed_offset() {
            Ok(offset) => Kind::Fixed(i64::from(offset.seconds())),
            Err(_) => Kind::Changing(zone),
        };
        Some(Self {
            name: name.into(),
            kind,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Seconds that local time is ahead of UTC at `instant`.
    pub(crate) fn offset_at(&self, instant: i64) -> i64 {
        match &self.kind {
            Kind::Fixed(offset) => *offset,
            Kind::Changing(zone) => i64::from(zone.to_offset(timestamp(instant)).seconds()),
        }
    }

    /// The instant of a local time: after a gap its end, of two the second (S-17, S-18).
    pub(crate) fn resolve_last(&self, local: i64) -> i64 {
        match self.ambiguous(local) {
            AmbiguousOffset::Unambiguous { offset } => local - seconds(offset),
            AmbiguousOffset::Fold { after, .. } => local - seconds(after),
            AmbiguousOffset::Gap { before, after } => self.change(local, before, after),
        }
    }

    /// The instant of a local time as `start`, `end` and keys give it: of two the first, in a gap as
    /// if the clocks had not changed yet.
    pub(crate) fn resolve_first(&self, local: i64) -> i64 {
        match self.ambiguous(local) {
            AmbiguousOffset::Unambiguous { offset } => local - seconds(offset),
            AmbiguousOffset::Fold { before, .. } | AmbiguousOffset::Gap { before, .. } => {
                local - seconds(before)
            }
        }
    }

    /// Whether the local time of `instant` has been before, an hour or so ago (P-13).
    pub(crate) fn is_repeated(&self, instant: i64) -> bool {
        if matches!(self.kind, Kind::Fixed(_)) {
            return false;
        }
        let offset = self.offset_at(instant);
        matches!(
            self.ambiguous(instant + offset),
            AmbiguousOffset::Fold { after, .. } if seconds(after) == offset
        )
    }

    /// Every change the database lists, in order; none for a fixed zone.
    pub(super) fn changes(&self) -> Vec<Change> {
        let Kind::Changing(zone) = &self.kind else {
            return Vec::new();
        };
        let last = civil::days(LAST_LISTED_YEAR, 1, 1) * DAY;
        let mut before = i64::from(zone.to_offset(jiff::Timestamp::MIN).seconds());
        let mut changes = Vec::new();
        for change in zone.following(jiff::Timestamp::MIN) {
            let at = change.timestamp().as_second();
            if at > last {
                break;
            }
            let after = seconds(change.offset());
            if after != before {
                changes.push(Change { at, before, after });
            }
            before = after;
        }
        changes
    }

    /// Days whose window at `time` would begin on another day, because the zone left the time out
    /// (Apia had no 30 December 2011). They have no window, else two windows would have one key (D-25).
    pub(super) fn days_left_out(&self, time: i64) -> Vec<i64> {
        let mut days = Vec::new();
        for change in self.changes() {
            let (gap_from, gap_to) = (change.at + change.before, change.at + change.after);
            for day in gap_from.div_euclid(DAY)..gap_to.div_euclid(DAY) {
                if (gap_from..gap_to).contains(&(day * DAY + time)) {
                    days.push(day);
                }
            }
        }
        days
    }

    /// Whether the zone left a whole day out of its calendar, as Apia did with 30 December 2011 (D-25).
    pub(crate) fn leaves_out_day(&self, day: i64) -> bool {
        let is_gap = |local| matches!(self.ambiguous(local), AmbiguousOffset::Gap { .. });
        is_gap(day * DAY) && is_gap(day * DAY + DAY - 1)
    }

    /// The time around `instant` in which the clocks do not change: from the last change, which belongs
    /// to it, until the next, which does not.
    pub(crate) fn stretch(&self, instant: i64) -> (i64, i64) {
        let Kind::Changing(zone) = &self.kind else {
            return (i64::MIN, i64::MAX);
        };
        let last = zone.preceding(timestamp(instant.saturating_add(1))).next();
        let next = zone.following(timestamp(instant)).next();
        (
            last.map_or(i64::MIN, |change| change.timestamp().as_second()),
            next.map_or(i64::MAX, |change| change.timestamp().as_second()),
        )
    }

    fn ambiguous(&self, local: i64) -> AmbiguousOffset {
        match &self.kind {
            Kind::Fixed(offset) => AmbiguousOffset::Unambiguous {
                offset: Offset::from_seconds(i32::try_from(*offset).unwrap_or(0))
                    .unwrap_or(Offset::UTC),
            },
            Kind::Changing(zone) => zone
                .to_ambiguous_timestamp(Offset::UTC.to_datetime(timestamp(local)))
                .offset(),
        }
    }

    /// The instant of the change that left out `local`.
    fn change(&self, local: i64, before: Offset, after: Offset) -> i64 {
        let earlier = timestamp(local - seconds(after) - 1);
        let fallback = local - seconds(before);
        match &self.kind {
            Kind::Fixed(_) => fallback,
            Kind::Changing(zone) => zone
                .following(earlier)
                .next()
                .map_or(fallback, |change| change.timestamp().as_second()),
        }
    }
}

fn seconds(offset: Offset) -> i64 {
    i64::from(offset.seconds())
}

/// Clamped to what `jiff` can say; validation keeps real windows far inside.
fn timestamp(instant: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(instant).unwrap_or(if instant < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    })
}
