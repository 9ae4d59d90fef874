//! `arco sensor evals`.

use arco_wire::api::{Evaluation, Page};
use clap::Args;

use crate::client::{Client, all_pages};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant, plural};

/// Runs named in a row.
const RUNS_NAMED: usize = 2;

/// List the evaluations of a sensor, newest first
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the sensor
    sensor: String,
    /// Only these: success, skipped, failure, idle
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<String>,
    /// Only those about the message of this id
    #[arg(long, value_name = "ID")]
    message: Option<String>,
    /// With what the function logged
    #[arg(long)]
    log: bool,
    /// At most this many
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let status = (!options.status.is_empty()).then(|| options.status.join(","));
    let request = client
        .get(["sensors", &options.sensor, "evaluations"])
        .query_opt("status", status)
        .query_opt("message", options.message.as_ref())
        .patient();
    let rows: Vec<Evaluation> = all_pages(&request, options.limit as usize).await?;
    if rows.is_empty() && !console.is_json() {
        console.note("no evaluations");
        console.hint(&format!("arco sensor show {}", options.sensor));
        return Ok(Exit::Success);
    }
    let page = Page {
        items: rows,
        next_page_token: None,
    };
    console.document(&page, |paint| match options.log {
        true => with_log(&page.items, paint),
        false => render(&page.items, paint),
    });
    Ok(Exit::Success)
}

pub(super) fn render(rows: &[Evaluation], paint: Paint) -> String {
    let mut table = Table::new([
        Column::number("number"),
        Column::status("status"),
        Column::text("decided"),
        Column::number("took"),
        Column::text("about"),
        Column::text("what came of it"),
    ]);
    for row in rows {
        table.row([
            row.number.to_string(),
            row.status.as_str().into(),
            instant(row.time.0),
            row.took_ms.map(|ms| format!("{ms} ms")).unwrap_or_default(),
            about(row),
            came_of(row),
        ]);
    }
    table.render(paint)
}

fn with_log(rows: &[Evaluation], paint: Paint) -> String {
    let block = |row: &Evaluation| {
        let mut lines = vec![format!(
            "{} {} {}",
            paint.bold(&row.id),
            paint.status(row.status.as_str()),
            came_of(row)
        )];
        lines.extend(row.log.iter().map(|line| format!("  {line}")));
        lines.join("\n")
    };
    rows.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// Messages and events that it is about.
fn about(row: &Evaluation) -> String {
    match (row.messages.as_slice(), row.events.len()) {
        ([], 0) => String::new(),
        ([], events) => plural(events as u64, "event"),
        ([one], _) => one.clone(),
        (many, _) => plural(many.len() as u64, "message"),
    }
}

/// The runs, or why there are none.
pub(super) fn came_of(row: &Evaluation) -> String {
    if let Some(idle) = &row.idle {
        let looks = plural(idle.count, "look");
        let reason = row
            .reason
            .as_ref()
            .map_or_else(String::new, |r| format!(": {r}"));
        return format!("{looks} from {}{reason}", instant(idle.first.0));
    }
    if let Some(error) = &row.error {
        let attempt = row.attempt.unwrap_or(1);
        let after = if row.passed_over { ", passed over" } else { "" };
        return format!("{} (try {attempt}{after})", error.message);
    }
    let recorded = match row.asset_events.len() as u64 {
        0 => None,
        many => Some(format!("{} recorded", plural(many, "asset event"))),
    };
    if let Some(reason) = &row.reason {
        return recorded.map_or_else(|| reason.clone(), |said| format!("{reason} ({said})"));
    }
    let mut parts: Vec<String> = row
        .runs
        .iter()
        .take(RUNS_NAMED)
        .map(ToString::to_string)
        .collect();
    let more = row.runs.len().saturating_sub(RUNS_NAMED);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    parts.extend(row.backfills.iter().map(ToString::to_string));
    if !row.kept.is_empty() {
        parts.push(format!("{} there already", row.kept.len()));
    }
    let changed = row.dynamic_partitions.iter();
    parts.extend(changed.map(|set| format!("{}: +{} -{}", set.name, set.added, set.removed)));
    parts.extend(recorded);
    parts.join(", ")
}
