//! Ticks of a schedule, newest first.

use std::collections::BTreeSet;

use arco_core::Timestamp;
use arco_wire::api::{Page, Tick, TickStatus};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::schedules::{self, SchedulePath};
use crate::extract::{Path, Query, Reading};
use crate::limits;
use crate::page::PageAsked;
use crate::problem::Answer;
use crate::render;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TicksQuery {
    /// Statuses, separated by commas: `success`, `skipped`, `failure`, `missed`.
    status: Option<String>,
    /// Instants from this one on, RFC 3339.
    from: Option<String>,
    /// Instants before this one, RFC 3339.
    to: Option<String>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Filter {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    status: BTreeSet<TickStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Timestamp>,
}

/// Lists the ticks of a schedule, newest instant first. Missed instants are one row a series.
#[utoipa::path(get, path = "/schedules/{schedule}/ticks", tag = "schedules", operation_id = "list_ticks",
    params(("schedule" = String, Path, description = "Name of the schedule"), TicksQuery),
    responses((status = 200, description = "A page of ticks", body = Page<Tick>)))]
pub(crate) async fn list(
    reading: Reading,
    Path(path): Path<SchedulePath>,
    Query(query): Query<TicksQuery>,
) -> Answer {
    let instant = |what, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| schedules::instant(what, text)).transpose()
    };
    let filter = Filter {
        status: crate::words::read("status", query.status.as_deref())?,
        from: instant("from", &query.from)?,
        to: instant("to", &query.to)?,
    };
    let list = format!("ticks of {}", path.schedule);
    let asked: PageAsked<_, Timestamp> =
        PageAsked::read(list, filter, query.page_token.as_deref(), query.limit)?;
    let state = &reading.view.state;
    // Ticks outlive their schedule.
    if state.catalog.schedule(&path.schedule).is_none()
        && state.ticks_of(&path.schedule).next().is_none()
    {
        return Err(schedules::missing(state, &path.schedule));
    }
    let filter = &asked.filter;
    let before = match (asked.after, filter.to) {
        (Some(after), Some(to)) => Some(after.min(to)),
        (after, to) => after.or(to),
    };
    let mut items = Vec::new();
    let (mut last, mut more) = (None, false);
    for (seen, tick) in state.ticks_before(&path.schedule, before).rev().enumerate() {
        if filter.from.is_some_and(|from| tick.id.instant < from) {
            break;
        }
        if items.len() == asked.limit || seen > limits::SCAN_MAX {
            more = true;
            break;
        }
        last = Some(tick.id.instant);
        let status = render::schedule::tick_status(tick);
        if filter.status.is_empty() || filter.status.contains(&status) {
            items.push(render::schedule::tick(tick));
        }
    }
    let next = last.filter(|_| more);
    Ok(reading.json(&asked.page(items, next)))
}
