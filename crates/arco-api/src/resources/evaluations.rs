//! Evaluations of a sensor, newest first.

use std::collections::BTreeSet;

use arco_flow::state;
use arco_wire::api::{Evaluation, EvaluationStatus, Page};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::sensors::{self, SensorPath};
use crate::extract::{Path, Query, Reading};
use crate::limits;
use crate::page::PageAsked;
use crate::problem::Answer;
use crate::render;

/// Evaluations fetched at once from history objects: a page and some.
const PAST_BATCH: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EvaluationsQuery {
    /// Statuses, separated by commas: `success`, `skipped`, `failure`, `idle`.
    status: Option<String>,
    /// Only those about the message of this id.
    message: Option<String>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Filter {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    status: BTreeSet<EvaluationStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Filter {
    fn takes(&self, row: &Evaluation) -> bool {
        (self.status.is_empty() || self.status.contains(&row.status))
            && self
                .message
                .as_ref()
                .is_none_or(|id| row.messages.contains(id))
    }
}

/// Lists the evaluations of a sensor, newest first. Looks that found nothing are one row a series.
#[utoipa::path(get, path = "/sensors/{sensor}/evaluations", tag = "sensors", operation_id = "list_evaluations",
    params(("sensor" = String, Path, description = "Name of the sensor"), EvaluationsQuery),
    responses((status = 200, description = "A page of evaluations", body = Page<Evaluation>)))]
pub(crate) async fn list(
    reading: Reading,
    Path(path): Path<SensorPath>,
    Query(query): Query<EvaluationsQuery>,
) -> Answer {
    let filter = Filter {
        status: crate::words::read("status", query.status.as_deref())?,
        message: query.message,
    };
    let list = format!("evaluations of {}", path.sensor);
    let asked: PageAsked<_, u64> =
        PageAsked::read(list, filter, query.page_token.as_deref(), query.limit)?;
    let state = &reading.view.state;
    let name = &path.sensor;
    // Evaluations outlive their sensor.
    if state.catalog.sensor(name).is_none()
        && state.evaluations_of(name).next().is_none()
        && reading
            .engine()
            .past_evaluations(name, None, 1)
            .await?
            .is_empty()
    {
        return Err(sensors::missing(state, name));
    }
    let mut scan = Scan {
        filter: &asked.filter,
        limit: asked.limit,
        items: Vec::new(),
        seen: 0,
        last: None,
        more: false,
    };
    let mut before = asked.after;
    let mut rows = state.evaluations_before(name, before).rev();
    let mut open = rows.all(|row| scan.look(row));
    // What is older has left memory.
    while open {
        before = scan.last.or(before);
        let past = reading
            .engine()
            .past_evaluations(name, before, PAST_BATCH)
            .await?;
        open = !past.is_empty() && past.iter().all(|row| scan.look(row));
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
    items: Vec<Evaluation>,
    /// Evaluations looked at.
    seen: usize,
    /// The last of them.
    last: Option<u64>,
    /// Whether there may be others after the last.
    more: bool,
}

impl Scan<'_> {
    /// Looks at the next evaluation; false when the page ends before it.
    fn look(&mut self, row: &state::Evaluation) -> bool {
        if self.items.len() == self.limit || self.seen > limits::SCAN_MAX {
            self.more = true;
            return false;
        }
        self.seen += 1;
        self.last = Some(row.id.number);
        let row = render::sensor::evaluation(row);
        if self.filter.takes(&row) {
            self.items.push(row);
        }
        true
    }
}
