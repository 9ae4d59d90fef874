//! The queue: runs that have not begun, in order, then tasks that might be leased.

use arco_core::event::Position;
use arco_core::{RunId, TaskIndex};
use arco_flow::State;
use arco_flow::queue::{self, Wait};
use arco_flow::state::{Lane, Place, ReadyTask, Run};
use arco_wire::api::{Page, QueueEntry, QueueWait, QueueWaitKind};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::extract::{Query, Reading};
use crate::page::PageAsked;
use crate::problem::Answer;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct QueueQuery {
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// The last row of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Last {
    rank: i64,
    requested: Position,
    run: RunId,
    /// Of a task: its location, pool and number.
    task: Option<(String, Option<String>, TaskIndex)>,
}

/// Lists what waits, with what it waits for and who has it: queued runs in their order, then tasks of
/// runs under way.
#[utoipa::path(get, path = "/queue", tag = "queue", operation_id = "list_queue", params(QueueQuery),
    responses((status = 200, description = "A page of what waits", body = Page<QueueEntry>)))]
pub(crate) async fn list(reading: Reading, Query(query): Query<QueueQuery>) -> Answer<Response> {
    let asked = PageAsked::<(), Last>::read("queue", (), query.page_token.as_deref(), query.limit)?;
    let state = &reading.view.state;
    let (after_run, after_task) = match &asked.after {
        None => (Some(None), None),
        Some(last) => match &last.task {
            None => (Some(Some(last.place())), None),
            Some(task) => (None, Some(last.ready(task))),
        },
    };
    let runs = after_run
        .into_iter()
        .flat_map(|after| queue::runs(state, after));
    let runs =
        runs.filter_map(|(place, waits)| Some((Last::of(place), run_entry(state, place, waits)?)));
    let tasks = queue::tasks(state, after_task);
    let tasks = tasks
        .filter_map(|(task, wait)| Some((Last::of_task(task), task_entry(state, task, wait)?)));
    let rows: Vec<(Last, QueueEntry)> = runs.chain(tasks).take(asked.limit + 1).collect();
    let more = rows.len() > asked.limit;
    let mut last = None;
    let mut items = Vec::new();
    for (place, entry) in rows.into_iter().take(asked.limit) {
        items.push(entry);
        last = Some(place);
    }
    let next = last.filter(|_| more);
    Ok(reading.json(&asked.page(items, next)))
}

impl Last {
    fn of(place: Place) -> Self {
        let Place {
            rank,
            requested,
            run,
        } = place;
        Self {
            rank,
            requested,
            run,
            task: None,
        }
    }

    fn of_task(task: &ReadyTask) -> Self {
        let lane = task.lane.clone();
        Self {
            task: Some((lane.location, lane.pool, task.task)),
            ..Self::of(task.place)
        }
    }

    fn place(&self) -> Place {
        Place {
            rank: self.rank,
            requested: self.requested,
            run: self.run,
        }
    }

    fn ready(&self, (location, pool, task): &(String, Option<String>, TaskIndex)) -> ReadyTask {
        let lane = Lane {
            location: location.clone(),
            pool: pool.clone(),
        };
        ReadyTask {
            lane,
            place: self.place(),
            task: *task,
        }
    }
}

fn run_entry(state: &State, place: Place, waits: Vec<Wait>) -> Option<QueueEntry> {
    let run = state.run(place.run)?;
    Some(entry(run, None, waits.into_iter().map(wait).collect()))
}

fn task_entry(state: &State, task: &ReadyTask, waits: Wait) -> Option<QueueEntry> {
    let run = state.run(task.place.run)?;
    Some(entry(run, Some(task.task), vec![wait(waits)]))
}

fn entry(run: &Run, task: Option<TaskIndex>, waits_for: Vec<QueueWait>) -> QueueEntry {
    let planned = task.and_then(|task| run.planned(task));
    QueueEntry {
        run: run.id,
        task,
        step: planned.map(|planned| planned.step.clone()),
        priority: run.priority,
        requested: run.requested.1.into(),
        waits_for,
    }
}

fn wait(wait: Wait) -> QueueWait {
    let of = |kind, name| QueueWait {
        kind,
        name,
        slots: None,
        held: None,
        runs: Vec::new(),
        attempts: Vec::new(),
    };
    match wait {
        Wait::Limit {
            limit,
            slots,
            held,
            holders,
        } => QueueWait {
            slots: Some(slots),
            held: Some(held),
            runs: holders,
            ..of(QueueWaitKind::Limit, limit.to_string())
        },
        Wait::Pool {
            pool,
            slots,
            held,
            holders,
        } => QueueWait {
            slots: Some(slots),
            held: Some(held),
            attempts: holders,
            ..of(QueueWaitKind::Pool, pool)
        },
        Wait::Host(location) => of(QueueWaitKind::Host, location),
        Wait::Turn(location) => of(QueueWaitKind::Turn, location),
    }
}
