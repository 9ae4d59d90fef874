//! What user code says of its windows.

use serde::{Deserialize, Serialize};

use crate::partition::error::PartitionsError;

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
    /// At the instants of a cron.
    Cron,
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
            Self::Cron => "cron",
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

    pub(in crate::partition) fn default_day_offset(self) -> u8 {
        u8::from(self == Self::Monthly)
    }
}

/// What user code says of its windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeWindowSpec {
    /// How often a window begins.
    pub cadence: Cadence,
    /// The cron at whose instants windows begin, for that cadence and no other.
    pub cron: Option<String>,
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
    /// Windows that are no partitions: local times at which one begins, and crons (P-9).
    pub exclusions: Vec<String>,
}

impl TimeWindowSpec {
    /// Windows in UTC from `start` (`2024-01-01` or `2024-01-01T00:00:00`), the rest by default.
    #[must_use]
    pub fn of(cadence: Cadence, start: &str) -> Self {
        Self {
            cadence,
            cron: None,
            exclusions: Vec::new(),
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

    /// Windows in UTC that begin at the instants of a cron.
    #[must_use]
    pub fn cron(cron: &str, start: &str, fmt: &str) -> Self {
        Self {
            cron: Some(cron.into()),
            fmt: fmt.into(),
            ..Self::of(Cadence::Cron, start)
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

/// Refuses offsets that do not fit the cadence.
pub(super) fn check_offsets(spec: &TimeWindowSpec) -> Result<(), PartitionsError> {
    let refuse = |what: &str, value: u8, mend: &str| {
        Err(PartitionsError(format!(
            "{what}={value} does not fit {} partitions; {mend}",
            spec.cadence.noun()
        )))
    };
    let offsets = [
        ("minute_offset", spec.minute_offset),
        ("hour_offset", spec.hour_offset),
        ("day_offset", spec.day_offset),
    ];
    let of_a_cron = offsets.into_iter().find(|(_, value)| *value != 0);
    match (spec.cadence, &spec.cron, of_a_cron) {
        (Cadence::Cron, None, _) => {
            return Err(PartitionsError(
                "cron partitions have no cron; give one such as `0 */6 * * *`".into(),
            ));
        }
        (Cadence::Cron, Some(_), Some((what, value))) => {
            return refuse(what, value, "say it in the cron");
        }
        (Cadence::Cron, Some(_), None) | (_, None, _) => {}
        (_, Some(cron), _) => {
            return Err(PartitionsError(format!(
                "{} partitions have the cron `{cron}` too; give one or the other",
                spec.cadence.noun()
            )));
        }
    }
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
