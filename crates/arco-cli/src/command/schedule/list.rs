//! `arco schedule list`.

use arco_wire::api::{Page, Schedule};
use clap::Args;

use super::ticks::came_of;
use crate::client::{Client, all_pages};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant};

/// List schedules
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Only the schedules of this code location
    #[arg(long, value_name = "NAME")]
    location: Option<String>,
    /// Only these: running, stopped
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let request = client
        .get(["schedules"])
        .query_opt("location", options.location.as_ref())
        .query_opt("status", options.status.as_ref())
        .patient();
    let rows: Vec<Schedule> = all_pages(&request, options.limit as usize).await?;
    if rows.is_empty() && !console.is_json() {
        if options.location.is_some() || options.status.is_some() {
            console.note("no schedule matches");
        } else {
            console.note("no schedules");
            console.hint("a schedule is `ScheduleDefinition(cron_schedule=..., target=...)` in Definitions(schedules=[...])");
        }
        return Ok(Exit::Success);
    }
    let page = Page {
        items: rows,
        next_page_token: None,
    };
    console.document(&page, |paint| render(&page.items, paint));
    Ok(Exit::Success)
}

pub(super) fn render(schedules: &[Schedule], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("schedule"),
        Column::status("status"),
        Column::text("cron"),
        Column::text("runs"),
        Column::text("next"),
        Column::status("last tick"),
        Column::text("at"),
        Column::text("what came of it"),
    ]);
    for schedule in schedules {
        let tick = schedule.last_tick.as_ref();
        table.row([
            schedule.name.clone(),
            schedule.status.as_str().into(),
            cron(schedule),
            target(schedule),
            schedule.next.map(|at| instant(at.0)).unwrap_or_default(),
            tick.map(|tick| tick.status.as_str().to_owned())
                .unwrap_or_default(),
            tick.map(|tick| instant(tick.instant.0)).unwrap_or_default(),
            tick.map(came_of).unwrap_or_default(),
        ]);
    }
    table.render(paint)
}

/// The crons with their zone, unless that is UTC.
pub(super) fn cron(schedule: &Schedule) -> String {
    let crons = schedule.cron.join(" | ");
    match schedule.timezone.as_str() {
        "UTC" => crons,
        zone => format!("{crons} ({zone})"),
    }
}

/// What it runs.
pub(super) fn target(schedule: &Schedule) -> String {
    let what = match &schedule.job {
        Some(job) => format!("job {job}"),
        None => schedule.selection.join(", "),
    };
    match schedule.partitions {
        Some(_) => format!("{what} (last partition)"),
        None => what,
    }
}
