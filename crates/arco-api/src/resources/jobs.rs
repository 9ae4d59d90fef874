//! Jobs: list and show. A run of one is asked for like every run, with `job` in place of `selection`.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use arco_core::AssetKey;
use arco_core::definitions::{Definitions, IMPLICIT_JOB, JobDef};
use arco_flow::State;
use arco_flow::jobs::{self, JobAsk};
use arco_flow::state::Run;
use arco_wire::api::{Job, JobSummary, Page};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::IntoParams;

use crate::extract::{Path, Query, Reading};
use crate::limits;
use crate::page::PageAsked;
use crate::problem::{Answer, Refusal};
use crate::render;

/// Assets shown of one job.
const ASSETS: usize = 10_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobsQuery {
    /// Only the jobs of this code location.
    location: Option<String>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct JobFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct JobPath {
    name: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobQuery {
    /// Its code location; needed when several have a job of this name.
    location: Option<String>,
}

/// Lists jobs by location and name.
#[utoipa::path(get, path = "/jobs", tag = "jobs", operation_id = "list_jobs", params(JobsQuery),
    responses((status = 200, description = "A page of jobs", body = Page<JobSummary>)))]
pub(crate) async fn list(reading: Reading, Query(query): Query<JobsQuery>) -> Answer {
    let filter = JobFilter {
        location: query.location,
    };
    let asked: PageAsked<_, (String, String)> =
        PageAsked::read("jobs", filter, query.page_token.as_deref(), query.limit)?;
    let state = &reading.view.state;
    let within = |location: &str| {
        let of = asked.filter.location.as_deref();
        of.is_none_or(|of| of == location)
    };
    let from = asked
        .after
        .as_ref()
        .map_or(Bound::Unbounded, |(location, _)| {
            Bound::Included(location.clone())
        });
    let mut rows = state
        .catalog
        .locations()
        .range::<String, _>((from, Bound::Unbounded))
        .filter(|(location, _)| within(location))
        .flat_map(|(location, definitions)| {
            definitions.jobs().map(move |j| (location, definitions, j))
        })
        .filter(|(location, _, job)| {
            let place = asked.after.as_ref();
            place.is_none_or(|after| (*location, &job.name) > (&after.0, &after.1))
        });
    let latest = latest_runs(state);
    let mut items = Vec::new();
    let mut last = None;
    for (location, definitions, job) in rows.by_ref().take(asked.limit) {
        let assets = job.assets(definitions).unwrap_or_default();
        items.push(summary(&latest, definitions, job, &assets));
        last = Some((location.clone(), job.name.clone()));
    }
    let next = rows.next().and(last);
    Ok(reading.json(&asked.page(items, next)))
}

/// Shows one job. `__ASSET_JOB` is the one that a location has without defining it: all its assets.
#[utoipa::path(get, path = "/jobs/{name}", tag = "jobs", operation_id = "get_job",
    params(("name" = String, Path, description = "Name of the job"), JobQuery),
    responses((status = 200, description = "The job", body = Job)))]
pub(crate) async fn show(
    reading: Reading,
    Path(path): Path<JobPath>,
    Query(query): Query<JobQuery>,
) -> Answer {
    let state = &reading.view.state;
    let ask = JobAsk {
        name: path.name,
        location: query.location,
    };
    let implicit = JobDef::implicit();
    let (definitions, job) = match implicit_of(state, &ask) {
        Some(definitions) => (definitions, &implicit),
        None => {
            let found = jobs::find(&state.catalog, &ask).map_err(of_path)?;
            (found.definitions, found.job)
        }
    };
    let assets = job.assets(definitions).unwrap_or_default();
    let latest = latest_runs(state);
    Ok(reading.json(&render(&latest, definitions, job, &assets)))
}

/// The location whose implicit job is asked for: the one named, or the only one.
fn implicit_of<'a>(state: &'a State, ask: &JobAsk) -> Option<&'a Arc<Definitions>> {
    let locations = state.catalog.locations();
    match &ask.location {
        _ if ask.name != IMPLICIT_JOB => None,
        Some(location) => locations.get(location),
        None if locations.len() == 1 => locations.values().next(),
        None => None,
    }
}

/// What the path names is not there.
fn of_path(rejection: arco_flow::Rejection) -> Refusal {
    let status = match rejection {
        arco_flow::Rejection::AmbiguousJob { .. } => StatusCode::CONFLICT,
        _ => StatusCode::NOT_FOUND,
    };
    Refusal::from(rejection).status(status)
}

fn render(
    latest: &LatestRuns<'_>,
    definitions: &Definitions,
    job: &JobDef,
    assets: &[AssetKey],
) -> Job {
    let partitions = job.partitions_of(definitions, assets);
    Job {
        shown: summary(latest, definitions, job, assets),
        description: job.description.clone(),
        assets: assets.iter().take(ASSETS).cloned().collect(),
        partitions_def: partitions.map(json),
        run_tags: job.tags_of_runs().clone(),
        config: job.config.clone(),
        retry: job.retry.as_ref().map(json),
        owners: job.owners.clone(),
        metadata: job.metadata.clone(),
    }
}

/// The newest run of each job, by location and name.
type LatestRuns<'a> = HashMap<(&'a str, &'a str), &'a Run>;

/// Of the runs in memory the newest ones: who lists jobs wants to see what goes on.
fn latest_runs(state: &State) -> LatestRuns<'_> {
    let mut latest = HashMap::new();
    for run in state.runs.values().rev().take(limits::SCAN_MAX) {
        if let Some(job) = &run.job {
            let place = (job.location.as_str(), job.name.as_str());
            latest.entry(place).or_insert(&**run);
        }
    }
    latest
}

fn summary(
    latest: &LatestRuns<'_>,
    definitions: &Definitions,
    job: &JobDef,
    assets: &[AssetKey],
) -> JobSummary {
    let description = job.description.as_deref();
    let partitions = job.partitions_of(definitions, assets);
    JobSummary {
        name: job.name.clone(),
        location: definitions.location().to_owned(),
        summary: description
            .and_then(|text| text.lines().next())
            .map(str::to_owned),
        selection: job.selection.clone(),
        asset_count: assets.len() as u64,
        partition_example: partitions.map(arco_core::partition::PartitionsDef::example_key),
        tags: job.tags.clone(),
        latest_run: latest
            .get(&(definitions.location(), job.name.as_str()))
            .map(|run| render::run::summary(run, render::run::ASSETS_IN_LIST)),
    }
}

/// As in the manifest.
fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("parts of a manifest serialise: they came from JSON")
}
