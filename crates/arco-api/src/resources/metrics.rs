//! Metrics in the text form that Prometheus reads.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse as _;

use crate::app::App;
use crate::auth;
use crate::problem::Answer;
use crate::request::RequestInfo;

/// Answers with all metrics of the process.
#[utoipa::path(get, path = "/metrics", tag = "status", operation_id = "get_metrics",
    responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text", body = String)))]
pub(crate) async fn show(State(app): State<App>, request: Request) -> Answer {
    let peer: IpAddr = RequestInfo::of(request.extensions()).peer;
    if !app.access().identify(request.headers(), peer)?.may_read() {
        return Err(auth::forbidden(
            "metrics need role `viewer`, `client` or `admin`",
        ));
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], app.metrics().text(&app)).into_response())
}
