//! `arco plan`: what a run would do. Nothing is written.

use arco_wire::api::{PlanPreview, PreviewPlan};
use clap::Args;

use super::ask;
use super::task_name::step_label;
use crate::args::{Ask, Connection};
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, duration, plural};

/// Show what a run would do
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) ask: Ask,
    /// How many tasks to list
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1000))]
    limit: u32,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    let body = PreviewPlan {
        selection: options.ask.wire_selection(),
        job: options.ask.job.clone(),
        job_location: options.ask.location.clone(),
        checks: options.ask.wire_checks(),
        partitions: options.ask.wire_partitions(),
        config: options.ask.wire_config()?,
    };
    let request = client
        .post(["plan"])
        .query("limit", options.limit.max(1))
        .json(&body)
        .patient();
    let mut plan: PlanPreview = match request.send().await {
        Ok(plan) => plan,
        Err(error) => return Err(ask::explain_run(&client, error).await),
    };
    plan.tasks.truncate(options.limit as usize);
    console.document(&plan, |paint| render(&plan, paint));
    Ok(Exit::Success)
}

fn render(plan: &PlanPreview, paint: Paint) -> String {
    let mut steps = Table::new([
        Column::text("location"),
        Column::text("step"),
        Column::number("tasks"),
        Column::text("pool"),
        Column::number("expected"),
    ]);
    for step in &plan.steps {
        let expected = step.expected_ms.map(duration);
        steps.row([
            step.location.clone(),
            step.step.clone(),
            step.tasks.to_string(),
            step.pool.clone().unwrap_or_default(),
            expected.unwrap_or_else(|| "no history".into()),
        ]);
    }
    let mut tasks = Table::new([
        Column::number("task"),
        Column::number("stage"),
        Column::text("step"),
        Column::text("needs"),
    ]);
    for task in &plan.tasks {
        let first = task.partitions.first().map(String::as_str);
        let needs: Vec<String> = task.needs.iter().take(8).map(u32::to_string).collect();
        let more = if task.needs.len() > needs.len() {
            ", …"
        } else {
            ""
        };
        tasks.row([
            task.task.to_string(),
            task.stage.to_string(),
            step_label(&task.step, None, first, task.partition_count),
            format!("{}{more}", needs.join(", ")),
        ]);
    }
    let total = paint.bold(&plural(plan.task_count, "task"));
    let edges = match plan.edge_count {
        1 => "1 dependency".to_owned(),
        n => format!("{n} dependencies"),
    };
    let mut lines = vec![format!("{total}, {edges}")];
    lines.extend(expected(plan));
    lines.extend(pools(plan));
    let mut text = format!("{}\n\n{}", lines.join("\n"), steps.render(paint));
    if !tasks.is_empty() {
        text.push_str(&format!("\n\n{}", tasks.render(paint)));
    }
    let rest = plan.task_count.saturating_sub(plan.tasks.len() as u64);
    if rest > 0 && !tasks.is_empty() {
        text.push_str(&format!("\n… and {}", plural(rest, "more task")));
    }
    text
}

/// How long it may take: with the hosts there are, and at best.
fn expected(plan: &PlanPreview) -> Option<String> {
    let expected = &plan.expected;
    let unknown = expected.tasks_without_history;
    if plan.task_count == 0 {
        return None;
    }
    if unknown == plan.task_count {
        return Some("expected: no history".into());
    }
    let best = duration(expected.critical_path_ms);
    let slots: u64 = expected.slots.values().sum();
    let mut text = match expected.elapsed_ms {
        Some(elapsed) => format!(
            "expected: {} with {}, {best} at best",
            duration(elapsed),
            plural(slots, "slot")
        ),
        None => {
            let without = expected.slots.iter().find(|(_, slots)| **slots == 0);
            let without = without.map_or("", |(location, _)| location.as_str());
            format!("expected: {best} at best; no worker host serves `{without}` now")
        }
    };
    text.push_str(&format!("; {} of work", duration(expected.work_ms)));
    if unknown > 0 {
        text.push_str(&format!(
            ", without {} that have no history",
            plural(unknown, "task")
        ));
    }
    Some(text)
}

fn pools(plan: &PlanPreview) -> Option<String> {
    let pools = plan.pools.iter();
    let pools: Vec<String> = pools
        .map(|(pool, tasks)| format!("{pool} ({})", plural(*tasks, "task")))
        .collect();
    (!pools.is_empty()).then(|| format!("pools: {}", pools.join(", ")))
}
