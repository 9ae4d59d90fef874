//! One file per resource. A handler extracts, calls, renders.

pub(crate) mod assets;
pub(crate) mod backfill;
pub(crate) mod backfills;
pub(crate) mod checks;
pub(crate) mod definitions;
pub(crate) mod dynamic_partitions;
pub(crate) mod evaluations;
pub(crate) mod event_stream;
pub(crate) mod events;
pub(crate) mod explanations;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod limits;
pub(crate) mod logs;
pub(crate) mod materializations;
pub(crate) mod messages;
pub(crate) mod metrics;
pub(crate) mod observations;
pub(crate) mod partitions;
pub(crate) mod plan;
pub(crate) mod queue;
pub(crate) mod reports;
pub(crate) mod rerun;
pub(crate) mod root;
pub(crate) mod run;
pub(crate) mod run_logs;
pub(crate) mod run_retries;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod sensors;
pub(crate) mod status;
pub(crate) mod tasks;
pub(crate) mod ticks;

use arco_core::AssetKey;
use arco_core::definitions::AssetRef;
use arco_core::partition::PartitionsDef;
use arco_flow::State;
use arco_flow::rejection::Rejection;
use arco_flow::state::Slot;
use axum::http::StatusCode;

use crate::codes::Code;
use crate::problem::{Answer, Refusal};

/// The asset that a path names.
pub(crate) fn asset_of_path<'a>(state: &'a State, key: &AssetKey) -> Answer<AssetRef<'a>> {
    state.catalog.asset(key).ok_or_else(|| {
        let keys = state.catalog.keys().map(AssetKey::as_str);
        let refusal = Refusal::new(Code::UnknownAsset, format!("asset `{key}` is not defined"));
        match arco_core::graph::did_you_mean(key.as_str(), keys) {
            Some(near) => refusal.hint(format!("did you mean `{near}`?")),
            None => refusal.hint("`arco assets` lists what there is"),
        }
        .status(StatusCode::NOT_FOUND)
    })
}

/// The slot that a query names.
pub(crate) fn slot_of_query(
    key: &AssetKey,
    def: Option<&PartitionsDef>,
    text: &str,
) -> Answer<Slot> {
    let Some(def) = def else {
        return Err(not_partitioned(key));
    };
    let parsed = def.parse_key(text);
    parsed
        .map(Some)
        .map_err(|error| Rejection::bad_partition(key, &error).into())
}

pub(crate) fn not_partitioned(key: &AssetKey) -> Refusal {
    Refusal::new(
        Code::NotPartitioned,
        format!("asset `{key}` is not partitioned; its status is that of the asset itself"),
    )
}
