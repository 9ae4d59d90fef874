//! `arco schedule test`.

use arco_wire::api::{TickStatus, TickTrial};
use clap::Args;

use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant, plural};

/// Show what a tick would do; nothing is done
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the schedule
    schedule: String,
    /// The instant to try, such as 2026-01-31T02:00:00Z; the next due one when absent
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let trial: TickTrial = client
        .get(["schedules", &options.schedule, "test"])
        .query_opt("instant", options.at.as_ref())
        .asks_user_code()
        .patient()
        .send()
        .await?;
    console.document(&trial, |paint| render(&trial, paint));
    Ok(match trial.status {
        TickStatus::Failure => Exit::Failed,
        TickStatus::Success | TickStatus::Skipped | TickStatus::Missed => Exit::Success,
    })
}

pub(super) fn render(trial: &TickTrial, paint: Paint) -> String {
    let at = instant(trial.instant.0);
    let schedule = paint.bold(&trial.schedule);
    if let Some(error) = &trial.error {
        let status = paint.status(TickStatus::Failure.as_str());
        return format!("{schedule} at {at}: {status}: {}", error.message);
    }
    if let Some(reason) = &trial.reason {
        let status = paint.status(TickStatus::Skipped.as_str());
        return format!("{schedule} at {at}: {status}: {reason}");
    }
    let mut table = Table::new([
        Column::text("run key"),
        Column::text("partitions"),
        Column::number("tasks"),
        Column::text("assets"),
    ]);
    for run in &trial.runs {
        let keys: Vec<&str> = run.assets.iter().take(5).map(|key| key.as_str()).collect();
        let more = if run.asset_count > keys.len() as u64 {
            ", …"
        } else {
            ""
        };
        table.row([
            run.run_key.clone(),
            run.partitions.clone().unwrap_or_default(),
            run.tasks.to_string(),
            format!("{}{more}", keys.join(", ")),
        ]);
    }
    let runs = plural(trial.runs.len() as u64, "run");
    format!(
        "{schedule} at {at} would ask for {runs}\n\n{}",
        table.render(paint)
    )
}
