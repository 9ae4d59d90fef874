//! Partitions of an asset, each with where it stands.

use std::collections::BTreeSet;

use arco_core::AssetKey;
use arco_flow::state::AssetState;
use arco_wire::api::{Page, Partition, PartitionStatus};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::extract::{Path, Query, Reading};
use crate::limits;
use crate::page::PageAsked;
use crate::partition_counts::status_of;
use crate::problem::Answer;
use crate::render::materialization;

use super::assets::AssetPath;

/// Runs shown of a partition that is in progress.
const RUNS: usize = 10;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PartitionsQuery {
    /// Statuses, separated by commas: `failed,never_materialized`.
    status: Option<String>,
    /// `asc`, the default: first partition first; `desc`: last first.
    #[param(inline)]
    order: Option<Order>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// First partition first.
    #[default]
    Asc,
    /// Last partition first.
    Desc,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct PartitionFilter {
    /// Empty: any.
    status: BTreeSet<PartitionStatus>,
    order: Order,
}

/// Lists the partitions that exist now, in the order of the partitions definition.
#[utoipa::path(get, path = "/assets/{key}/partitions", tag = "assets", operation_id = "list_partitions",
    params(("key" = String, Path, description = "Asset key, percent-encoded as one segment"), PartitionsQuery),
    responses((status = 200, description = "A page of partitions", body = Page<Partition>)))]
pub(crate) async fn list(
    reading: Reading,
    Path(path): Path<AssetPath>,
    Query(query): Query<PartitionsQuery>,
) -> Answer {
    let filter = PartitionFilter {
        status: crate::words::read("status", query.status.as_deref())?,
        order: query.order.unwrap_or_default(),
    };
    let list = format!("partitions of {}", path.key);
    let asked: PageAsked<_, u64> =
        PageAsked::read(list, filter, query.page_token.as_deref(), query.limit)?;
    let state = &reading.view.state;
    let found = super::asset_of_path(state, &path.key)?;
    let def = found.asset.partitions.as_ref();
    let def = def.ok_or_else(|| super::not_partitioned(&path.key))?;
    let facts = facts(&reading, &path.key);
    let now = reading.engine().now();
    let count = def.count(now);
    let descending = asked.filter.order == Order::Desc;
    let after = asked.after;
    // Only their numbers are walked; a key is made for each, and thrown away when the filter says no.
    let mut ordinal = if descending {
        after.unwrap_or(count).min(count).checked_sub(1)
    } else {
        after
            .map_or(Some(0), |after| after.checked_add(1))
            .filter(|n| *n < count)
    };
    let mut items = Vec::new();
    let mut last = None;
    let mut scanned = 0;
    while let Some(n) = ordinal
        && items.len() < asked.limit
        && scanned < limits::SCAN_MAX
    {
        let slot = def.nth(n, now).and_then(|ordinal| def.key_at(ordinal));
        let status = status_of(facts, &slot);
        if let Some(key) = &slot
            && (asked.filter.status.is_empty() || asked.filter.status.contains(&status))
        {
            items.push(partition(facts, key, status));
        }
        last = Some(n);
        scanned += 1;
        ordinal = if descending {
            n.checked_sub(1)
        } else {
            Some(n + 1).filter(|n| *n < count)
        };
    }
    let next = ordinal.and(last);
    Ok(reading.json(&asked.page(items, next)))
}

fn facts<'a>(reading: &'a Reading, key: &AssetKey) -> Option<&'a AssetState> {
    reading.view.state.assets.get(key).map(|facts| &**facts)
}

fn partition(
    facts: Option<&AssetState>,
    key: &arco_core::PartitionKey,
    status: PartitionStatus,
) -> Partition {
    let slot = Some(key.clone());
    let ordinal = facts.and_then(|facts| facts.ordinal(&slot));
    let runs = facts
        .zip(ordinal)
        .and_then(|(facts, n)| facts.in_progress.get(&n));
    Partition {
        key: key.display().into_owned(),
        status,
        latest: facts
            .and_then(|facts| facts.latest_of(&slot))
            .map(|made| materialization::short(&made)),
        failed_run: facts
            .zip(ordinal)
            .filter(|(facts, n)| facts.failed.contains(*n))
            .and_then(|(facts, n)| facts.unmade.get(&n).map(|(run, _)| *run)),
        runs: runs.into_iter().flatten().take(RUNS).copied().collect(),
    }
}
