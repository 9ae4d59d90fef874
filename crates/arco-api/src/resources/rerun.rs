//! A run again: whole, from failure, or a part of it.

use arco_core::RunId;
use arco_core::event::RerunKind;
use arco_engine::RerunAsk;
use arco_wire::api::{Rerun, RunCreated};
use axum::http::HeaderMap;
use serde::Deserialize;

use super::runs;
use crate::codes::Code;
use crate::extract::{Json, Path, Writing};
use crate::limits;
use crate::problem::{Answer, Refusal};

#[derive(Debug, Deserialize)]
pub(crate) struct RerunPath {
    run: RunId,
}

/// Does a run again.
///
/// With the configuration and tags of the run, and with the definitions deployed now. What is not done
/// again is read from storage. Asking for the same rerun again while it is not over is that rerun.
#[utoipa::path(post, path = "/runs/{run}/rerun", tag = "runs", operation_id = "rerun_run",
    params(("run" = String, Path, description = "Run id"),
           ("idempotency-key" = Option<String>, Header, description = "Remembered for a day")),
    request_body = Rerun,
    responses((status = 201, description = "A new run", body = RunCreated),
              (status = 200, description = "The run that the same request made before", body = RunCreated)))]
pub(crate) async fn create(
    writing: Writing,
    Path(path): Path<RerunPath>,
    headers: HeaderMap,
    Json(body): Json<Rerun>,
) -> Answer {
    let ask = RerunAsk {
        idempotency_key: runs::idempotency_key(&headers)?,
        ..ask(path.run, body)?
    };
    let engine = writing.engine();
    let made = engine
        .request_rerun(&writing.principal, &writing.request_id, ask)
        .await?;
    runs::answer(&writing, made).await
}

fn ask(parent: RunId, body: Rerun) -> Answer<RerunAsk> {
    if let Some(key) = &body.run_key {
        runs::bounded("run_key", key.chars().count(), limits::KEY_CHARS_MAX)?;
    }
    runs::check_tags(&body.tags)?;
    let kind = match (&body.selection, body.from_failure) {
        (Some(_), true) => {
            return Err(invalid(
                "`selection` and `from_failure` are two ways to say what is done again; give one",
            ));
        }
        (Some(_), false) => RerunKind::Subset,
        (None, _) if body.with_upstream || body.with_downstream => {
            return Err(invalid(
                "`with_upstream` and `with_downstream` extend a `selection`; give one",
            ));
        }
        (None, true) => RerunKind::FromFailure,
        (None, false) => RerunKind::Whole,
    };
    let selection = body
        .selection
        .map(arco_wire::api::SelectionText::into_list)
        .unwrap_or_default();
    if kind == RerunKind::Subset {
        runs::bounded("selection", selection.len(), limits::SELECTIONS_MAX)?;
    }
    Ok(RerunAsk {
        parent,
        kind,
        selection,
        with_upstream: body.with_upstream,
        with_downstream: body.with_downstream,
        scope: runs::SCOPE.into(),
        run_key: body.run_key,
        idempotency_key: None,
        tags: body.tags,
        priority: body.priority,
        time_limits: body.time_limits,
    })
}

fn invalid(detail: &str) -> Refusal {
    Refusal::new(Code::InvalidBody, detail)
}
