//! Facts about schedules and their ticks (`docs/adr/0014-schedules.md`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Asked, ErrorInfo, PartitionsChange};
use crate::{BackfillId, Digest, RunId, Timestamp};

/// What names a tick: one due instant of one schedule. Text: `nightly:2026-01-31T02:00:00Z`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TickId {
    /// The schedule.
    pub schedule: String,
    /// The due instant, a whole second.
    pub instant: Timestamp,
}

impl fmt::Display for TickId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.schedule, self.instant.to_rfc3339_seconds())
    }
}

/// Text that is not the id of a tick.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tick; ticks look like `nightly:2026-01-31T02:00:00Z`")]
pub struct TickIdError(String);

impl FromStr for TickId {
    type Err = TickIdError;

    fn from_str(text: &str) -> Result<Self, TickIdError> {
        let parsed = text.split_once(':').and_then(|(schedule, instant)| {
            Some(Self {
                schedule: schedule.to_owned(),
                instant: Timestamp::parse_rfc3339(instant)?,
            })
        });
        parsed.ok_or_else(|| TickIdError(text.to_owned()))
    }
}

/// An operator set a schedule going, whatever the code says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleStarted {
    /// The schedule.
    pub schedule: String,
}

/// An operator stopped a schedule, whatever the code says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleStopped {
    /// The schedule.
    pub schedule: String,
}

/// An operator left it to the code again whether a schedule runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleReset {
    /// The schedule.
    pub schedule: String,
}

/// What came of a tick. In one segment with the requests of its runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickFinished {
    /// Which tick.
    #[serde(flatten)]
    pub tick: TickId,
    /// Version of the schedule's declaration.
    pub version: Digest,
    /// What came of it.
    pub outcome: TickOutcome,
    /// Which try it was, when its function was tried more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Changes of dynamic partitions, made before its runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic_partitions: Vec<PartitionsChange>,
    /// What asking its function was like; absent for one that is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// What came of a tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TickOutcome {
    /// Runs were requested: these, in order.
    Succeeded {
        /// The runs.
        runs: Vec<RunId>,
        /// The backfills, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        backfills: Vec<BackfillId>,
    },
    /// There was nothing to run.
    Skipped {
        /// Why, for people.
        reason: String,
    },
    /// It could not be said what to run; nothing was requested.
    Failed {
        /// What went wrong.
        error: ErrorInfo,
    },
}

/// Instants that passed and are never fired: all that the schedule has from the first to the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicksMissed {
    /// The schedule.
    pub schedule: String,
    /// The first instant.
    pub first: Timestamp,
    /// The last instant.
    pub last: Timestamp,
    /// How many there are.
    pub count: u64,
    /// Version of the schedule's declaration.
    pub version: Digest,
    /// Why.
    pub reason: MissedReason,
}

/// Old ticks moved from memory to a history object: of each schedule named, those up to an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicksPacked {
    /// How the log finds the object again (`HistoryRef` of `arco-log`).
    pub object: Value,
    /// Schedule → the last instant that moved.
    pub through: BTreeMap<String, Timestamp>,
}

/// Why an instant that passed is not fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MissedReason {
    /// Catch-up is `skip`, and it was late.
    Late,
    /// Catch-up is `latest`, and a newer instant was due too.
    NotLatest,
    /// It is older than the window of the catch-up.
    OutsideWindow,
    /// Catch-up is `all`, and so many newer instants were due as may be caught up.
    OverMaxTicks,
}

impl MissedReason {
    /// For people.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Late => "it was late, and the catch-up policy is `skip`",
            Self::NotLatest => "a newer instant was due too, and the catch-up policy is `latest`",
            Self::OutsideWindow => "it was older than the catch-up window",
            Self::OverMaxTicks => "more instants were due than the catch-up's `max_ticks`",
        }
    }
}
