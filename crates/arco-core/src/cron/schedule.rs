//! Crons in a time zone: the public door to instants.

use super::error::CronError;
use super::expression::CronExpression;
use super::instants::{Direction, Instants, Union};
use super::interval;
use crate::Timestamp;
use crate::partition::Zone;

/// One cron or several, in a time zone.
#[derive(Debug, Clone)]
pub struct CronSchedule {
    crons: Vec<CronExpression>,
    zone: Zone,
}

impl CronSchedule {
    /// Reads the crons of a schedule. Several are their union (S-11); each is checked. The zone is an
    /// IANA name, `UTC` by default of those who ask (S-14).
    ///
    /// # Errors
    ///
    /// The first cron that cannot stand, an empty list, or an unknown zone.
    pub fn parse(texts: &[impl AsRef<str>], timezone: &str) -> Result<Self, CronError> {
        if texts.is_empty() {
            return Err(CronError::Empty);
        }
        let crons = texts
            .iter()
            .map(|text| CronExpression::parse(text.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            crons,
            zone: Zone::get(timezone)?,
        })
    }

    /// Its crons, in the order given.
    #[must_use]
    pub fn crons(&self) -> &[CronExpression] {
        &self.crons
    }

    /// The IANA name of its zone.
    #[must_use]
    pub fn timezone(&self) -> &str {
        self.zone.name()
    }

    /// The instants at or after `start`, each once (S-11, S-12). There is always a next one.
    pub fn instants_from(&self, start: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        // An instant is a whole second: the first that is not before `start`.
        let first = start.0.div_euclid(1000) + i64::from(start.0.rem_euclid(1000) != 0);
        self.walk(first, Direction::Forwards)
    }

    /// The instants at or before `end`, the latest first: the same ones, backwards (S-20).
    pub fn instants_before(&self, end: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        self.walk(end.0.div_euclid(1000), Direction::Backwards)
    }

    fn walk(&self, from: i64, direction: Direction) -> impl Iterator<Item = Timestamp> + '_ {
        let each = self
            .crons
            .iter()
            .map(|cron| Instants::new(cron, &self.zone, from, direction))
            .collect();
        Union::new(each, direction).map(|seconds| Timestamp(seconds.saturating_mul(1000)))
    }

    /// An instant as the clock on the wall shows it in the zone: `2026-03-29T02:30:00+02:00`.
    #[must_use]
    pub fn local(&self, instant: Timestamp) -> String {
        let offset = self.zone.offset_at(instant.0.div_euclid(1000));
        let wall = Timestamp(instant.0.saturating_add(offset.saturating_mul(1000)));
        let text = wall.to_rfc3339_seconds();
        let (sign, ahead) = if offset < 0 {
            ('-', -offset)
        } else {
            ('+', offset)
        };
        let (hours, minutes) = (ahead / 3600, ahead % 3600 / 60);
        format!(
            "{}{sign}{hours:02}:{minutes:02}",
            text.trim_end_matches('Z')
        )
    }

    /// The least time between two instants by the clock on the wall, in seconds (S-13). Changes of the
    /// clocks are not counted: that one day of the year has 23 hours makes nothing more frequent.
    #[must_use]
    pub fn smallest_interval_seconds(&self) -> u64 {
        interval::smallest(&self.crons)
    }
}

#[cfg(test)]
mod tests;
