//! The runs of a workspace: ask for one, list them newest first.
//!
//! Active and recent runs are in memory, older ones in history objects. The list is the merge of
//! both by id, so that the seam does not show.

mod ask;
pub(crate) mod cancel;
mod filter;
mod scan;

use arco_core::RunId;
use arco_engine::{RunAsk, RunMade};
use arco_wire::api::{
    CreateRun, IDEMPOTENCY_KEY_HEADER, LogPosition, Page, RunCreated, RunSummary,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::codes::Code;
use crate::extract::workspace::{at, json};
use crate::extract::{Json, Query, Reading, Writing};
use crate::limits;
use crate::page::PageAsked;
use crate::problem::{Answer, Refusal};
use crate::render;

pub(crate) use ask::Asked;
pub(super) use ask::{bounded, check_tags};
use filter::RunFilter;

/// Scope of the run keys that people give.
pub(crate) const SCOPE: &str = "workspace";

/// Asks for a run.
///
/// Repeating the request is safe with an `Idempotency-Key` or a `run_key`: the same key and the
/// same request answer with the run that was made.
#[utoipa::path(post, path = "/runs", tag = "runs", operation_id = "create_run",
    params(("idempotency-key" = Option<String>, Header, description = "Remembered for a day")),
    request_body = CreateRun,
    responses((status = 201, description = "A new run", body = RunCreated),
              (status = 200, description = "The run that the same request made before", body = RunCreated)))]
pub(crate) async fn create(
    writing: Writing,
    headers: HeaderMap,
    Json(body): Json<CreateRun>,
) -> Answer {
    let idempotency_key = idempotency_key(&headers)?;
    let ask = RunAsk {
        idempotency_key,
        ..ask::run_ask(body)?
    };
    let engine = writing.engine();
    let made = engine
        .request_run(&writing.principal, &writing.request_id, ask)
        .await?;
    answer(&writing, made).await
}

/// The run that stands for a request.
pub(super) async fn answer(writing: &Writing, made: RunMade) -> Answer {
    let engine = writing.engine();
    let view = engine.view();
    let run = match view.state.run(made.run) {
        Some(run) => render::run::summary(run, render::run::ASSETS_IN_LIST),
        None => match engine.past_run(made.run).await? {
            Some(run) => render::run::summary(&run, render::run::ASSETS_IN_LIST),
            None => return Err(super::run::unknown(made.run)),
        },
    };
    tracing::info!(run = %made.run, created = made.created, "run requested");
    let status = if made.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let answer = RunCreated {
        created: made.created,
        position: LogPosition(made.position),
        run,
    };
    let mut response = json(status, &answer);
    let place = format!(
        "/api/v1/workspaces/{}/runs/{}",
        writing.workspace.name, made.run
    );
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(at(made.position, response))
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Answer<Option<String>> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY_HEADER) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() || text.len() > limits::KEY_CHARS_MAX {
        return Err(Refusal::new(
            Code::InvalidHeader,
            format!(
                "`{IDEMPOTENCY_KEY_HEADER}` must be 1 to {} plain characters",
                limits::KEY_CHARS_MAX
            ),
        ));
    }
    Ok(Some(text.to_owned()))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Statuses, separated by commas: `queued,started`. Dagster's words, in capitals, are read too.
    status: Option<String>,
    /// Runs of this asset.
    asset: Option<String>,
    /// Runs with this tag: `team` or `team=core`.
    tag: Option<String>,
    /// The run of this run key (scope `workspace`).
    run_key: Option<String>,
    /// Runs of this job; of none (`__ASSET_JOB`), which were asked for by a selection.
    job: Option<String>,
    /// Of the job of this code location alone.
    job_location: Option<String>,
    /// Reruns of this run.
    #[param(value_type = Option<String>)]
    parent: Option<RunId>,
    /// All runs of a lineage, by the first of it: that run and its reruns over all generations.
    #[param(value_type = Option<String>)]
    root: Option<RunId>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// Lists runs, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", operation_id = "list_runs", params(ListQuery),
    responses((status = 200, description = "A page of runs", body = Page<RunSummary>)))]
pub(crate) async fn list(reading: Reading, Query(query): Query<ListQuery>) -> Answer<Response> {
    let filter = RunFilter::read(&query)?;
    let asked = PageAsked::read("runs", filter, query.page_token.as_deref(), query.limit)?;
    let (rows, next) = scan::page(&reading, &asked).await?;
    Ok(reading.json(&asked.page(rows, next)))
}
