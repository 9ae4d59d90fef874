//! Assets.

use arco_core::definitions::{AssetDef, AssetRef, Catalog};
use arco_core::partition::{PartitionsDef, PartitionsKind};
use arco_core::selection::AssetStatus;
use arco_core::{AssetKey, Timestamp};
use arco_flow::State;
use arco_flow::selection_graph;
use arco_flow::state::AssetState;
use arco_wire::api;
use serde::Serialize;
use serde_json::Value;

use super::{check, materialization, observation};
use crate::partition_counts::CountsCache;

pub(crate) fn summary(
    state: &State,
    counts: &CountsCache,
    key: &AssetKey,
    now: Timestamp,
) -> Option<api::AssetSummary> {
    let AssetRef { definitions, asset } = state.catalog.asset(key)?;
    let facts = state.assets.get(key).map(|facts| &**facts);
    let partitions = asset.partitions.as_ref().map(|def| api::PartitionsInfo {
        shape: shape(def),
        noun: def.noun().to_owned(),
        example: def.example_key(),
        counts: counts.counts(key, definitions.version(), def, facts, now),
    });
    let (passed, failed, checks) = checks(&state.catalog, key, facts);
    let description = asset.description.as_deref();
    Some(api::AssetSummary {
        key: key.clone(),
        location: definitions.location().to_owned(),
        group: asset.group.clone(),
        kinds: asset.kinds.clone(),
        summary: description
            .and_then(|text| text.lines().next())
            .map(str::to_owned),
        external: definitions.is_external(asset),
        observable: definitions.is_observable(asset),
        status: status(asset, facts),
        partitions,
        deps: state.catalog.parents(key),
        latest: facts.and_then(latest),
        materializations: facts.map_or(0, |facts| facts.materializations),
        latest_observation: facts
            .and_then(|facts| facts.recent_observations.last())
            .map(|row| observation::whole(row.0, row.1, &row.2)),
        observations: facts.map_or(0, |facts| facts.observations),
        checks_passed: passed,
        checks_failed: failed,
        checks,
    })
}

/// As selections answer `status:`.
fn status(asset: &AssetDef, facts: Option<&AssetState>) -> api::PartitionStatus {
    match selection_graph::status(asset, facts) {
        AssetStatus::InProgress => api::PartitionStatus::InProgress,
        AssetStatus::Failed => api::PartitionStatus::Failed,
        AssetStatus::Materialized => api::PartitionStatus::Materialized,
        AssetStatus::NeverMaterialized => api::PartitionStatus::NeverMaterialized,
    }
}

fn shape(def: &PartitionsDef) -> api::PartitionsShape {
    match def.kind() {
        PartitionsKind::Static => api::PartitionsShape::Static,
        PartitionsKind::TimeWindow => api::PartitionsShape::TimeWindow,
        PartitionsKind::Dynamic => api::PartitionsShape::Dynamic,
        PartitionsKind::Multi => api::PartitionsShape::Multi,
    }
}

/// The last materialization of all partitions.
fn latest(facts: &AssetState) -> Option<api::MaterializationSummary> {
    let row = facts.recent.last()?;
    Some(materialization::whole(row.0, row.1, &row.2).summary)
}

/// Checks that passed, that failed, and how many there are.
fn checks(catalog: &Catalog, key: &AssetKey, facts: Option<&AssetState>) -> (u64, u64, u64) {
    let (mut passed, mut failed, mut all) = (0, 0, 0);
    for (_, def) in catalog.checks_of(key) {
        all += 1;
        match check::all_passed(def, facts) {
            Some(true) => passed += 1,
            Some(false) => failed += 1,
            None => {}
        }
    }
    (passed, failed, all)
}

pub(crate) fn asset(
    state: &State,
    counts: &CountsCache,
    key: &AssetKey,
    now: Timestamp,
) -> Option<api::Asset> {
    let AssetRef { asset, .. } = state.catalog.asset(key)?;
    let facts = state.assets.get(key).map(|facts| &**facts);
    let upstream = asset.deps.iter().map(|dep| api::AssetDependency {
        asset: dep.asset.clone(),
        param: dep.param.clone(),
        mapping: dep.mapping.as_ref().map(json),
    });
    let asset_checks = state.catalog.checks_of(key);
    Some(api::Asset {
        summary: summary(state, counts, key, now)?,
        description: asset.description.clone(),
        owners: asset.owners.clone(),
        tags: asset.tags.clone(),
        code_version: asset.code_version.clone(),
        io_manager: asset.io_manager.clone(),
        step: asset.step.clone(),
        config_schema: state
            .catalog
            .step_of(key)
            .and_then(|s| s.step.config_schema.clone()),
        metadata: asset.metadata.clone(),
        partitions_def: asset.partitions.as_ref().map(json),
        upstream: upstream.collect(),
        downstream: state.catalog.children(key).to_vec(),
        asset_checks: asset_checks
            .map(|(d, def)| check::check(d, def, facts, None))
            .collect(),
    })
}

/// As in the manifest.
fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("parts of a manifest serialise: they came from JSON")
}
