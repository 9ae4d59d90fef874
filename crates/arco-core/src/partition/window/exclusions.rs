//! Windows that are left out (P-9): by their start, or by crons that are due at it.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use super::instant;
use crate::Timestamp;
use crate::cron::CronSchedule;
use crate::partition::Zone;
use crate::partition::error::PartitionsError;
use crate::partition::series::{LISTED_MAX, Series, civil};

/// How far before the first window exclusions are looked at: mappings with offsets reach so far.
const BEFORE: i64 = 100;

/// What is left out of a row of windows. The slots are listed as they are asked for, and kept.
#[derive(Debug)]
pub(super) struct Exclusions {
    instants: BTreeSet<i64>,
    crons: Option<CronSchedule>,
    listed: RwLock<Listed>,
}

#[derive(Debug, Default)]
struct Listed {
    /// Slots before this one were looked at.
    until: Option<i64>,
    /// Those left out, in order.
    slots: Vec<i64>,
}

impl Exclusions {
    /// Reads exclusions: local times, and crons.
    pub(super) fn read(texts: &[String], zone: &Zone) -> Result<Option<Self>, PartitionsError> {
        let (times, crons): (Vec<&String>, Vec<&String>) =
            texts.iter().partition(|text| civil::parse(text).is_some());
        let instants = times.iter().map(|text| instant("exclusion", text, zone));
        let crons = match crons.as_slice() {
            [] => None,
            some => Some(CronSchedule::parse(some, zone.name()).map_err(|error| {
                PartitionsError(format!("an exclusion is a local time or a cron; {error}"))
            })?),
        };
        let instants: BTreeSet<i64> = instants.collect::<Result<_, _>>()?;
        Ok((!texts.is_empty()).then_some(Self {
            instants,
            crons,
            listed: RwLock::default(),
        }))
    }

    /// How many slots in `from..to` are left out; `first` is the slot of the first window.
    pub(super) fn count(&self, series: &Series, first: i64, from: i64, to: i64) -> i64 {
        let listed = self.listed.read().unwrap_or_else(PoisonError::into_inner);
        if listed.until.is_some_and(|until| to <= until) {
            return listed.count(from, to);
        }
        drop(listed);
        let mut listed = self.listed.write().unwrap_or_else(PoisonError::into_inner);
        self.list(&mut listed, series, first, to);
        listed.count(from, to)
    }

    fn list(&self, listed: &mut Listed, series: &Series, first: i64, to: i64) {
        // More than was asked for, so that the next question finds it.
        let from = listed.until.unwrap_or(first - BEFORE);
        let until = to.max(from + BEFORE * 4).min(first + LISTED_MAX);
        if until <= from {
            return;
        }
        // The next instant of the crons that may be a start: between it and the last one nothing is due,
        // so a cron finer than the windows is asked once a window, a coarser one once an instant.
        let mut due = i64::MIN;
        for slot in from..until {
            let start = series.start(slot);
            if start > due {
                due = self.due_from(start);
            }
            if start == due || self.instants.contains(&start) {
                listed.slots.push(slot);
            }
        }
        listed.until = Some(until);
    }

    fn due_from(&self, instant: i64) -> i64 {
        let crons = self.crons.as_ref();
        let next = crons.and_then(|crons| crons.instants_from(Timestamp(instant * 1000)).next());
        next.map_or(i64::MAX, |at| at.0.div_euclid(1000))
    }
}

impl Listed {
    fn count(&self, from: i64, to: i64) -> i64 {
        let before = |slot: i64| self.slots.partition_point(|out| *out < slot) as i64;
        (before(to) - before(from)).max(0)
    }
}
