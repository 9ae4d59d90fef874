//! How much may go on at once.

use arco_flow::command::Command;
use arco_wire::api::{Limits, LimitsChanged, LogPosition};
use axum::http::StatusCode;

use crate::extract::workspace::{at, json};
use crate::extract::{Json, Reading, Writing};
use crate::problem::Answer;

/// Shows the limits. What is absent is not limited.
#[utoipa::path(get, path = "/limits", tag = "queue", operation_id = "get_limits",
    responses((status = 200, description = "The limits", body = Limits)))]
pub(crate) async fn show(reading: Reading) -> Answer {
    Ok(reading.json(&reading.view.state.limits))
}

/// Sets the limits, whole. What is under way goes on, also above a lower limit.
#[utoipa::path(put, path = "/limits", tag = "queue", operation_id = "put_limits",
    request_body = Limits,
    responses((status = 200, description = "The limits as they are now", body = LimitsChanged)))]
pub(crate) async fn put(writing: Writing, Json(limits): Json<Limits>) -> Answer {
    let command = Command::SetLimits(limits.clone());
    let engine = writing.engine();
    let done = engine
        .submit(&writing.principal, &writing.request_id, command)
        .await?;
    tracing::info!("limits set");
    let position = LogPosition(done.position);
    let answer = LimitsChanged { position, limits };
    Ok(at(done.position, json(StatusCode::OK, &answer)))
}
