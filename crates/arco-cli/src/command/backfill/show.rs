//! `arco backfill show`: how far one is, its partitions, its runs.

use arco_core::AssetKey;
use arco_wire::api::{Backfill, BackfillChunk, BackfillPartition, Page};
use clap::Args;

use super::create;
use crate::client::{Client, all_pages, rows};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant, one_line, plural};

/// Show how far a backfill is, its partitions or its runs
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// A backfill, or `latest`
    #[arg(value_name = "BACKFILL")]
    backfill: String,
    /// Its partitions; of one status: waiting, ready, requested, succeeded, failed, skipped
    #[arg(long, value_name = "STATUS", num_args = 0..=1, default_missing_value = "")]
    partitions: Option<String>,
    /// Its chunks that became runs
    #[arg(long, conflicts_with = "partitions")]
    chunks: bool,
    /// At most this many partitions or chunks
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
}

/// The id of a backfill as it was named.
pub(super) async fn resolve(name: &str, client: &Client) -> Outcome<String> {
    if name != "latest" {
        return Ok(name.to_owned());
    }
    let request = client.get(["backfills"]).patient();
    let rows: Vec<Backfill> = all_pages(&request, 1).await?;
    match rows.first() {
        Some(row) => Ok(row.id.to_string()),
        None => Err(crate::failure::Failure::new("there is no backfill yet")
            .hint("arco backfill create SELECTION --range FIRST...LAST makes one")),
    }
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let id = resolve(&options.backfill, client).await?;
    let limit = options.limit as usize;
    if let Some(status) = &options.partitions {
        let status = (!status.is_empty()).then_some(status);
        let request = client
            .get(["backfills", &id, "partitions"])
            .query_opt("status", status)
            .patient();
        let found = rows::<BackfillPartition>(&request, limit).await?;
        if found.items.is_empty() && !console.is_json() {
            console.note("no such partitions");
            return Ok(Exit::Success);
        }
        let rest = found.rest("partition");
        let page = Page {
            items: found.items,
            next_page_token: None,
        };
        console.document(&page, |paint| partitions(&page.items, paint));
        if let Some(rest) = rest {
            console.note(&rest);
        }
        return Ok(Exit::Success);
    }
    if options.chunks {
        let request = client.get(["backfills", &id, "chunks"]).patient();
        let found = rows::<BackfillChunk>(&request, limit).await?;
        if found.items.is_empty() && !console.is_json() {
            console.note("no chunk became a run yet");
            return Ok(Exit::Success);
        }
        let rest = found.rest("chunk");
        let page = Page {
            items: found.items,
            next_page_token: None,
        };
        console.document(&page, |paint| chunks(&page.items, paint));
        if let Some(rest) = rest {
            console.note(&rest);
        }
        return Ok(Exit::Success);
    }
    let backfill: Backfill = client.get(["backfills", &id]).patient().send().await?;
    console.document(&backfill, |paint| render(&backfill, paint));
    Ok(Exit::Success)
}

pub(super) fn keys(assets: &[AssetKey]) -> String {
    let shown: Vec<&str> = assets.iter().take(3).map(AssetKey::as_str).collect();
    let more = if assets.len() > shown.len() {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", shown.join(", "))
}

pub(super) fn render(backfill: &Backfill, paint: Paint) -> String {
    let progress = &backfill.progress;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{name:<12}  {value}"));
        }
    };
    line("backfill", backfill.id.to_string());
    // On one line each, whatever was given.
    let given = |text: &Option<String>| text.as_deref().map_or_else(String::new, one_line);
    line("title", given(&backfill.title));
    line("description", given(&backfill.description));
    let tags = backfill.tags.iter();
    let tags: Vec<String> = tags.map(|(key, value)| format!("{key}={value}")).collect();
    line("tags", one_line(&tags.join(", ")));
    let reason = backfill.reason.as_ref().map(|why| format!(": {why}"));
    let status = backfill.status.as_str();
    line(
        "status",
        format!("{}{}", paint.status(status), reason.unwrap_or_default()),
    );
    let selection = backfill.selection.clone();
    line(
        "assets",
        selection.unwrap_or_else(|| keys(&backfill.assets)),
    );
    line("asked for", backfill.partitions.clone());
    line(
        "partitions",
        format!(
            "{} of {} made, {} failed, {} left unmade, {} remaining",
            progress.succeeded,
            progress.partitions,
            progress.failed,
            progress.skipped,
            progress.remaining
        ),
    );
    line(
        "runs",
        format!(
            "{} of {} asked for, {} active",
            progress.runs_requested, progress.runs, progress.runs_active
        ),
    );
    let rate = progress.per_minute.map(|rate| {
        let end = progress
            .estimated_end
            .map(|end| format!(", over at about {}", instant(end.0)));
        format!("{rate:.1} partitions a minute{}", end.unwrap_or_default())
    });
    line("rate", rate.unwrap_or_default());
    let throttle = backfill
        .runs_per_minute
        .map(|n| format!(", {} a minute", plural(u64::from(n), "run")));
    let order = match backfill.order {
        arco_wire::api::BackfillOrder::Oldest => "oldest first",
        arco_wire::api::BackfillOrder::Newest => "newest first",
    };
    line(
        "goes on",
        format!(
            "{} at once, priority {}, {order}{}",
            backfill.concurrency,
            backfill.priority,
            throttle.unwrap_or_default()
        ),
    );
    let id = |id: &Option<arco_core::BackfillId>| id.map_or_else(String::new, |id| id.to_string());
    line("retry of", id(&backfill.parent));
    line("retried by", id(&backfill.retried_by));
    line(
        "created",
        format!("{} by {}", instant(backfill.created.0), backfill.created_by),
    );
    line(
        "ended",
        backfill.ended.map_or_else(String::new, |at| instant(at.0)),
    );
    lines.extend(create::left_out(&backfill.left_out));
    lines.extend(
        backfill
            .dropped
            .iter()
            .map(|row| format!("chunk {} could not become a run: {}", row.chunk, row.reason)),
    );
    lines.join("\n")
}

fn partitions(rows: &[BackfillPartition], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("partition"),
        Column::status("status"),
        Column::number("chunk"),
        Column::text("assets"),
    ]);
    for row in rows {
        table.row([
            row.partition.clone().unwrap_or_default(),
            row.status.as_str().into(),
            row.chunk.to_string(),
            keys(&row.assets),
        ]);
    }
    table.render(paint)
}

fn chunks(rows: &[BackfillChunk], paint: Paint) -> String {
    let mut table = Table::new([
        Column::number("chunk"),
        Column::text("run"),
        Column::status("status"),
        Column::text("first"),
        Column::text("last"),
        Column::number("partitions"),
        Column::text("assets"),
    ]);
    for row in rows {
        table.row([
            row.chunk.to_string(),
            row.run.map_or_else(String::new, |run| run.to_string()),
            row.run_status
                .map_or_else(String::new, |status| status.as_str().to_owned()),
            row.first.clone().unwrap_or_default(),
            row.last.clone().unwrap_or_default(),
            row.partitions.to_string(),
            keys(&row.assets),
        ]);
    }
    table.render(paint)
}
