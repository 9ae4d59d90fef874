//! Tasks of a run.

use std::collections::BTreeSet;

use arco_core::{RunId, TaskIndex};
use arco_wire::api::{self, Page, TaskStatus, TaskSummary};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::codes::Code;
use crate::extract::{Path, Query, Reading};
use crate::page::PageAsked;
use crate::problem::{Answer, Refusal};
use crate::render;

use super::run;

#[derive(Debug, Deserialize)]
pub(crate) struct TasksPath {
    run: RunId,
}

#[derive(Debug, Deserialize)]
pub(crate) struct TaskPath {
    pub(super) run: RunId,
    pub(super) task: TaskIndex,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TasksQuery {
    /// Statuses, separated by commas: `failed,running`.
    status: Option<String>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct TaskFilter {
    /// Empty: any.
    status: BTreeSet<TaskStatus>,
}

/// Lists the tasks of a run, in the order of its plan.
#[utoipa::path(get, path = "/runs/{run}/tasks", tag = "runs", operation_id = "list_tasks",
    params(("run" = String, Path, description = "Run id"), TasksQuery),
    responses((status = 200, description = "A page of tasks", body = Page<TaskSummary>)))]
pub(crate) async fn list(
    reading: Reading,
    Path(path): Path<TasksPath>,
    Query(query): Query<TasksQuery>,
) -> Answer {
    let filter = TaskFilter {
        status: crate::words::read("status", query.status.as_deref())?,
    };
    let list = format!("tasks of {}", path.run);
    let asked: PageAsked<_, TaskIndex> =
        PageAsked::read(list, filter, query.page_token.as_deref(), query.limit)?;
    let run = run::find(&reading, path.run).await?;
    let start = asked.after.map_or(0, |after| after.saturating_add(1));
    let mut found = (0_u32..)
        .zip(&run.tasks)
        .skip(start as usize)
        .filter(|(_, task)| {
            let wanted = &asked.filter.status;
            wanted.is_empty() || wanted.contains(&render::task::status(task.status))
        });
    let mut items = Vec::new();
    let mut last = None;
    for (index, _) in found.by_ref().take(asked.limit) {
        items.extend(render::task::summary(&reading.view.state, &run, index));
        last = Some(index);
    }
    let next = found.next().and(last);
    Ok(reading.json(&asked.page(items, next)))
}

/// Shows one task with its attempts.
#[utoipa::path(get, path = "/runs/{run}/tasks/{task}", tag = "runs", operation_id = "get_task",
    params(("run" = String, Path, description = "Run id"), ("task" = u32, Path, description = "Number in the run")),
    responses((status = 200, description = "The task", body = api::Task)))]
pub(crate) async fn show(reading: Reading, Path(path): Path<TaskPath>) -> Answer {
    let run = run::find(&reading, path.run).await?;
    let task = render::task::task(&reading.view.state, &run, path.task);
    let task = task.ok_or_else(|| unknown(path.run, path.task, run.tasks.len()))?;
    Ok(reading.json(&task))
}

pub(crate) fn unknown(run: RunId, task: TaskIndex, count: usize) -> Refusal {
    let has = match count {
        0 => "it has none".to_owned(),
        count => format!("its tasks are 0 to {}", count - 1),
    };
    Refusal::new(
        Code::UnknownTask,
        format!("run {run} has no task {task}; {has}"),
    )
}
