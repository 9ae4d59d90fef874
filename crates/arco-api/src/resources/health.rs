//! Health: this process has read its logs to the end and answers.

use arco_wire::api::{Health, WorkspaceHealth};
use axum::Json;
use axum::extract::State;

use crate::app::App;

/// Answers 200 once every workspace is recovered: before that nobody listens on the port.
#[utoipa::path(get, path = "/health", tag = "status", operation_id = "get_health",
    responses((status = 200, description = "The process is up and recovered", body = Health)))]
pub(crate) async fn show(State(app): State<App>) -> Json<Health> {
    let workspaces = app.workspaces().map(|workspace| {
        let view = workspace.engine.view();
        WorkspaceHealth {
            name: workspace.name.clone(),
            position: view.position().into(),
            leads: view.leads,
        }
    });
    Json(Health {
        status: "ok".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        workspaces: workspaces.collect(),
    })
}
