//! Ticks of a schedule, newest first.

use std::collections::BTreeSet;

use arco_core::Timestamp;
use arco_flow::state;
use arco_wire::api::{Page, Tick, TickStatus};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::schedules::{self, SchedulePath};
use crate::extract::{Path, Query, Reading};
use crate::limits;
use crate::page::PageAsked;
use crate::problem::Answer;
use crate::render;

/// Ticks fetched at once from history objects: a page and some.
const PAST_BATCH: usize = 200;

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
    let name = &path.schedule;
    // Ticks outlive their schedule.
    if state.catalog.schedule(name).is_none()
        && state.ticks_of(name).next().is_none()
        && reading.engine().past_ticks(name, None, 1).await?.is_empty()
    {
        return Err(schedules::missing(state, name));
    }
    let filter = &asked.filter;
    let mut before = match (asked.after, filter.to) {
        (Some(after), Some(to)) => Some(after.min(to)),
        (after, to) => after.or(to),
    };
    let mut scan = Scan {
        filter,
        limit: asked.limit,
        items: Vec::new(),
        seen: 0,
        last: None,
        more: false,
    };
    let mut open = state.ticks_before(name, before).rev().all(|t| scan.look(t));
    // What is older has left memory.
    while open {
        before = scan.last.or(before);
        let past = reading
            .engine()
            .past_ticks(name, before, PAST_BATCH)
            .await?;
        open = !past.is_empty() && past.iter().all(|tick| scan.look(tick));
    }
    let Scan {
        items, last, more, ..
    } = scan;
    let next = last.filter(|_| more);
    Ok(reading.json(&asked.page(items, next)))
}

/// One page, as it fills.
struct Scan<'a> {
    filter: &'a Filter,
    limit: usize,
    items: Vec<Tick>,
    /// Ticks looked at.
    seen: usize,
    /// The last of them.
    last: Option<Timestamp>,
    /// Whether there may be others after the last.
    more: bool,
}

impl Scan<'_> {
    /// Looks at the next tick; false when the page ends before it.
    fn look(&mut self, tick: &state::Tick) -> bool {
        if self.filter.from.is_some_and(|from| tick.id.instant < from) {
            return false;
        }
        if self.items.len() == self.limit || self.seen > limits::SCAN_MAX {
            self.more = true;
            return false;
        }
        self.seen += 1;
        self.last = Some(tick.id.instant);
        let status = render::schedule::tick_status(tick);
        if self.filter.status.is_empty() || self.filter.status.contains(&status) {
            self.items.push(render::schedule::tick(tick));
        }
        true
    }
}
