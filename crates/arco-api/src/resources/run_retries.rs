//! How often runs that failed are done again without anyone asking.

use arco_wire::api::RunRetries;
use axum::http::StatusCode;

use crate::extract::workspace::{at, json};
use crate::extract::{Json, Reading, Writing};
use crate::problem::Answer;

/// Shows how often runs are retried.
#[utoipa::path(get, path = "/run-retries", tag = "runs", operation_id = "show_run_retries",
    responses((status = 200, description = "The workspace's setting; tags of a run go before it", body = RunRetries)))]
pub(crate) async fn show(reading: Reading) -> Answer {
    Ok(reading.json(&reading.view.state.run_retries))
}

/// Sets how often runs are retried.
///
/// It holds whole: what is left out is as by default. Runs that failed before are not retried for it.
#[utoipa::path(put, path = "/run-retries", tag = "runs", operation_id = "set_run_retries",
    request_body = RunRetries,
    responses((status = 200, description = "The setting from here", body = RunRetries)))]
pub(crate) async fn set(writing: Writing, Json(body): Json<RunRetries>) -> Answer {
    let engine = writing.engine();
    let committed = engine
        .set_run_retries(&writing.principal, &writing.request_id, body)
        .await?;
    Ok(at(committed.position, json(StatusCode::OK, &body)))
}
