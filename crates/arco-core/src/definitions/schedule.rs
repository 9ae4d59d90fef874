//! Schedules as user code declares them: when they are due, and what is done then
//! (`docs/adr/0014-schedules.md`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Definitions, DefinitionsError};
use crate::Digest;
use crate::cron::CronSchedule;
use crate::selection::Selection;

#[cfg(test)]
mod tests;

/// Characters a name may have.
const NAME_MAX: usize = 200;
/// Texts a cron list may have: a schedule with more is several schedules.
const CRONS_MAX: usize = 50;
/// The longest time an evaluation may take, seconds.
const TIMEOUT_MAX: u32 = 60 * 60;
/// Retries of one tick: the pauses between them grow to ten minutes, so these take most of a day.
const RETRIES_MAX: u32 = 100;

/// One schedule of the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleDef {
    /// Name, unique in the workspace.
    pub name: String,
    /// Cron texts; it is due at the union of their instants (S-11).
    pub cron: Vec<String>,
    /// IANA name of the zone the crons are read in (S-14).
    #[serde(default = "utc")]
    pub timezone: String,
    /// The assets it runs, in the selection language; several are joined by "or". Empty when a job is
    /// named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selection: Vec<String>,
    /// The job it runs, of its own location. Absent when a selection is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Of a schedule with a function that may run several: the jobs, in place of `job`. A run request
    /// names one of them (S-40).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<String>,
    /// Which partitions each tick runs; absent when the target is not partitioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionRule>,
    /// Run configuration of its runs.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub config: Value,
    /// Tags of its runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Typed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
    /// Owners: e-mail addresses or `team:NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Whether it runs when no operator has said anything (S-22).
    #[serde(default)]
    pub default_status: DefaultStatus,
    /// What happens to instants that passed while nobody could fire them.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// User code says what a tick runs (`docs/adr/0019-evaluations-and-sensors.md`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub function: bool,
    /// Longest time its function may take (S-30); absent for 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// How often a tick whose function failed is tried again (S-28).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_retries: u32,
}

/// Which partitions a tick runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PartitionRule {
    /// The last window that exists at the instant of the tick (S-44), each in a run of its own; of a
    /// dimension that is not time every key (S-46).
    Last,
}

/// Whether a schedule or sensor runs when no operator has said anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DefaultStatus {
    /// It waits to be started.
    #[default]
    Stopped,
    /// It runs from the deploy on.
    Running,
}

/// What happens to instants that passed while nobody could fire them (D-1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchUp {
    /// Which of them are fired.
    #[serde(default)]
    pub policy: CatchUpPolicy,
    /// Instants older than this are not fired under any policy. Absent: as old as may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
    /// Under [`CatchUpPolicy::All`] the newest so many are fired.
    #[serde(default = "max_ticks")]
    pub max_ticks: u32,
}

impl Default for CatchUp {
    fn default() -> Self {
        Self {
            policy: CatchUpPolicy::default(),
            window_seconds: None,
            max_ticks: max_ticks(),
        }
    }
}

/// Which overdue instants are fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CatchUpPolicy {
    /// None that is a minute late or more.
    Skip,
    /// The newest alone, as Dagster does (S-34).
    #[default]
    Latest,
    /// All of them, oldest first.
    All,
}

impl CatchUpPolicy {
    /// The word in manifests and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Latest => "latest",
            Self::All => "all",
        }
    }
}

/// A schedule that can stand, with its crons read.
#[derive(Debug, Clone)]
pub struct Schedule {
    def: ScheduleDef,
    cron: CronSchedule,
    digest: Digest,
    timing: Digest,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        // The rest follows from the declaration.
        self.def == other.def
    }
}

impl Schedule {
    /// Reads a declaration.
    ///
    /// # Errors
    /// [`DefinitionsError::Schedule`], which names the schedule and the mend.
    pub fn read(def: &ScheduleDef) -> Result<Self, DefinitionsError> {
        let refuse = |reason: String| DefinitionsError::Schedule {
            schedule: def.name.clone(),
            reason,
        };
        check_name(&def.name).map_err(refuse)?;
        if def.cron.len() > CRONS_MAX {
            let many = def.cron.len();
            return Err(refuse(format!(
                "it has {many} crons, and may have {CRONS_MAX}; make several schedules of it"
            )));
        }
        let cron = CronSchedule::parse(&def.cron, &def.timezone)
            .map_err(|error| refuse(error.to_string()))?;
        let names_job = def.job.is_some() || !def.jobs.is_empty();
        match (def.selection.is_empty(), names_job) {
            (false, false) => {
                Selection::parse_all(&def.selection).map_err(|error| refuse(error.to_string()))?;
            }
            (true, true) => {}
            (true, false) => return Err(refuse("it runs nothing; give it a job or assets".into())),
            (false, true) => {
                return Err(refuse(
                    "it names a job and assets; give one of the two".into(),
                ));
            }
        }
        check_function(def).map_err(refuse)?;
        if def.catch_up.max_ticks == 0 {
            return Err(refuse(
                "catch-up with `max_ticks` 0 fires nothing; use the policy `skip` to say that"
                    .into(),
            ));
        }
        Ok(Self {
            cron,
            digest: Digest::of_json(def),
            timing: Digest::of_json(&(&def.cron, &def.timezone)),
            def: def.clone(),
        })
    }

    /// As declared.
    #[must_use]
    pub fn def(&self) -> &ScheduleDef {
        &self.def
    }

    /// When it is due.
    #[must_use]
    pub fn cron(&self) -> &CronSchedule {
        &self.cron
    }

    /// Version of the declaration: what its ticks record.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Longest time its function may take, milliseconds (S-30).
    #[must_use]
    pub fn timeout_ms(&self) -> u64 {
        u64::from(self.def.timeout_seconds.unwrap_or(60)) * 1000
    }

    /// Version of its crons and zone: when this changes, it counts from its deploy (D-24).
    #[must_use]
    pub fn timing(&self) -> Digest {
        self.timing
    }
}

impl Definitions {
    pub(super) fn check_schedules(&self) -> Result<(), DefinitionsError> {
        for def in &self.manifest().schedules {
            for job in def.job.iter().chain(&def.jobs) {
                self.check_names_job(job)
                    .map_err(|reason| DefinitionsError::Schedule {
                        schedule: def.name.clone(),
                        reason,
                    })?;
            }
        }
        Ok(())
    }
}

/// What only a schedule with a function may say, and what it may not.
fn check_function(def: &ScheduleDef) -> Result<(), String> {
    if let Some(seconds) = def.timeout_seconds {
        check_timeout(seconds)?;
    }
    if def.max_retries > RETRIES_MAX {
        return Err(format!(
            "`max_retries` is {}, and may be {RETRIES_MAX}",
            def.max_retries
        ));
    }
    if def.job.is_some() && !def.jobs.is_empty() {
        return Err("it has `job` and `jobs`; give one of the two".into());
    }
    if !def.function && !def.jobs.is_empty() {
        return Err(
            "it has several jobs and no function to choose among them; give it one `job`".into(),
        );
    }
    if def.function && def.partitions.is_some() {
        return Err(
            "its function says which partitions it runs; leave out `partitions`, or the function"
                .into(),
        );
    }
    Ok(())
}

pub(super) fn check_timeout(seconds: u32) -> Result<(), String> {
    if (1..=TIMEOUT_MAX).contains(&seconds) {
        return Ok(());
    }
    Err(format!(
        "its time limit is {seconds} seconds, and must be 1 to {TIMEOUT_MAX}; what takes longer belongs in an asset"
    ))
}

/// Dagster's rule for names (`^[A-Za-z0-9_]+$`), so that a name can stand in a path and a tick's id.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
        return Err(format!(
            "its name must be 1 to {NAME_MAX} letters, digits and underscores"
        ));
    }
    Ok(())
}

fn utc() -> String {
    "UTC".into()
}

fn max_ticks() -> u32 {
    100
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference to skip_serializing_if"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
