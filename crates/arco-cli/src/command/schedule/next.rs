//! `arco schedule next`.

use arco_wire::api::{NextInstants, ScheduleStatus};
use clap::Args;

use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant};

/// Show when a schedule is due next, also while it is stopped
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the schedule
    schedule: String,
    /// Instants from this one on, such as 2026-01-31T02:00:00Z
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// So many
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let next: NextInstants = client
        .get(["schedules", &options.schedule, "next"])
        .query("limit", options.limit)
        .query_opt("from", options.from.as_ref())
        .patient()
        .send()
        .await?;
    console.document(&next, |paint| render(&next, paint));
    if next.status == ScheduleStatus::Stopped {
        console.hint(&format!(
            "it is stopped: arco schedule start {}",
            next.schedule
        ));
    }
    Ok(Exit::Success)
}

pub(super) fn render(next: &NextInstants, paint: Paint) -> String {
    let mut table = Table::new([Column::text("instant"), Column::text("local")]);
    for row in &next.instants {
        table.row([instant(row.instant.0), row.local.clone()]);
    }
    table.render(paint)
}
