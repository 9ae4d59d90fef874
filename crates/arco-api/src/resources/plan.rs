//! What a run would do, without making it.

use std::collections::{BTreeMap, HashMap};

use arco_core::definitions::Catalog;
use arco_core::plan::{Plan, PlannedTask};
use arco_flow::planner::{self, Estimate, Planned};
use arco_wire::api::{self, ExpectedTime, PlanPreview, PlannedStep, PreviewPlan};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::extract::{Json, Query, Reading};
use crate::page;
use crate::problem::Answer;
use crate::render::task::PARTITIONS;

use super::runs::Asked;

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
    let asked = Asked {
        selection: body.selection,
        job: body.job,
        job_location: body.job_location,
        checks: body.checks,
        partitions: body.partitions,
        config: body.config,
    };
    let planned = reading.engine().preview(&asked.ask()?).await?;
    let estimate = planner::estimate(&reading.view.state, &planned.plan);
    let catalog = &reading.view.state.catalog;
    Ok(reading.json(&render(planned, &estimate, catalog, limit)))
}

fn render(planned: Planned, estimate: &Estimate, catalog: &Catalog, limit: usize) -> PlanPreview {
    let tasks = &planned.plan.tasks;
    let steps = steps(&planned.plan, estimate, catalog);
    let mut pools: BTreeMap<String, u64> = BTreeMap::new();
    for step in &steps {
        if let Some(pool) = &step.pool {
            *pools.entry(pool.clone()).or_default() += step.tasks;
        }
    }
    PlanPreview {
        task_count: tasks.len() as u64,
        edge_count: tasks.iter().map(|task| task.needs.len() as u64).sum(),
        steps,
        pools,
        expected: ExpectedTime {
            work_ms: estimate.work_ms,
            critical_path_ms: estimate.critical_path_ms,
            elapsed_ms: estimate.elapsed_ms,
            slots: estimate.slots.clone(),
            tasks_without_history: estimate.unknown(),
        },
        tasks: (0_u32..)
            .zip(tasks)
            .zip(&estimate.stages)
            .take(limit)
            .map(|((index, planned), stage)| task(index, *stage, planned))
            .collect(),
        definitions: planned.definitions,
    }
}

/// Tasks per step, in order of first appearance.
fn steps(plan: &Plan, estimate: &Estimate, catalog: &Catalog) -> Vec<PlannedStep> {
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    let mut out: Vec<PlannedStep> = Vec::new();
    for (task, expected_ms) in plan.tasks.iter().zip(&estimate.tasks) {
        let place = *places
            .entry((&task.location, &task.step))
            .or_insert_with(|| {
                let definitions = catalog.locations().get(&task.location);
                let step = definitions.and_then(|definitions| definitions.step(&task.step));
                out.push(PlannedStep {
                    pool: step.and_then(|step| step.pool.clone()),
                    expected_ms: *expected_ms,
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

fn task(index: u32, stage: u32, planned: &PlannedTask) -> api::PlannedTask {
    let partitions = planned.partitions.iter().take(PARTITIONS);
    api::PlannedTask {
        task: index,
        stage,
        location: planned.location.clone(),
        step: planned.step.clone(),
        partitions: partitions.map(|key| key.display().into_owned()).collect(),
        partition_count: planned.partitions.len() as u64,
        needs: planned.needs.iter().take(NEEDS).copied().collect(),
    }
}
