//! Materializations.

use arco_core::Timestamp;
use arco_core::event::{AssetMaterialized, InputVersion, Position};
use arco_flow::state::Materialization;
use arco_wire::api;

const INPUTS: usize = 1_000;

pub(crate) fn short(row: &Materialization) -> api::MaterializationSummary {
    api::MaterializationSummary {
        position: row.position.into(),
        time: row.time.into(),
        run: row.attempt.map(|attempt| attempt.run),
        attempt: row.attempt,
        data_version: row.data_version.to_string(),
        code_version: row.code_version.as_deref().map(str::to_owned),
    }
}

pub(crate) fn whole(at: Position, time: Timestamp, e: &AssetMaterialized) -> api::Materialization {
    api::Materialization {
        summary: api::MaterializationSummary {
            position: at.into(),
            time: time.into(),
            run: e.attempt.map(|attempt| attempt.run),
            attempt: e.attempt,
            data_version: e.data_version.clone(),
            code_version: e.code_version.clone(),
        },
        partition: e.partition.as_ref().map(|key| key.display().into_owned()),
        metadata: e.metadata.clone(),
        tags: e.tags.clone(),
        inputs: e.inputs.iter().take(INPUTS).map(input).collect(),
    }
}

pub(crate) fn input(version: &InputVersion) -> api::InputUsed {
    api::InputUsed {
        asset: version.asset.clone(),
        partition: version
            .partition
            .as_ref()
            .map(|key| key.display().into_owned()),
        data_version: version.data_version.clone(),
        position: version.position.into(),
    }
}
