//! The instants at which a local clock shows a given minute: real hours (P-12, P-13, P-15).
//!
//! Where a zone only ever moves by whole hours these are one arithmetic row. Where it has moved by a
//! part of an hour (Lord Howe does twice a year) the row has a new phase after each change, and a
//! table of the stretches between changes keeps slots without holes.

use super::Zone;

const HOUR: i64 = 3600;

/// A row of real hours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hours {
    /// By begin. The first one reaches back for ever, the last one forward.
    stretches: Vec<Stretch>,
}

#[derive(Debug, PartialEq, Eq)]
struct Stretch {
    /// First begin of a window in it.
    from: i64,
    /// Slot of that window.
    slot: i64,
}

impl Hours {
    /// Hours that begin `minute` seconds after the local hour. Changes long before `start` are left
    /// out of the table: nothing asks about windows there.
    pub(super) fn new(zone: &Zone, minute: i64, start: i64) -> Self {
        const YEARS_KEPT: i64 = 2 * 366 * 86_400;
        let changes: Vec<_> = zone
            .changes()
            .into_iter()
            .filter(|change| change.at > start - YEARS_KEPT)
            .collect();
        let first_offset = changes
            .first()
            .map_or_else(|| zone.offset_at(start), |change| change.before);
        let phase = (minute - first_offset).rem_euclid(HOUR);
        let mut stretches = vec![Stretch {
            from: phase,
            slot: 0,
        }];
        for change in changes {
            if (change.after - change.before).rem_euclid(HOUR) == 0 {
                continue;
            }
            let from = change.at + (minute - change.after - change.at).rem_euclid(HOUR);
            // The next slot after the last window that began before the change.
            let slot = slot_before(&stretches, change.at - 1) + 1;
            stretches.push(Stretch { from, slot });
        }
        Self { stretches }
    }

    pub(super) fn start(&self, slot: i64) -> i64 {
        let stretch = last_where(&self.stretches, |stretch| stretch.slot <= slot);
        stretch.from + (slot - stretch.slot) * HOUR
    }

    pub(super) fn guess(&self, instant: i64) -> i64 {
        slot_before(&self.stretches, instant)
    }
}

fn slot_before(stretches: &[Stretch], instant: i64) -> i64 {
    let stretch = last_where(stretches, |stretch| stretch.from <= instant);
    stretch.slot + (instant - stretch.from).div_euclid(HOUR)
}

fn last_where(stretches: &[Stretch], holds: impl Fn(&Stretch) -> bool) -> &Stretch {
    let after = stretches[1..].partition_point(holds);
    &stretches[after]
}
