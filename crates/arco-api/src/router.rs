//! Every path of the server. A new endpoint is a file in `resources` and a line here.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::problem::Refusal;
use crate::resources::{
    assets, backfill, backfills, checks, definitions, dynamic_partitions, evaluations, events,
    explanations, health, jobs, limits, logs, materializations, messages, metrics, observations,
    partitions, plan, queue, reports, rerun, root, run, run_logs, run_retries, runs, schedules,
    sensors, status, tasks, ticks,
};
use crate::worker;
use crate::{openapi, request};

/// Where the paths of a workspace begin.
const WORKSPACE: &str = "/api/v1/workspaces/{workspace}";

fn workspace() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(runs::create, runs::list))
        .routes(routes!(run::show))
        .routes(routes!(run::cancel))
        .routes(routes!(runs::cancel::create))
        .routes(routes!(rerun::create))
        .routes(routes!(queue::list))
        .routes(routes!(limits::show, limits::put))
        .routes(routes!(run_retries::show, run_retries::set))
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::show))
        .routes(routes!(logs::show))
        .routes(routes!(run_logs::follow))
        .routes(routes!(explanations::of_run))
        .routes(routes!(explanations::of_task))
        .routes(routes!(explanations::of_asset))
        .routes(routes!(backfills::create, backfills::list))
        .routes(routes!(backfills::preview))
        .routes(routes!(backfill::show, backfill::edit))
        .routes(routes!(backfill::pause))
        .routes(routes!(backfill::resume))
        .routes(routes!(backfill::cancel))
        .routes(routes!(backfill::retry_failed))
        .routes(routes!(backfill::partitions))
        .routes(routes!(backfill::chunks))
        .routes(routes!(plan::preview))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show))
        .routes(routes!(assets::list))
        .routes(routes!(assets::show))
        .routes(routes!(partitions::list))
        .routes(routes!(dynamic_partitions::list))
        .routes(routes!(dynamic_partitions::show))
        .routes(routes!(dynamic_partitions::add))
        .routes(routes!(dynamic_partitions::remove))
        .routes(routes!(materializations::list, reports::materialization))
        .routes(routes!(observations::list, reports::observation))
        .routes(routes!(checks::list, reports::check))
        .routes(routes!(definitions::show))
        .routes(routes!(definitions::deploy))
        .routes(routes!(events::read))
        .routes(routes!(schedules::list))
        .routes(routes!(schedules::show))
        .routes(routes!(schedules::start))
        .routes(routes!(schedules::stop))
        .routes(routes!(schedules::reset))
        .routes(routes!(schedules::next))
        .routes(routes!(schedules::test))
        .routes(routes!(schedules::fire))
        .routes(routes!(ticks::list))
        .routes(routes!(sensors::list))
        .routes(routes!(sensors::show))
        .routes(routes!(sensors::start))
        .routes(routes!(sensors::stop))
        .routes(routes!(sensors::reset))
        .routes(routes!(sensors::put_cursor))
        .routes(routes!(sensors::test))
        .routes(routes!(evaluations::list))
        .routes(routes!(messages::send))
        .routes(routes!(status::show))
        .routes(routes!(worker::hosts::register))
        .routes(routes!(worker::exchange::exchange))
        .routes(routes!(worker::evaluations::exchange))
        .routes(routes!(worker::hosts::heartbeat))
        .routes(routes!(worker::hosts::leave))
        .routes(routes!(worker::hosts::failed_load))
        .routes(routes!(worker::logs::put))
}

fn all() -> (Router<App>, OpenApi) {
    let (router, api) = OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(health::show))
        .routes(routes!(metrics::show))
        .nest(WORKSPACE, workspace())
        .split_for_parts();
    (router, openapi::complete(api))
}

/// The description of the paths.
pub(crate) fn describe() -> OpenApi {
    all().1
}

/// The service.
pub(crate) fn router(app: App) -> Router {
    all()
        .0
        .route("/", get(root::page))
        .route("/openapi.json", get(root::openapi))
        .fallback(|| async { Refusal::of_status(axum::http::StatusCode::NOT_FOUND) })
        // Bodies are bounded by the extractors, each by its own bound.
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(from_fn_with_state(app.clone(), request::outermost))
        .with_state(app)
}
