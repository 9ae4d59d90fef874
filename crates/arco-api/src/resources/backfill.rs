//! One backfill: show it, pause, resume, cancel, change and retry it, list its partitions and chunks.

use arco_core::BackfillId;
use arco_flow::command::{BackfillSteer, SettingsEdit, Steer};
use arco_flow::state::Backfill;
use arco_wire::api;
use arco_wire::api::{
    BackfillCreated, BackfillPartitionStatus, CancelBackfill, EditBackfill, Page, SteerBackfill,
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::backfills;
use crate::extract::{Json, JsonOrNone, Path, Query, Reading, Writing};
use crate::limits;
use crate::page::PageAsked;
use crate::problem::{Answer, Refusal};
use crate::render;

#[derive(Debug, Deserialize)]
pub(crate) struct BackfillPath {
    backfill: BackfillId,
}

pub(super) fn unknown(id: BackfillId) -> Refusal {
    arco_flow::Rejection::UnknownBackfill(id).into()
}

fn get(reading: &Reading, id: BackfillId) -> Answer<&Backfill> {
    let known = reading.view.state.backfills.get(&id);
    known.map(AsRef::as_ref).ok_or_else(|| unknown(id))
}

/// Shows a backfill, with how far it is.
#[utoipa::path(get, path = "/backfills/{backfill}", tag = "backfills", operation_id = "show_backfill",
    params(("backfill" = String, Path, description = "Backfill id")),
    responses((status = 200, description = "The backfill", body = api::Backfill)))]
pub(crate) async fn show(reading: Reading, Path(path): Path<BackfillPath>) -> Answer {
    let backfill = get(&reading, path.backfill)?;
    let now = reading.engine().now();
    Ok(reading.json(&render::backfill::backfill(backfill, now)))
}

/// Pauses a backfill: no more runs are asked for, and those that go on end. Pausing again changes nothing.
#[utoipa::path(post, path = "/backfills/{backfill}/pause", tag = "backfills", operation_id = "pause_backfill",
    params(("backfill" = String, Path, description = "Backfill id")),
    request_body = SteerBackfill,
    responses((status = 200, description = "The backfill", body = BackfillCreated)))]
pub(crate) async fn pause(
    writing: Writing,
    Path(path): Path<BackfillPath>,
    JsonOrNone(body): JsonOrNone<SteerBackfill>,
) -> Answer {
    steer(&writing, path.backfill, body.state_version, Steer::Pause).await
}

/// Resumes a paused backfill.
#[utoipa::path(post, path = "/backfills/{backfill}/resume", tag = "backfills", operation_id = "resume_backfill",
    params(("backfill" = String, Path, description = "Backfill id")),
    request_body = SteerBackfill,
    responses((status = 200, description = "The backfill", body = BackfillCreated)))]
pub(crate) async fn resume(
    writing: Writing,
    Path(path): Path<BackfillPath>,
    JsonOrNone(body): JsonOrNone<SteerBackfill>,
) -> Answer {
    steer(&writing, path.backfill, body.state_version, Steer::Resume).await
}

/// Cancels a backfill: no more runs are asked for, and those that go on are stopped, or end by themselves with
/// `drain`.
#[utoipa::path(post, path = "/backfills/{backfill}/cancel", tag = "backfills", operation_id = "cancel_backfill",
    params(("backfill" = String, Path, description = "Backfill id")),
    request_body = CancelBackfill,
    responses((status = 200, description = "The backfill", body = BackfillCreated)))]
pub(crate) async fn cancel(
    writing: Writing,
    Path(path): Path<BackfillPath>,
    JsonOrNone(body): JsonOrNone<CancelBackfill>,
) -> Answer {
    let to = Steer::Cancel { drain: body.drain };
    steer(&writing, path.backfill, body.state_version, to).await
}

/// Changes how a backfill goes on.
#[utoipa::path(patch, path = "/backfills/{backfill}", tag = "backfills", operation_id = "edit_backfill",
    params(("backfill" = String, Path, description = "Backfill id")),
    request_body = EditBackfill,
    responses((status = 200, description = "The backfill", body = BackfillCreated)))]
pub(crate) async fn edit(
    writing: Writing,
    Path(path): Path<BackfillPath>,
    Json(body): Json<EditBackfill>,
) -> Answer {
    let to = Steer::Edit(SettingsEdit {
        concurrency: body.concurrency,
        priority: body.priority,
        order: body.order,
        runs_per_minute: body.runs_per_minute.map(|n| (n > 0).then_some(n)),
    });
    steer(&writing, path.backfill, body.state_version, to).await
}

async fn steer(
    writing: &Writing,
    backfill: BackfillId,
    state_version: Option<u64>,
    to: Steer,
) -> Answer {
    let steer = BackfillSteer {
        backfill,
        state_version,
        to,
    };
    let engine = writing.engine();
    let made = engine
        .steer_backfill(&writing.principal, &writing.request_id, steer)
        .await?;
    backfills::answer(writing, made)
}

/// Makes a backfill of what a backfill that is over left undone: what failed, what was not tried because of
/// that, and of a canceled one what was not made. Asking again is the same backfill.
#[utoipa::path(post, path = "/backfills/{backfill}/retry-failed", tag = "backfills", operation_id = "retry_failed_backfill",
    params(("backfill" = String, Path, description = "Backfill id")),
    responses((status = 201, description = "A new backfill", body = BackfillCreated),
              (status = 200, description = "The one that was made before", body = BackfillCreated)))]
pub(crate) async fn retry_failed(writing: Writing, Path(path): Path<BackfillPath>) -> Answer {
    let engine = writing.engine();
    let made = engine
        .retry_backfill(&writing.principal, &writing.request_id, path.backfill)
        .await?;
    backfills::answer(&writing, made)
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PartitionsQuery {
    /// Only those that stand like this: `failed`.
    #[param(value_type = Option<String>)]
    status: Option<BackfillPartitionStatus>,
    /// Only those of this asset.
    asset: Option<String>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct PartitionFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<BackfillPartitionStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asset: Option<String>,
}

/// Lists the partitions of a backfill, by unit and key.
#[utoipa::path(get, path = "/backfills/{backfill}/partitions", tag = "backfills", operation_id = "list_backfill_partitions",
    params(("backfill" = String, Path, description = "Backfill id"), PartitionsQuery),
    responses((status = 200, description = "A page of partitions", body = Page<api::BackfillPartition>)))]
pub(crate) async fn partitions(
    reading: Reading,
    Path(path): Path<BackfillPath>,
    Query(query): Query<PartitionsQuery>,
) -> Answer {
    let backfill = get(&reading, path.backfill)?;
    let filter = PartitionFilter {
        status: query.status,
        asset: query.asset,
    };
    let asked: PageAsked<_, (usize, u32)> = PageAsked::read(
        format!("partitions of {}", path.backfill),
        filter,
        query.page_token.as_deref(),
        query.limit,
    )?;
    let (first, from) = match asked.after {
        Some((unit, member)) => (unit, member.saturating_add(1)),
        None => (0, 0),
    };
    let units = backfill.shape.units.iter().enumerate().skip(first);
    let of_asset = |unit: usize| {
        let assets = &backfill.target.units[unit].assets;
        let is = |text: &String| assets.iter().any(|key| key.as_str() == text);
        asked.filter.asset.as_ref().is_none_or(is)
    };
    let mut members = units
        .filter(|(unit, _)| of_asset(*unit))
        .flat_map(|(unit, form)| {
            let start = if unit == first { from } else { 0 };
            (start..form.count()).map(move |member| (unit, member))
        });
    let (mut items, mut looked, mut next) = (Vec::new(), 0, None);
    for (unit, member) in members.by_ref() {
        let status = render::backfill::status(backfill, unit, member);
        if asked.filter.status.is_none_or(|wanted| wanted == status) {
            items.push(render::backfill::partition(backfill, unit, member));
        }
        looked += 1;
        if items.len() == asked.limit || looked == limits::SCAN_MAX {
            next = Some((unit, member));
            break;
        }
    }
    let next = members.next().and(next);
    Ok(reading.json(&asked.page(items, next)))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChunksQuery {
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// This list has no filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct NoFilter {}

/// Lists the chunks of a backfill that became runs, by number.
#[utoipa::path(get, path = "/backfills/{backfill}/chunks", tag = "backfills", operation_id = "list_backfill_chunks",
    params(("backfill" = String, Path, description = "Backfill id"), ChunksQuery),
    responses((status = 200, description = "A page of chunks", body = Page<api::BackfillChunk>)))]
pub(crate) async fn chunks(
    reading: Reading,
    Path(path): Path<BackfillPath>,
    Query(query): Query<ChunksQuery>,
) -> Answer {
    let backfill = get(&reading, path.backfill)?;
    let asked: PageAsked<NoFilter, u64> = PageAsked::read(
        format!("chunks of {}", path.backfill),
        NoFilter {},
        query.page_token.as_deref(),
        query.limit,
    )?;
    let units = backfill.progress.units.iter().enumerate();
    let planned = units.flat_map(|(at, unit)| unit.planned.iter().map(move |chunk| (at, chunk)));
    let number = |(unit, chunk): &(usize, u32)| backfill.shape.number(*unit, *chunk);
    let mut rest = planned.filter(|place| asked.after.is_none_or(|after| number(place) > after));
    let items: Vec<api::BackfillChunk> = rest
        .by_ref()
        .take(asked.limit)
        .map(|place| render::backfill::chunk(&reading.view.state, path.backfill, backfill, place))
        .collect();
    let last = items.last().map(|chunk| chunk.chunk);
    let next = rest.next().and(last);
    Ok(reading.json(&asked.page(items, next)))
}
