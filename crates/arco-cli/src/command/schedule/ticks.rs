//! `arco schedule ticks`.

use arco_wire::api::{Page, Tick};
use clap::Args;

use crate::client::{Client, all_pages};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant, plural};

/// Runs named in a row.
const RUNS_NAMED: usize = 2;

/// List the ticks of a schedule, newest first
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the schedule
    schedule: String,
    /// Only these: success, skipped, failure, missed
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<String>,
    /// Instants from this one on, such as 2026-01-31T02:00:00Z
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Instants before this one
    #[arg(long, value_name = "INSTANT")]
    to: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let status = (!options.status.is_empty()).then(|| options.status.join(","));
    let request = client
        .get(["schedules", &options.schedule, "ticks"])
        .query_opt("status", status)
        .query_opt("from", options.from.as_ref())
        .query_opt("to", options.to.as_ref())
        .patient();
    let rows: Vec<Tick> = all_pages(&request, options.limit as usize).await?;
    if rows.is_empty() && !console.is_json() {
        console.note("no ticks");
        console.hint(&format!("arco schedule next {}", options.schedule));
        return Ok(Exit::Success);
    }
    let page = Page {
        items: rows,
        next_page_token: None,
    };
    console.document(&page, |paint| render(&page.items, paint));
    Ok(Exit::Success)
}

pub(super) fn render(ticks: &[Tick], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("instant"),
        Column::status("status"),
        Column::text("decided"),
        Column::text("what came of it"),
    ]);
    for tick in ticks {
        table.row([
            instant(tick.instant.0),
            tick.status.as_str().into(),
            instant(tick.time.0),
            came_of(tick),
        ]);
    }
    table.render(paint)
}

/// The runs, or why there are none.
pub(super) fn came_of(tick: &Tick) -> String {
    if let Some(missed) = &tick.missed {
        let reason = tick.reason.as_deref().unwrap_or_default();
        let many = plural(missed.count, "instant");
        let first = instant(missed.first.0);
        return format!("{many} from {first}: {reason}");
    }
    if let Some(error) = &tick.error {
        return error.message.clone();
    }
    if let Some(reason) = &tick.reason {
        return reason.clone();
    }
    let named: Vec<String> = tick
        .runs
        .iter()
        .take(RUNS_NAMED)
        .map(ToString::to_string)
        .collect();
    match tick.runs.len().saturating_sub(RUNS_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
