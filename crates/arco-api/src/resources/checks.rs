//! Checks of an asset with their last results.

use arco_wire::api::{AssetCheck, Page};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::extract::{Path, Query, Reading};
use crate::page::PageAsked;
use crate::problem::Answer;
use crate::render;

use super::assets::AssetPath;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChecksQuery {
    /// Show the last result for this partition, in Dagster's text, not the last of all.
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

/// Lists the checks of an asset by location and name.
#[utoipa::path(get, path = "/assets/{key}/checks", tag = "assets", operation_id = "list_checks",
    params(("key" = String, Path, description = "Asset key, percent-encoded as one segment"), ChecksQuery),
    responses((status = 200, description = "A page of checks", body = Page<AssetCheck>)))]
pub(crate) async fn list(
    reading: Reading,
    Path(path): Path<AssetPath>,
    Query(query): Query<ChecksQuery>,
) -> Answer {
    let filter = Filter {
        partition: query.partition,
    };
    let list = format!("checks of {}", path.key);
    let asked: PageAsked<_, (String, String)> =
        PageAsked::read(list, filter, query.page_token.as_deref(), query.limit)?;
    let state = &reading.view.state;
    let found = super::asset_of_path(state, &path.key)?;
    let text = asked.filter.partition.as_deref();
    let slot = text
        .map(|text| super::slot_of_query(&path.key, found.asset.partitions.as_ref(), text))
        .transpose()?;
    let facts = state.assets.get(&path.key).map(|facts| &**facts);
    let mut checks: Vec<AssetCheck> = state
        .catalog
        .checks_of(&path.key)
        .map(|(definitions, def)| render::check::check(definitions, def, facts, slot.as_ref()))
        .collect();
    checks.sort_by(|a, b| place(a).cmp(&place(b)));
    checks.retain(|check| {
        asked
            .after
            .as_ref()
            .is_none_or(|after| place(check) > (&after.0, &after.1))
    });
    let more = checks.len() > asked.limit;
    checks.truncate(asked.limit);
    let last = checks
        .last()
        .map(|check| (check.location.clone(), check.name.clone()));
    let next = last.filter(|_| more);
    Ok(reading.json(&asked.page(checks, next)))
}

fn place(check: &AssetCheck) -> (&str, &str) {
    (&check.location, &check.name)
}
