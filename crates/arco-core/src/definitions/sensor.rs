//! Sensors as user code declares them: what they look at, how often, and what they may run
//! (`docs/adr/0019-evaluations-and-sensors.md`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schedule::{check_name, check_timeout};
use super::{DefaultStatus, Definitions, DefinitionsError, IMPLICIT_JOB};
use crate::selection::Selection;
use crate::{AssetKey, Digest, graph};

#[cfg(test)]
mod tests;

/// The longest interval of a sensor, seconds: one that looks less often than once a day is a schedule.
const INTERVAL_MAX: u32 = 24 * 60 * 60;
/// Tries of one message or event: more would hold up what comes after it for hours.
const ATTEMPTS_MAX: u32 = 100;
/// Assets that one sensor may watch.
const WATCHED_MAX: usize = 1_000;

/// One sensor of the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensorDef {
    /// Name, unique in the workspace: letters, digits and underscores.
    pub name: String,
    /// What it looks at.
    #[serde(flatten)]
    pub kind: SensorKind,
    /// Jobs of its location that it may run; one is run unless a request names another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<String>,
    /// Assets it may run, in the selection language; several are joined by "or". Empty when jobs are
    /// named, or when it runs nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selection: Vec<String>,
    /// Which key of a run request is the same run.
    #[serde(default, skip_serializing_if = "RunKeyPolicy::is_default")]
    pub run_keys: RunKeyPolicy,
    /// Longest time an evaluation may take (N-2).
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u32,
    /// How often an evaluation of one message or event is tried before it is passed over.
    #[serde(default = "max_attempts")]
    pub max_attempts: u32,
    /// Whether it runs when no operator has said anything.
    #[serde(default)]
    pub default_status: DefaultStatus,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags of the sensor.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Typed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
    /// Owners: e-mail addresses or `team:NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
}

/// What a sensor looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SensorKind {
    /// The world, again and again.
    Poll {
        /// From the begin of one look to the next, at least (N-1).
        #[serde(default = "minimum_interval_seconds")]
        minimum_interval_seconds: u32,
    },
    /// Messages that are pushed to it.
    Push {},
    /// Materializations of these assets, each of them.
    Asset {
        /// The assets, of any location.
        assets: Vec<AssetKey>,
    },
    /// Runs that enter one of these statuses.
    RunStatus {
        /// `started`, `succeeded`, `failed`, `cancelled`.
        statuses: Vec<RunStatusWatched>,
        /// Jobs whose runs count; empty means all runs of the location (N-25).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        monitored_jobs: Vec<String>,
        /// Runs of all locations count (N-25).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        monitor_all_code_locations: bool,
    },
}

/// A status of a run that a sensor may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunStatusWatched {
    /// Its first task began.
    Started,
    /// All of it was done.
    Succeeded,
    /// Part of it failed.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// Which key of a run request is the same run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "policy", rename_all = "snake_case")]
pub enum RunKeyPolicy {
    /// A key is one run, whatever became of it (N-12).
    #[default]
    Once,
    /// A key whose run failed or was cancelled may be asked for again.
    UntilSuccess,
    /// A key may be asked for again so long after its run was requested.
    Window {
        /// How long.
        seconds: u64,
    },
}

/// A sensor that can stand.
#[derive(Debug, Clone)]
pub struct Sensor {
    def: SensorDef,
    digest: Digest,
}

impl PartialEq for Sensor {
    fn eq(&self, other: &Self) -> bool {
        // The rest follows from the declaration.
        self.def == other.def
    }
}

impl Sensor {
    /// Reads a declaration.
    ///
    /// # Errors
    /// [`DefinitionsError::Sensor`], which names the sensor and the mend.
    pub fn read(def: &SensorDef) -> Result<Self, DefinitionsError> {
        check(def).map_err(|reason| DefinitionsError::Sensor {
            sensor: def.name.clone(),
            reason,
        })?;
        Ok(Self {
            digest: Digest::of_json(def),
            def: def.clone(),
        })
    }

    /// As declared.
    #[must_use]
    pub fn def(&self) -> &SensorDef {
        &self.def
    }

    /// Version of the declaration: what its evaluations record.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// From the begin of one look to the next, milliseconds; `None` when it does not poll.
    #[must_use]
    pub fn interval_ms(&self) -> Option<u64> {
        match self.def.kind {
            SensorKind::Poll {
                minimum_interval_seconds,
            } => Some(u64::from(minimum_interval_seconds) * 1000),
            _ => None,
        }
    }

    /// Longest time an evaluation may take, milliseconds.
    #[must_use]
    pub fn timeout_ms(&self) -> u64 {
        u64::from(self.def.timeout_seconds) * 1000
    }
}

impl SensorKind {
    /// The word in manifests and answers.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Poll { .. } => "poll",
            Self::Push {} => "push",
            Self::Asset { .. } => "asset",
            Self::RunStatus { .. } => "run_status",
        }
    }
}

impl RunStatusWatched {
    /// The word in manifests and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

fn check(def: &SensorDef) -> Result<(), String> {
    check_name(&def.name)?;
    check_timeout(def.timeout_seconds)?;
    if !(1..=ATTEMPTS_MAX).contains(&def.max_attempts) {
        return Err(format!(
            "`max_attempts` is {}, and must be 1 to {ATTEMPTS_MAX}",
            def.max_attempts
        ));
    }
    if !def.jobs.is_empty() && !def.selection.is_empty() {
        return Err("it names jobs and assets; give one of the two".into());
    }
    if !def.selection.is_empty() {
        Selection::parse_all(&def.selection).map_err(|error| error.to_string())?;
    }
    if let RunKeyPolicy::Window { seconds: 0 } = def.run_keys {
        return Err("a window of 0 seconds holds no run key; leave out the run keys".into());
    }
    match &def.kind {
        SensorKind::Poll {
            minimum_interval_seconds: seconds,
        } if !(1..=INTERVAL_MAX).contains(seconds) => Err(format!(
            "its minimum interval is {seconds} seconds, and must be 1 to {INTERVAL_MAX}; a schedule does what is rarer"
        )),
        SensorKind::Asset { assets } if assets.is_empty() => {
            Err("it watches no asset; name one".into())
        }
        SensorKind::Asset { assets } if assets.len() > WATCHED_MAX => Err(format!(
            "it watches {} assets, and may watch {WATCHED_MAX}; make several sensors of it",
            assets.len()
        )),
        SensorKind::RunStatus { statuses, .. } if statuses.is_empty() => {
            Err("it waits for no status of a run; name one".into())
        }
        SensorKind::RunStatus {
            monitored_jobs,
            monitor_all_code_locations: true,
            ..
        } if !monitored_jobs.is_empty() => Err(
            "it names monitored jobs and monitors all code locations; give one of the two".into(),
        ),
        _ => Ok(()),
    }
}

impl Definitions {
    /// What sensors name is there. Assets that are watched may be of other locations, or come later.
    pub(super) fn check_sensors(&self) -> Result<(), DefinitionsError> {
        for def in &self.manifest().sensors {
            let monitored: &[String] = match &def.kind {
                SensorKind::RunStatus { monitored_jobs, .. } => monitored_jobs,
                _ => &[],
            };
            for job in def.jobs.iter().chain(monitored) {
                self.check_names_job(job)
                    .map_err(|reason| DefinitionsError::Sensor {
                        sensor: def.name.clone(),
                        reason,
                    })?;
            }
        }
        Ok(())
    }

    /// A job that a schedule or sensor names is defined in its location.
    pub(super) fn check_names_job(&self, job: &str) -> Result<(), String> {
        if job == IMPLICIT_JOB || self.job(job).is_some() {
            return Ok(());
        }
        let names = self.jobs().map(|job| job.name.as_str());
        let hint = graph::did_you_mean(job, names).map_or_else(
            || "; define it, or name assets in its place".to_owned(),
            |near| format!("; did you mean `{near}`?"),
        );
        Err(format!(
            "its job `{job}` is not defined in its location{hint}"
        ))
    }
}

impl RunKeyPolicy {
    /// The word in manifests and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::UntilSuccess => "until_success",
            Self::Window { .. } => "window",
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn minimum_interval_seconds() -> u32 {
    30
}

fn timeout_seconds() -> u32 {
    60
}

fn max_attempts() -> u32 {
    5
}
