//! The least time between two instants of some crons, by the calendar alone (S-13).

use super::expression::{CYCLE_DAYS, CronExpression};

const MINUTES_OF_DAY: i64 = 1440;

/// Seconds. The calendar's cycle of 400 years is looked at as a whole, so that the answer does not
/// depend on where one begins; it ends early when nothing less can come.
pub(super) fn smallest(crons: &[CronExpression]) -> u64 {
    let mut smallest = i64::MAX;
    let mut first_of_cycle = None;
    let mut previous: Option<i64> = None;
    let mut merged = Merged::default();
    for day in 0..CYCLE_DAYS {
        let times = merged.of(crons, day);
        let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
            continue;
        };
        let begin = day * MINUTES_OF_DAY + i64::from(first);
        if let Some(previous) = previous {
            smallest = smallest.min(begin - previous);
        }
        for pair in times.windows(2) {
            smallest = smallest.min(i64::from(pair[1]) - i64::from(pair[0]));
        }
        first_of_cycle.get_or_insert(begin);
        previous = Some(day * MINUTES_OF_DAY + i64::from(last));
        if smallest == 1 {
            break;
        }
    }
    if let (Some(first), Some(last)) = (first_of_cycle, previous) {
        smallest = smallest.min(first + CYCLE_DAYS * MINUTES_OF_DAY - last);
    }
    u64::try_from(smallest).map_or(0, |minutes| minutes.saturating_mul(60))
}

/// The minutes of a day on which some of the crons are due; kept while the same ones are.
#[derive(Default)]
struct Merged {
    due: Vec<bool>,
    times: Vec<u16>,
}

impl Merged {
    fn of(&mut self, crons: &[CronExpression], day: i64) -> &[u16] {
        let due: Vec<bool> = crons.iter().map(|cron| cron.is_due_on(day)).collect();
        if due != self.due {
            self.times = crons
                .iter()
                .zip(&due)
                .filter(|(_, due)| **due)
                .flat_map(|(cron, _)| cron.minutes().iter().copied())
                .collect();
            self.times.sort_unstable();
            self.times.dedup();
            self.due = due;
        }
        &self.times
    }
}
