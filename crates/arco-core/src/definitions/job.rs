//! Jobs: named selections of the assets of one code location (M-3).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Definitions, DefinitionsError, RetryPolicy, select};
use crate::partition::PartitionsDef;
use crate::selection::{Selection, SelectionError};
use crate::{AssetKey, run_tag};

/// The job that every location has without defining it: all assets it makes. A run that was asked
/// for by a selection and not by a job is found under this name (Dagster's implicit asset job).
pub const IMPLICIT_JOB: &str = "__ASSET_JOB";

/// One job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobDef {
    /// Name, unique in the location.
    pub name: String,
    /// Which of the location's assets, in the selection language; several are joined by "or".
    #[serde(default)]
    pub selection: Vec<String>,
    /// Which checks are judged, (asset, name); absent means those of its assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<(AssetKey, String)>>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags of the job; its runs carry them too when `run_tags` is absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Tags of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_tags: Option<BTreeMap<String, String>>,
    /// Typed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
    /// Owners: e-mail addresses or `team:NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Configuration of its runs, when none is given with a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// Partitions as declared; what counts is those of its assets, which must be the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<PartitionsDef>,
    /// Retry policy of its steps that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
}

impl JobDef {
    /// The job that a location has without defining it.
    #[must_use]
    pub fn implicit() -> Self {
        Self {
            name: IMPLICIT_JOB.to_owned(),
            selection: vec!["*".to_owned()],
            checks: None,
            description: None,
            tags: BTreeMap::new(),
            run_tags: None,
            metadata: BTreeMap::new(),
            owners: Vec::new(),
            config: None,
            partitions: None,
            retry: None,
        }
    }

    /// The tags that its runs carry.
    #[must_use]
    pub fn tags_of_runs(&self) -> &BTreeMap<String, String> {
        self.run_tags.as_ref().unwrap_or(&self.tags)
    }

    /// Its assets, in order of key: those of the location that its selection selects there.
    ///
    /// # Errors
    /// [`SelectionError`] when the selection cannot be read or evaluated. Not for a job of definitions
    /// that were accepted.
    pub fn assets(&self, definitions: &Definitions) -> Result<Vec<AssetKey>, SelectionError> {
        if self.selection.is_empty() {
            return Ok(Vec::new());
        }
        select::select(definitions, &Selection::parse_all(&self.selection)?)
    }

    /// The partitions definition that its partitioned assets share. `None` when none is partitioned, and
    /// for the implicit job, whose assets may differ.
    #[must_use]
    pub fn partitions_of<'a>(
        &self,
        definitions: &'a Definitions,
        assets: &[AssetKey],
    ) -> Option<&'a PartitionsDef> {
        let mut defs = assets
            .iter()
            .filter_map(|key| definitions.asset(key)?.partitions.as_ref());
        let first = defs.next()?;
        defs.all(|def| def == first).then_some(first)
    }

    pub(super) fn check(&self, definitions: &Definitions) -> Result<(), DefinitionsError> {
        let refused = |reason: String| DefinitionsError::Job {
            job: self.name.clone(),
            location: definitions.location().to_owned(),
            reason,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.name.is_empty() || !self.name.chars().all(plain) {
            return Err(refused(
                "names of jobs consist of letters, digits and `_`".into(),
            ));
        }
        if self.name.starts_with(IMPLICIT_JOB) {
            return Err(refused(format!(
                "names that begin with `{IMPLICIT_JOB}` are reserved; choose another"
            )));
        }
        run_tag::check_keys(&self.tags)
            .and_then(|()| run_tag::check_keys(self.tags_of_runs()))
            .map_err(|error| refused(error.to_string()))?;
        let assets = self
            .assets(definitions)
            .map_err(|e| refused(e.to_string()))?;
        // What is observed can be run, although nothing here makes it.
        let external = |key: &&AssetKey| definitions.asset(key).is_some_and(|a| a.step.is_none());
        if let Some(key) = assets.iter().find(external) {
            return Err(refused(format!(
                "its selection selects `{key}`, which is external: nothing here makes it; leave it out, for \
                 example with `and is:materializable`"
            )));
        }
        let unknown = self
            .checks
            .iter()
            .flatten()
            .find(|(asset, name)| definitions.check(asset, name).is_none());
        if let Some((asset, name)) = unknown {
            return Err(refused(format!(
                "it judges check `{name}` of asset `{asset}`, which the location does not define"
            )));
        }
        self.check_partitions(definitions, &assets).map_err(refused)
    }

    /// All partitioned assets of a job share their partitions, so that one key means one thing.
    fn check_partitions(
        &self,
        definitions: &Definitions,
        assets: &[AssetKey],
    ) -> Result<(), String> {
        let of = |key: &AssetKey| definitions.asset(key).and_then(|a| a.partitions.as_ref());
        let partitioned: Vec<&AssetKey> = assets.iter().filter(|key| of(key).is_some()).collect();
        let Some(first) = partitioned.first() else {
            return Ok(());
        };
        if let Some(other) = partitioned.iter().find(|key| of(key) != of(first)) {
            return Err(format!(
                "its assets `{first}` and `{other}` have different partitions; make a job for each"
            ));
        }
        match &self.partitions {
            Some(given) if Some(given) != of(first) => Err(format!(
                "it is given other partitions than its asset `{first}` has; drop `partitions_def`"
            )),
            _ => Ok(()),
        }
    }
}

impl Definitions {
    /// The jobs, by name.
    pub fn jobs(&self) -> impl Iterator<Item = &JobDef> {
        let mut jobs: Vec<&JobDef> = self.manifest().jobs.iter().collect();
        jobs.sort_by(|a, b| a.name.cmp(&b.name));
        jobs.into_iter()
    }

    /// One job that the location defines.
    #[must_use]
    pub fn job(&self, name: &str) -> Option<&JobDef> {
        self.manifest().jobs.iter().find(|job| job.name == name)
    }

    pub(super) fn check_jobs(&self) -> Result<(), DefinitionsError> {
        let mut names = BTreeSet::new();
        for job in &self.manifest().jobs {
            if !names.insert(&job.name) {
                return Err(DefinitionsError::DuplicateJob {
                    job: job.name.clone(),
                    location: self.location().to_owned(),
                });
            }
            job.check(self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
