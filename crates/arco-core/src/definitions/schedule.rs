//! Schedules as user code declares them: when they are due, and what is done then
//! (`docs/adr/0014-schedules.md`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Definitions, DefinitionsError, IMPLICIT_JOB};
use crate::cron::CronSchedule;
use crate::selection::Selection;
use crate::{Digest, graph};

#[cfg(test)]
mod tests;

/// Characters a name may have.
const NAME_MAX: usize = 200;
/// Texts a cron list may have: a schedule with more is several schedules.
const CRONS_MAX: usize = 50;

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
    /// User code says what a tick runs, which is refused so far: a later SDK must not have its schedules
    /// taken for declared ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub function: bool,
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
        match (def.selection.is_empty(), &def.job) {
            (false, None) => {
                Selection::parse_all(&def.selection).map_err(|error| refuse(error.to_string()))?;
            }
            (true, Some(_)) => {}
            (true, None) => return Err(refuse("it runs nothing; give it a job or assets".into())),
            (false, Some(_)) => {
                return Err(refuse(
                    "it names a job and assets; give one of the two".into(),
                ));
            }
        }
        if def.function {
            return Err(refuse(
                "a function says what it runs, which this server cannot ask; upgrade the server, or declare what runs".into(),
            ));
        }
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

    /// Version of its crons and zone: when this changes, it counts from its deploy (D-24).
    #[must_use]
    pub fn timing(&self) -> Digest {
        self.timing
    }
}

impl Definitions {
    pub(super) fn check_schedules(&self) -> Result<(), DefinitionsError> {
        let known = |name: &str| name == IMPLICIT_JOB || self.job(name).is_some();
        for def in &self.manifest().schedules {
            if let Some(job) = def.job.as_deref().filter(|name| !known(name)) {
                let names = self.jobs().map(|job| job.name.as_str());
                let hint = graph::did_you_mean(job, names).map_or_else(
                    || "; define it, or give the schedule assets".to_owned(),
                    |near| format!("; did you mean `{near}`?"),
                );
                return Err(DefinitionsError::Schedule {
                    schedule: def.name.clone(),
                    reason: format!("its job `{job}` is not defined in its location{hint}"),
                });
            }
        }
        Ok(())
    }
}

/// Dagster's rule for names (`^[A-Za-z0-9_]+$`), so that a name can stand in a path and a tick's id.
fn check_name(name: &str) -> Result<(), String> {
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
