//! Hosts come, say that they live, and go.

use arco_core::HostId;
use arco_flow::command::{Answer as Decided, Command, HostHello};
use arco_wire::worker::{FailedLoad, Heartbeat, HeartbeatAnswer, RegisterHost, Registered};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde::Deserialize;

use crate::codes::Code;
use crate::extract::workspace::json;
use crate::extract::{Hosting, Json, Path};
use crate::limits;
use crate::problem::{Answer, Refusal};

#[derive(Debug, Deserialize)]
pub(crate) struct HostPath {
    pub(super) host: HostId,
}

/// Announces a host with the definitions of its location; also re-attaches one.
///
/// Definitions that do not hold together are refused with 422, and the former ones stay.
#[utoipa::path(post, path = "/worker/hosts", tag = "worker", operation_id = "register_host",
    request_body = RegisterHost,
    responses((status = 200, description = "Registered", body = Registered)))]
pub(crate) async fn register(
    hosting: Hosting,
    Json(body): Json<RegisterHost, { limits::MANIFEST_BYTES_MAX }>,
) -> Answer {
    hosting.identity.serves(&body.location)?;
    bounded("attempts", body.attempts.len(), limits::LIVE_MAX)?;
    let engine = hosting.engine();
    let (who, request) = (hosting.principal(), &hosting.request_id);
    let version = engine
        .deploy(who, request, &body.location, &body.manifest)
        .await?;
    let hello = HostHello {
        host: body.host,
        location: body.location,
        hostname: body.hostname,
        pid: body.pid,
        slots: body.slots,
        live: body.attempts,
    };
    let committed = engine.register_host(who, request, hello).await?;
    let (kept, killed) = match committed.answer {
        Decided::Attached { kept, killed } => (kept, killed),
        _ => (Vec::new(), Vec::new()),
    };
    tracing::info!(host = %body.host, kept = kept.len(), killed = killed.len(), "host registered");
    let settings = engine.settings();
    Ok(json(
        StatusCode::OK,
        &Registered {
            lease_ttl_ms: settings.host_lease_ttl_ms,
            heartbeat_interval_ms: settings.host_heartbeat_ms,
            definitions_version: version,
            kept,
            killed,
        },
    ))
}

/// Says that a host lives.
#[utoipa::path(post, path = "/worker/hosts/{host}/heartbeat", tag = "worker", operation_id = "heartbeat",
    params(("host" = String, Path, description = "Host id")), request_body = Heartbeat,
    responses((status = 200, description = "Heard", body = HeartbeatAnswer)))]
pub(crate) async fn heartbeat(
    hosting: Hosting,
    Path(path): Path<HostPath>,
    Json(body): Json<Heartbeat>,
) -> Answer {
    serves(&hosting, path.host)?;
    bounded("live", body.live.len(), limits::LIVE_MAX)?;
    let work = hosting.engine().heartbeat(path.host, &body.live).await?;
    Ok(json(
        StatusCode::OK,
        &HeartbeatAnswer {
            cancels: work.cancels,
            unknown: work.unknown,
            lease_ttl_ms: hosting.engine().settings().host_lease_ttl_ms,
        },
    ))
}

/// Says goodbye: the host holds nothing any more, and what it held goes to others at once.
#[utoipa::path(post, path = "/worker/hosts/{host}/leave", tag = "worker", operation_id = "leave",
    params(("host" = String, Path, description = "Host id")),
    responses((status = 204, description = "Gone")))]
pub(crate) async fn leave(hosting: Hosting, Path(path): Path<HostPath>) -> Answer {
    serves(&hosting, path.host)?;
    let command = Command::HostLeft(path.host);
    hosting
        .engine()
        .submit(hosting.principal(), &hosting.request_id, command)
        .await?;
    hosting.workspace.replays.forget(path.host);
    tracing::info!(host = %path.host, "host left");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Says that user code did not load. People see the error; the former definitions stay.
#[utoipa::path(post, path = "/worker/hosts/{host}/failed_load", tag = "worker", operation_id = "failed_load",
    params(("host" = String, Path, description = "Host id, which need not be registered")),
    request_body = FailedLoad,
    responses((status = 204, description = "Recorded")))]
pub(crate) async fn failed_load(
    hosting: Hosting,
    _host: Path<HostPath>,
    Json(body): Json<FailedLoad>,
) -> Answer {
    hosting.identity.serves(&body.location)?;
    let engine = hosting.engine();
    engine
        .load_failed(
            hosting.principal(),
            &hosting.request_id,
            &body.location,
            body.error,
        )
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Refuses when the caller may not speak for a host. A host that is not known is for the engine to
/// refuse, so that it is told to register again.
pub(super) fn serves(hosting: &Hosting, host: HostId) -> Answer<()> {
    match hosting.engine().view().state.hosts.get(&host) {
        Some(known) => hosting.identity.serves(&known.location),
        None => Ok(()),
    }
}

pub(super) fn bounded(what: &str, length: usize, max: usize) -> Answer<()> {
    if length > max {
        return Err(Refusal::new(
            Code::InvalidBody,
            format!("`{what}` has {length} entries; send at most {max} at a time"),
        ));
    }
    Ok(())
}
