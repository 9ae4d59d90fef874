//! Code locations: what is defined, what did not load, who serves it.

use arco_flow::State;
use arco_flow::state::LocationState;
use arco_wire::api::{Definitions, HostInfo, LoadFailure, Location, LogPosition};

use crate::extract::Reading;
use crate::problem::Answer;
use crate::render;

/// Hosts shown of a location.
const HOSTS: usize = 1_000;

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
