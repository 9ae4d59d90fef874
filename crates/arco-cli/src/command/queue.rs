//! `arco queue`: what waits, on what, and who has it.

mod limits;

use arco_wire::api::{Page, QueueEntry, QueueWait, QueueWaitKind};
use clap::{Args, Subcommand};

use crate::args::Connection;
use crate::client::{Client, all_pages};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant};

#[cfg(test)]
mod tests;

/// Show what waits for a slot, and who has it
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    Limits(limits::Options),
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    if let Some(Command::Limits(options)) = &options.command {
        return limits::run(options, &client, console).await;
    }
    let request = client.get(["queue"]).patient();
    let rows: Vec<QueueEntry> = all_pages(&request, options.limit as usize).await?;
    if rows.is_empty() && !console.is_json() {
        console.note("nothing waits");
        return Ok(Exit::Success);
    }
    let page = Page {
        items: rows,
        next_page_token: None,
    };
    console.document(&page, |paint| render(&page.items, paint));
    Ok(Exit::Success)
}

fn render(entries: &[QueueEntry], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("run"),
        Column::text("task"),
        Column::number("priority"),
        Column::text("requested"),
        Column::text("waits for"),
    ]);
    for entry in entries {
        let step = entry.step.clone().unwrap_or_default();
        let waits: Vec<String> = entry.waits_for.iter().map(wait).collect();
        table.row([
            entry.run.to_string(),
            entry
                .task
                .map_or_else(String::new, |task| format!("{task} {step}")),
            entry.priority.to_string(),
            instant(entry.requested.0),
            waits.join("; "),
        ]);
    }
    table.render(paint)
}

/// `pool db, 1 of 1 held by run_01….0.1`.
fn wait(wait: &QueueWait) -> String {
    let name = &wait.name;
    let what = match wait.kind {
        QueueWaitKind::Host => return format!("a host of location {name}: none is alive"),
        QueueWaitKind::Turn => return format!("its turn at a host of location {name}"),
        QueueWaitKind::Limit => name.clone(),
        QueueWaitKind::Pool => format!("pool {name}"),
    };
    let (slots, held) = (wait.slots.unwrap_or(0), wait.held.unwrap_or(0));
    let runs = wait.runs.iter().map(ToString::to_string);
    let holders: Vec<String> = runs
        .chain(wait.attempts.iter().map(ToString::to_string))
        .collect();
    if holders.is_empty() {
        return format!("{what}, {held} of {slots} held");
    }
    let more = if holders.len() < held as usize {
        ", …"
    } else {
        ""
    };
    format!(
        "{what}, {held} of {slots} held by {}{more}",
        holders.join(", ")
    )
}
