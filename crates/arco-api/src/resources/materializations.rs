//! Materializations of an asset, newest first.
//!
//! The last hundred of an asset are in memory with everything they carried. Of older ones the fold
//! keeps, per partition, the last: with `partition=` it is read back from its place in the log.

use arco_core::AssetKey;
use arco_core::event::{Event, Fact, Position};
use arco_flow::state::{AssetState, Slot};
use arco_wire::api::{LogPosition, Materialization, Page};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::extract::{Path, Query, Reading};
use crate::page::PageAsked;
use crate::problem::Answer;
use crate::render::materialization;

use super::assets::AssetPath;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MaterializationsQuery {
    /// Only of this partition, in Dagster's text.
    partition: Option<String>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Filter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partition: Option<String>,
}

/// Lists materializations of an asset, newest first: the last hundred, or the last of a partition.
#[utoipa::path(get, path = "/assets/{key}/materializations", tag = "assets", operation_id = "list_materializations",
    params(("key" = String, Path, description = "Asset key, percent-encoded as one segment"), MaterializationsQuery),
    responses((status = 200, description = "A page of materializations", body = Page<Materialization>)))]
pub(crate) async fn list(
    reading: Reading,
    Path(path): Path<AssetPath>,
    Query(query): Query<MaterializationsQuery>,
) -> Answer {
    let filter = Filter {
        partition: query.partition,
    };
    let list = format!("materializations of {}", path.key);
    let asked: PageAsked<_, LogPosition> =
        PageAsked::read(list, filter, query.page_token.as_deref(), query.limit)?;
    let state = &reading.view.state;
    let found = super::asset_of_path(state, &path.key)?;
    let text = asked.filter.partition.as_deref();
    let slot = text
        .map(|text| super::slot_of_query(&path.key, found.asset.partitions.as_ref(), text))
        .transpose()?;
    let Some(facts) = state.assets.get(&path.key) else {
        return Ok(reading.json(&asked.page(Vec::<Materialization>::new(), None)));
    };
    let before = |at: Position| asked.after.is_none_or(|after| at < after.0);
    let mut rows =
        facts.recent.iter().rev().filter(|row| {
            before(row.0) && slot.as_ref().is_none_or(|slot| *slot == row.2.partition)
        });
    let mut items: Vec<Materialization> = rows
        .by_ref()
        .take(asked.limit)
        .map(|row| materialization::whole(row.0, row.1, &row.2))
        .collect();
    let next = rows
        .next()
        .and(items.last().map(|row| row.summary.position));
    if let Some(slot) = &slot
        && items.is_empty()
        && asked.after.is_none()
    {
        items.extend(older(&reading, &path.key, facts, slot).await?);
    }
    Ok(reading.json(&asked.page(items, next)))
}

/// The last materialization of a slot, from the log.
async fn older(
    reading: &Reading,
    key: &AssetKey,
    facts: &AssetState,
    slot: &Slot,
) -> Answer<Option<Materialization>> {
    let Some(row) = facts.latest_of(slot) else {
        return Ok(None);
    };
    let raw = reading.engine().event_at(row.position).await?;
    let fact = raw
        .and_then(|raw| Event::from_raw(&raw).ok())
        .map(|event| event.fact);
    Ok(Some(match fact {
        Some(Fact::AssetMaterialized(e)) if e.asset == *key => {
            materialization::whole(row.position, row.time, &e)
        }
        // The segment was trimmed: what the fold keeps is what there is.
        _ => Materialization {
            summary: materialization::short(&row),
            partition: slot.as_ref().map(|key| key.display().into_owned()),
            metadata: std::collections::BTreeMap::new(),
            tags: std::collections::BTreeMap::new(),
            inputs: Vec::new(),
        },
    }))
}
