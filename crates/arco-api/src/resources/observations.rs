//! Observations of an asset, newest first: the last hundred.

use arco_core::event::Position;
use arco_wire::api::{LogPosition, Observation, Page};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::assets::AssetPath;
use crate::extract::{Path, Query, Reading};
use crate::page::PageAsked;
use crate::problem::Answer;
use crate::render::observation;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ObservationsQuery {
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

/// Lists observations of an asset, newest first: the last hundred.
#[utoipa::path(get, path = "/assets/{key}/observations", tag = "assets", operation_id = "list_observations",
    params(("key" = String, Path, description = "Asset key, percent-encoded as one segment"), ObservationsQuery),
    responses((status = 200, description = "A page of observations", body = Page<Observation>)))]
pub(crate) async fn list(
    reading: Reading,
    Path(path): Path<AssetPath>,
    Query(query): Query<ObservationsQuery>,
) -> Answer {
    let filter = Filter {
        partition: query.partition,
    };
    let list = format!("observations of {}", path.key);
    let asked: PageAsked<_, LogPosition> =
        PageAsked::read(list, filter, query.page_token.as_deref(), query.limit)?;
    let state = &reading.view.state;
    let found = super::asset_of_path(state, &path.key)?;
    let text = asked.filter.partition.as_deref();
    let slot = text
        .map(|text| super::slot_of_query(&path.key, found.asset.partitions.as_ref(), text))
        .transpose()?;
    let facts = state.assets.get(&path.key);
    let recent = facts.map(|facts| &facts.recent_observations);
    let before = |at: Position| asked.after.is_none_or(|after| at < after.0);
    let mut rows =
        recent.into_iter().flatten().rev().filter(|row| {
            before(row.0) && slot.as_ref().is_none_or(|slot| *slot == row.2.partition)
        });
    let items: Vec<Observation> = rows
        .by_ref()
        .take(asked.limit)
        .map(|row| observation::whole(row.0, row.1, &row.2))
        .collect();
    let next = rows.next().and(items.last().map(|row| row.position));
    Ok(reading.json(&asked.page(items, next)))
}
