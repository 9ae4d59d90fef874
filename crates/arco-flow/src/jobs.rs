//! Jobs: from the name of a job to the assets, tags and configuration of a run of it.
//!
//! A job selects among what its own location makes, as that location declares it. It is resolved when a
//! run is asked for, against the definitions deployed then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arco_core::definitions::{Catalog, Definitions, IMPLICIT_JOB, JobDef, RetryPolicy};
use arco_core::event::JobRef;
use arco_core::selection::{Selection, SelectionError};
use arco_core::{AssetKey, graph};
use serde_json::Value;
use thiserror::Error;

use crate::Rejection;
use crate::selection_graph::{select, select_within};
use crate::state::{Run, State};

#[cfg(test)]
mod tests;

/// Assets named when a selection selects nothing of a job: enough to see the mistake.
const ASSETS_NAMED: usize = 10;

/// A job as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobAsk {
    /// Its name.
    pub name: String,
    /// Its code location; needed when several have a job of this name.
    pub location: Option<String>,
}

/// A job that is defined.
#[derive(Debug, Clone, Copy)]
pub struct JobFound<'a> {
    /// Its location's definitions.
    pub definitions: &'a Arc<Definitions>,
    /// The job.
    pub job: &'a JobDef,
}

/// What a run of a job is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRun {
    /// The job, for the run to know; `None` for the implicit job, which is no job.
    pub job: Option<JobRef>,
    /// Its assets, or those of them that are selected. Not empty unless there are checks.
    pub assets: Vec<AssetKey>,
    /// Its checks, (asset, name); `None` for those of the assets.
    pub checks: Option<Vec<(AssetKey, String)>>,
    /// Tags for its runs.
    pub tags: BTreeMap<String, String>,
    /// Configuration of its runs when none is given.
    pub config: Value,
}

/// Why a job cannot be run.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum JobError {
    /// What is asked is not there.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The selection within the job cannot be read or evaluated.
    #[error(transparent)]
    Selection(#[from] SelectionError),
}

/// A job by name.
///
/// # Errors
/// [`Rejection::UnknownJob`]; [`Rejection::AmbiguousJob`] when several locations have one of the name.
pub fn find<'a>(catalog: &'a Catalog, ask: &JobAsk) -> Result<JobFound<'a>, Rejection> {
    let within = |location: &str| ask.location.as_deref().is_none_or(|of| of == location);
    let mut found: Vec<JobFound<'a>> = Vec::new();
    for (location, definitions) in catalog.locations() {
        if within(location)
            && let Some(job) = definitions.job(&ask.name)
        {
            found.push(JobFound { definitions, job });
        }
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(unknown(catalog, ask)),
        many => Err(Rejection::AmbiguousJob {
            job: ask.name.clone(),
            locations: many
                .iter()
                .map(|found| format!("`{}`", found.definitions.location()))
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

fn unknown(catalog: &Catalog, ask: &JobAsk) -> Rejection {
    let jobs = |definitions: &'_ Arc<Definitions>| -> Vec<String> {
        definitions.jobs().map(|job| job.name.clone()).collect()
    };
    let names: Vec<String> = catalog.locations().values().flat_map(jobs).collect();
    let place = ask
        .location
        .as_deref()
        .map_or_else(String::new, |location| format!(" in location `{location}`"));
    let near = graph::did_you_mean(&ask.name, names.iter().map(String::as_str));
    Rejection::UnknownJob {
        job: ask.name.clone(),
        hint: match near {
            Some(word) if word != ask.name => format!("{place}; did you mean `{word}`?"),
            _ => format!("{place}; `arco jobs` lists what there is"),
        },
    }
}

/// What a run of a job is made of; `selection` narrows it to some of the job's assets, all when empty.
///
/// # Errors
/// [`JobError`] when there is no such job, or nothing of it is selected.
pub fn resolve(state: &State, ask: &JobAsk, selection: &[String]) -> Result<JobRun, JobError> {
    let catalog = &state.catalog;
    let whole = if ask.name == IMPLICIT_JOB {
        implicit(catalog, ask)?
    } else {
        let JobFound { definitions, job } = find(catalog, ask)?;
        JobRun {
            job: Some(JobRef {
                location: definitions.location().to_owned(),
                name: job.name.clone(),
            }),
            assets: job.assets(definitions)?,
            checks: job.checks.clone(),
            tags: job.tags_of_runs().clone(),
            config: job.config.clone().unwrap_or(Value::Null),
        }
    };
    if whole.assets.is_empty() && whole.checks.as_ref().is_none_or(Vec::is_empty) {
        return Err(Rejection::EmptyJob(ask.name.clone()).into());
    }
    if selection.is_empty() {
        return Ok(whole);
    }
    narrowed(state, ask, whole, selection)
}

/// All that is made in a location, or in all of them.
fn implicit(catalog: &Catalog, ask: &JobAsk) -> Result<JobRun, JobError> {
    let mut assets = Vec::new();
    for (location, definitions) in catalog.locations() {
        if ask.location.as_deref().is_none_or(|of| of == location) {
            assets.extend(JobDef::implicit().assets(definitions)?);
        }
    }
    if let Some(location) = &ask.location
        && !catalog.locations().contains_key(location)
    {
        let hint = format!("; there is no location `{location}`, `arco definitions` lists them");
        let job = ask.name.clone();
        return Err(Rejection::UnknownJob { job, hint }.into());
    }
    assets.sort();
    Ok(JobRun {
        job: None,
        assets,
        checks: None,
        tags: BTreeMap::new(),
        config: Value::Null,
    })
}

fn narrowed(
    state: &State,
    ask: &JobAsk,
    whole: JobRun,
    selection: &[String],
) -> Result<JobRun, JobError> {
    let selections = Selection::parse_all(selection)?;
    let own: BTreeSet<AssetKey> = whole.assets.iter().cloned().collect();
    let assets = match select_within(&state.catalog, &state.assets, &own, &selections) {
        Ok(assets) => assets,
        // An asset that is defined, and not of this job: nothing is selected, which says what there is.
        Err(_) if select(&state.catalog, &state.assets, &selections).is_ok() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if assets.is_empty() {
        return Err(Rejection::NotOfJob {
            job: ask.name.clone(),
            selection: selection.join(", "),
            assets: named(&whole.assets),
        }
        .into());
    }
    let chosen: BTreeSet<&AssetKey> = assets.iter().collect();
    let checks = whole.checks.map(|mut checks| {
        checks.retain(|(asset, _)| chosen.contains(asset));
        checks
    });
    Ok(JobRun {
        assets,
        checks,
        ..whole
    })
}

fn named(assets: &[AssetKey]) -> String {
    let shown: Vec<String> = assets
        .iter()
        .take(ASSETS_NAMED)
        .map(|key| format!("`{key}`"))
        .collect();
    match assets.len().saturating_sub(ASSETS_NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The retry policy of a step of a run: the step's own, else that of the run's job.
pub(crate) fn retry_policy<'a>(
    state: &'a State,
    run: &Run,
    own: Option<&'a RetryPolicy>,
) -> Option<&'a RetryPolicy> {
    own.or_else(|| {
        let job = run.job.as_ref()?;
        let definitions = state.pinned(run, &job.location)?;
        definitions.job(&job.name)?.retry.as_ref()
    })
}
