//! What a backfill is to make, worked out of one state.

use std::collections::BTreeSet;
use std::sync::Arc;

use arco_core::partition::PartitionsDef;
use arco_core::selection::Selection;
use arco_core::{AssetKey, BackfillId, Timestamp};
use arco_flow::backfill::{self, Resolved, Selector, TargetAsk};
use arco_flow::{Rejection, State, selection_graph};

use super::{BackfillAsk, BackfillPartitions};
use crate::{EngineError, config};

/// What a backfill is to make.
#[derive(Debug, Clone)]
pub(super) enum What {
    Asked(Arc<BackfillAsk>),
    Undone(BackfillId),
}

impl What {
    pub(super) fn resolve(&self, state: &State, now: Timestamp) -> Result<Resolved, EngineError> {
        match self {
            Self::Asked(ask) => asked(state, ask, now),
            Self::Undone(parent) => Ok(undone(state, *parent, now)?),
        }
    }
}

fn asked(state: &State, ask: &BackfillAsk, now: Timestamp) -> Result<Resolved, EngineError> {
    let selections = Selection::parse_all(&ask.selection)?;
    let mut assets: BTreeSet<AssetKey> =
        selection_graph::select(&state.catalog, &state.assets, &selections)?
            .into_iter()
            .collect();
    if assets.is_empty() {
        return Err(Rejection::EmptySelection(ask.selection.join(", ")).into());
    }
    config::check(&state.catalog, &ask.config)?;
    let selector = match &ask.partitions {
        BackfillPartitions::None => {
            require_unpartitioned(state, &assets)?;
            Selector::all()
        }
        BackfillPartitions::All => Selector::all(),
        BackfillPartitions::Keys(keys) => {
            require_partitioned(state, &assets, keys)?;
            Selector::keys(keys.clone())
        }
        BackfillPartitions::Filter(filter) => Selector {
            keys: (!filter.keys.is_empty()).then(|| filter.keys.clone()),
            dimensions: filter.dimensions.clone(),
            only: backfill::by_status(state, &assets, filter, now).map(|(chosen, only)| {
                assets = chosen;
                only
            }),
        },
    };
    let ask = TargetAsk {
        assets,
        selector,
        policy: ask.policy(),
        refuse_left_out: ask.refuse_left_out,
    };
    Ok(backfill::resolve(state, &ask, now)?)
}

fn undone(state: &State, parent: BackfillId, now: Timestamp) -> Result<Resolved, Rejection> {
    let known = state.backfills.get(&parent);
    let known = known.ok_or(Rejection::UnknownBackfill(parent))?;
    let (assets, only) = backfill::undone(state, known);
    if assets.is_empty() {
        return Err(match backfill::gone(state, known) {
            Some(gone) => Rejection::EmptyBackfill(gone),
            None => Rejection::NothingUndone(parent),
        });
    }
    let ask = TargetAsk {
        assets,
        selector: Selector {
            only: Some(only),
            ..Selector::all()
        },
        policy: known.policy,
        refuse_left_out: false,
    };
    backfill::resolve(state, &ask, now)
}

fn partitioned<'a>(
    state: &'a State,
    assets: &'a BTreeSet<AssetKey>,
) -> Option<(&'a AssetKey, &'a PartitionsDef)> {
    assets.iter().find_map(|key| {
        let def = state.catalog.asset(key)?.asset.partitions.as_ref()?;
        Some((key, def))
    })
}

fn require_unpartitioned(state: &State, assets: &BTreeSet<AssetKey>) -> Result<(), Rejection> {
    match partitioned(state, assets) {
        None => Ok(()),
        Some((asset, def)) => Err(Rejection::PartitionMissing {
            asset: asset.clone(),
            example: def.example_key(),
        }),
    }
}

fn require_partitioned(
    state: &State,
    assets: &BTreeSet<AssetKey>,
    keys: &[String],
) -> Result<(), Rejection> {
    match partitioned(state, assets) {
        Some(_) => Ok(()),
        None => Err(Rejection::PartitionUnused(
            keys.first().cloned().unwrap_or_default(),
        )),
    }
}
