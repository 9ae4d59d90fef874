//! The front door, until the UI stands there: where to look.

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

use crate::app::App;

/// A small page with links.
pub(crate) async fn page(State(app): State<App>) -> Html<String> {
    let mut list = String::new();
    for name in app.workspace_names() {
        // Names of workspaces are path segments of plain characters; nothing in them needs escaping.
        let base = format!("/api/v1/workspaces/{name}");
        for path in ["status", "runs", "assets", "definitions", "events"] {
            list.push_str(&format!(
                "<li><a href=\"{base}/{path}\">{base}/{path}</a></li>\n"
            ));
        }
    }
    Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Arco</title></head>\n\
         <body><h1>Arco {version}</h1>\n<p>The API answers here; the command line is <code>arco --help</code>.</p>\n\
         <ul>\n{list}<li><a href=\"/openapi.json\">/openapi.json</a>: every path and type</li>\n\
         <li><a href=\"/health\">/health</a>, <a href=\"/metrics\">/metrics</a></li>\n\
         <li><a href=\"https://arco.dev/docs\">Documentation</a></li>\n</ul></body></html>\n",
        version = env!("CARGO_PKG_VERSION"),
    ))
}

/// The description of the API.
pub(crate) async fn openapi() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        crate::openapi_json(),
    )
        .into_response()
}
