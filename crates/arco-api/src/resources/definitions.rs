//! Code locations: what is defined, what did not load, who serves it.

use arco_core::definitions;
use arco_flow::State;
use arco_flow::state::LocationState;
use arco_wire::api::{
    Changes, Definitions, Deploy, Deployed, HostInfo, LoadFailure, Location, LogPosition,
};
use axum::http::StatusCode;
use serde::Deserialize;

use crate::extract::workspace::json;
use crate::extract::{Hosting, Json, Path, Reading};
use crate::limits;
use crate::problem::Answer;
use crate::render;

/// Hosts shown of a location.
const HOSTS: usize = 1_000;
/// Names shown of each sort of change.
const NAMES: usize = 1_000;

/// Shows every code location with its current version, its last load failure and its hosts.
#[utoipa::path(get, path = "/definitions", tag = "definitions", operation_id = "get_definitions",
    responses((status = 200, description = "The locations", body = Definitions)))]
pub(crate) async fn show(reading: Reading) -> Answer {
    let state = &reading.view.state;
    // A host may serve a location that has never loaded: it is shown all the same.
    let mut names: std::collections::BTreeSet<&String> = state.locations.keys().collect();
    names.extend(state.hosts.values().map(|host| &host.location));
    let none = LocationState::default();
    let locations = names
        .into_iter()
        .map(|name| location(state, name, state.locations.get(name).unwrap_or(&none)))
        .collect();
    Ok(reading.json(&Definitions { locations }))
}

#[derive(Debug, Deserialize)]
pub(crate) struct LocationPath {
    location: String,
}

/// Makes a manifest the current definitions of a location, and says what that changes.
///
/// A manifest that cannot stand is refused with 422, and the former definitions stay. Hosts that serve
/// the location announce the definitions of the code they have loaded: give them the new code too.
#[utoipa::path(post, path = "/definitions/{location}", tag = "definitions", operation_id = "deploy",
    params(("location" = String, Path, description = "Code location")),
    request_body = Deploy,
    responses((status = 200, description = "What changed, or would change", body = Deployed)))]
pub(crate) async fn deploy(
    hosting: Hosting,
    Path(path): Path<LocationPath>,
    Json(body): Json<Deploy, { limits::MANIFEST_BYTES_MAX }>,
) -> Answer {
    hosting.identity.serves(&path.location)?;
    let engine = hosting.engine();
    let preview = engine.preview_deploy(&path.location, &body.manifest)?;
    let deployed = !body.dry_run && preview.previous != Some(preview.version);
    if !body.dry_run {
        let (who, request) = (hosting.principal(), &hosting.request_id);
        engine
            .deploy(who, request, &path.location, &body.manifest)
            .await?;
    }
    let diff = &preview.diff;
    let answer = Deployed {
        location: path.location,
        version: preview.version,
        previous: preview.previous,
        deployed,
        assets: changes(&diff.assets),
        checks: changes(&diff.checks),
        jobs: changes(&diff.jobs),
        resources: changes(&diff.resources),
    };
    Ok(json(StatusCode::OK, &answer))
}

fn changes(changes: &definitions::Changes) -> Changes {
    let first = |names: &[String]| names.iter().take(NAMES).cloned().collect();
    Changes {
        added: first(&changes.added),
        removed: first(&changes.removed),
        changed: first(&changes.changed),
        added_count: changes.added.len() as u64,
        removed_count: changes.removed.len() as u64,
        changed_count: changes.changed.len() as u64,
    }
}

fn location(state: &State, name: &str, known: &LocationState) -> Location {
    let definitions = state.catalog.locations().get(name);
    let manifest = definitions.map(|definitions| definitions.manifest());
    Location {
        name: name.to_owned(),
        version: known.version,
        deployed: known.deployed.map(|(_, time)| time.into()),
        position: known.deployed.map(|(position, _)| LogPosition(position)),
        sdk: manifest.map(|m| m.sdk.clone()).unwrap_or_default(),
        assets: manifest.map_or(0, |m| m.assets.len() as u64),
        checks: manifest.map_or(0, |m| m.checks.len() as u64),
        steps: manifest.map_or(0, |m| m.steps.len() as u64),
        failure: known.failure.as_ref().map(|failure| LoadFailure {
            time: failure.time.into(),
            error: failure.error.clone(),
        }),
        hosts: hosts(state, name),
    }
}

fn hosts(state: &State, location: &str) -> Vec<HostInfo> {
    let serving = state
        .hosts
        .iter()
        .filter(|(_, host)| host.location == location);
    serving
        .take(HOSTS)
        .map(|(id, host)| render::host::host(*id, host))
        .collect()
}
