//! What a run would do, without making it.

use std::collections::HashMap;

use arco_core::plan::{Plan, PlannedTask};
use arco_flow::planner::Planned;
use arco_wire::api::{self, PlanPreview, PlannedStep, PreviewPlan};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::extract::{Json, Query, Reading};
use crate::page;
use crate::problem::Answer;
use crate::render::task::PARTITIONS;

use super::runs::partitions_asked;

/// Tasks shown when no number is asked for.
const TASKS_DEFAULT: usize = 100;
const TASKS_MAX: usize = 1_000;
const NEEDS: usize = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlanQuery {
    /// Tasks shown, 1 to 1,000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Shows what a run would do. Nothing is written.
#[utoipa::path(post, path = "/plan", tag = "runs", operation_id = "preview_plan", params(PlanQuery),
    request_body = PreviewPlan,
    responses((status = 200, description = "The plan", body = PlanPreview)))]
pub(crate) async fn preview(
    reading: Reading,
    Query(query): Query<PlanQuery>,
    Json(body): Json<PreviewPlan>,
) -> Answer {
    let limit = page::limit(query.limit, TASKS_DEFAULT, TASKS_MAX)?;
    let ask = partitions_asked(body.selection, body.partitions, body.config)?;
    let planned = reading.engine().preview(&ask).await?;
    Ok(reading.json(&render(planned, limit)))
}

fn render(planned: Planned, limit: usize) -> PlanPreview {
    let tasks = &planned.plan.tasks;
    PlanPreview {
        task_count: tasks.len() as u64,
        edge_count: tasks.iter().map(|task| task.needs.len() as u64).sum(),
        steps: steps(&planned.plan),
        tasks: (0_u32..)
            .zip(tasks)
            .take(limit)
            .map(|(index, planned)| task(index, planned))
            .collect(),
        definitions: planned.definitions,
    }
}

/// Tasks per step, in order of first appearance.
fn steps(plan: &Plan) -> Vec<PlannedStep> {
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    let mut out: Vec<PlannedStep> = Vec::new();
    for task in &plan.tasks {
        let place = *places
            .entry((&task.location, &task.step))
            .or_insert_with(|| {
                out.push(PlannedStep {
                    location: task.location.clone(),
                    step: task.step.clone(),
                    tasks: 0,
                });
                out.len() - 1
            });
        out[place].tasks += 1;
    }
    out
}

fn task(index: u32, planned: &PlannedTask) -> api::PlannedTask {
    let partitions = planned.partitions.iter().take(PARTITIONS);
    api::PlannedTask {
        task: index,
        location: planned.location.clone(),
        step: planned.step.clone(),
        partitions: partitions.map(|key| key.display().into_owned()).collect(),
        partition_count: planned.partitions.len() as u64,
        needs: planned.needs.iter().take(NEEDS).copied().collect(),
    }
}
