//! Assets: list and show.
//!
//! An asset key in a path is one segment, percent-encoded: `raw/flights` is `raw%2Fflights`. A
//! wildcard would read nicer and be ambiguous: `a/checks` may be an asset, or the checks of `a`.

use std::collections::BTreeSet;
use std::ops::Bound;

use arco_core::AssetKey;
use arco_core::selection::Selection;
use arco_engine::EngineError;
use arco_flow::selection_graph;
use arco_wire::api::{Asset, AssetSummary, Page};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::extract::{Path, Query, Reading};
use crate::page::PageAsked;
use crate::problem::{Answer, Refusal};
use crate::render;

#[derive(Debug, Deserialize)]
pub(crate) struct AssetPath {
    pub(crate) key: AssetKey,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AssetsQuery {
    /// Only the assets of this selection: `group:raw and not kind:csv`.
    selection: Option<String>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct AssetFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    selection: Option<String>,
}

/// Lists assets by key.
#[utoipa::path(get, path = "/assets", tag = "assets", operation_id = "list_assets", params(AssetsQuery),
    responses((status = 200, description = "A page of assets", body = Page<AssetSummary>)))]
pub(crate) async fn list(reading: Reading, Query(query): Query<AssetsQuery>) -> Answer {
    let filter = AssetFilter {
        selection: query.selection,
    };
    let asked: PageAsked<_, AssetKey> =
        PageAsked::read("assets", filter, query.page_token.as_deref(), query.limit)?;
    let chosen = chosen(&reading, &asked.filter)?;
    let from = asked
        .after
        .as_ref()
        .map_or(Bound::Unbounded, Bound::Excluded);
    let mut keys = chosen.range::<AssetKey, _>((from, Bound::Unbounded));
    let now = reading.engine().now();
    let state = &reading.view.state;
    let counts = &reading.workspace.counts;
    let mut items: Vec<AssetSummary> = Vec::new();
    for key in keys.by_ref().take(asked.limit) {
        items.extend(render::asset::summary(state, counts, key, now));
    }
    let next = keys.next().and(items.last().map(|asset| asset.key.clone()));
    Ok(reading.json(&asked.page(items, next)))
}

fn chosen(reading: &Reading, filter: &AssetFilter) -> Answer<BTreeSet<AssetKey>> {
    let state = &reading.view.state;
    let catalog = &state.catalog;
    let Some(text) = &filter.selection else {
        return Ok(catalog.keys().cloned().collect());
    };
    let refused = |error| Refusal::from(EngineError::Selection(error));
    let selections = Selection::parse_all(&[text]).map_err(refused)?;
    let chosen = selection_graph::select(catalog, &state.assets, &selections).map_err(refused)?;
    Ok(chosen.into_iter().collect())
}

/// Shows one asset.
#[utoipa::path(get, path = "/assets/{key}", tag = "assets", operation_id = "get_asset",
    params(("key" = String, Path, description = "Asset key, percent-encoded as one segment: `raw%2Fflights`")),
    responses((status = 200, description = "The asset", body = Asset)))]
pub(crate) async fn show(reading: Reading, Path(path): Path<AssetPath>) -> Answer {
    let state = &reading.view.state;
    super::asset_of_path(state, &path.key)?;
    let now = reading.engine().now();
    let asset = render::asset::asset(state, &reading.workspace.counts, &path.key, now);
    let asset = asset.expect("the asset is defined: checked above, in the same view");
    Ok(reading.json(&asset))
}
