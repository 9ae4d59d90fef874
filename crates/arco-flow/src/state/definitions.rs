//! Code locations: which definitions are current, and what went wrong with the next ones.

use std::sync::Arc;

use arco_core::definitions::Definitions;
use arco_core::event::{DefinitionsDeployed, DefinitionsLoadFailed, ErrorInfo, Event, Position};
use arco_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ApplyError, Blobs, State, durations, mappings, schedule, sensor};

/// One code location.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LocationState {
    /// Version of the current definitions; `None` before the first good load.
    pub version: Option<Digest>,
    /// When they were deployed.
    pub deployed: Option<(Position, Timestamp)>,
    /// The last load that failed after them.
    pub failure: Option<LoadFailure>,
}

/// User code that did not load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadFailure {
    /// What was raised.
    pub error: ErrorInfo,
    /// When.
    pub time: Timestamp,
}

pub(super) fn deployed(
    state: &mut State,
    at: Position,
    event: &Event,
    e: &DefinitionsDeployed,
    blobs: &dyn Blobs,
) -> Result<(), ApplyError> {
    let definitions = read(&e.location, e.version, blobs)?;
    let before = state.clone();
    install(state, definitions).map_err(|reason| ApplyError::Blob {
        digest: e.version,
        reason,
    })?;
    let location = state.locations.entry(e.location.clone()).or_default();
    *location = LocationState {
        version: Some(e.version),
        deployed: Some((at, event.time)),
        failure: None,
    };
    prune_versions(state);
    mappings::follow_definitions(state, &before);
    durations::deployed(state, &e.location);
    if state.fold_version >= super::fold::SCHEDULES {
        schedule::follow_definitions(state, &e.location, event.time);
    }
    if state.fold_version >= super::fold::SENSORS {
        sensor::follow_definitions(state, &e.location, event.time);
    }
    Ok(())
}

pub(super) fn load_failed(state: &mut State, event: &Event, e: &DefinitionsLoadFailed) {
    let location = state.locations.entry(e.location.clone()).or_default();
    location.failure = Some(LoadFailure {
        error: e.error.clone(),
        time: event.time,
    });
}

/// Definitions as the blob of their digest says.
pub(super) fn read(
    location: &str,
    version: Digest,
    blobs: &dyn Blobs,
) -> Result<Arc<Definitions>, ApplyError> {
    let bytes = blobs
        .get(&version)
        .ok_or(ApplyError::MissingBlob(version))?;
    let bad = |reason: String| ApplyError::Blob {
        digest: version,
        reason,
    };
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
    let definitions =
        Definitions::read(location, &value).map_err(|error| bad(error.to_string()))?;
    Ok(Arc::new(definitions))
}

pub(super) fn install(state: &mut State, definitions: Arc<Definitions>) -> Result<(), String> {
    let catalog = state
        .catalog
        .with(Arc::clone(&definitions))
        .map_err(|error| error.to_string())?;
    state.versions.insert(definitions.version(), definitions);
    state.catalog = Arc::new(catalog.resolved(&state.partition_sets));
    Ok(())
}

/// Definitions that are neither current nor pinned by an active run leave memory.
pub(super) fn prune_versions(state: &mut State) {
    let is_current = |version: &Digest| {
        let mut locations = state.locations.values();
        locations.any(|location| location.version.as_ref() == Some(version))
    };
    let versions = state.versions.keys().copied();
    let mut gone: Vec<Digest> = versions.filter(|version| !is_current(version)).collect();
    // Every end of a run comes here: what is left to be found bounds the walk, not the queue.
    let mut runs = state.active_runs.iter().filter_map(|id| state.runs.get(id));
    while let Some(run) = (!gone.is_empty()).then(|| runs.next()).flatten() {
        gone.retain(|version| !run.definitions.values().any(|pinned| pinned == version));
    }
    if gone.is_empty() {
        return;
    }
    for version in gone {
        state.versions.remove(&version);
    }
    mappings::prune(state);
}
