//! One run: show it, stop it.

use std::sync::Arc;

use arco_core::RunId;
use arco_engine::Engine;
use arco_flow::command::Command;
use arco_flow::rejection::Rejection;
use arco_flow::state::Run;
use arco_wire::api;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::extract::workspace::{at, json};
use crate::extract::{Path, Reading, Writing};
use crate::problem::{Answer, Refusal};
use crate::render;

#[derive(Debug, Deserialize)]
pub(crate) struct RunPath {
    pub(super) run: RunId,
}

/// Shows one run.
#[utoipa::path(get, path = "/runs/{run}", tag = "runs", operation_id = "get_run",
    params(("run" = String, Path, description = "Run id")),
    responses((status = 200, description = "The run", body = api::Run)))]
pub(crate) async fn show(reading: Reading, Path(path): Path<RunPath>) -> Answer {
    let run = find(&reading, path.run).await?;
    Ok(reading.json(&render::run::run(&run)))
}

/// Asks a run to stop. Attempts that are alive are told; a run that is over stays as it is.
#[utoipa::path(post, path = "/runs/{run}/cancel", tag = "runs", operation_id = "cancel_run",
    params(("run" = String, Path, description = "Run id")),
    responses((status = 200, description = "The run as it stands now", body = api::Run)))]
pub(crate) async fn cancel(writing: Writing, Path(path): Path<RunPath>) -> Answer {
    let engine = writing.engine();
    let view = engine.view();
    // A run that has left memory is over: stopping it changes nothing and is no error.
    if view.state.run(path.run).is_none()
        && let Some(run) = past(engine, path.run).await?
    {
        return Ok(at(
            view.position(),
            json(StatusCode::OK, &render::run::run(&run)),
        ));
    }
    let command = Command::CancelRun(path.run);
    let done = engine
        .submit(&writing.principal, &writing.request_id, command)
        .await?;
    tracing::info!(run = %path.run, "run asked to stop");
    let view = engine.view();
    let run = match view.state.run(path.run) {
        Some(run) => Arc::clone(run),
        None => past(engine, path.run)
            .await?
            .ok_or_else(|| unknown(path.run))?,
    };
    Ok(at(
        done.position,
        json(StatusCode::OK, &render::run::run(&run)),
    ))
}

/// A run of the view, or one that has left memory.
pub(crate) async fn find(reading: &Reading, id: RunId) -> Answer<Arc<Run>> {
    if let Some(run) = reading.view.state.run(id) {
        return Ok(Arc::clone(run));
    }
    past(reading.engine(), id).await?.ok_or_else(|| unknown(id))
}

async fn past(engine: &Engine, id: RunId) -> Answer<Option<Arc<Run>>> {
    Ok(engine.past_run(id).await?.map(Arc::new))
}

pub(crate) fn unknown(id: RunId) -> Refusal {
    Rejection::UnknownRun(id).into()
}
