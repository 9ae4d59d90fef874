//! `arco backfill list`.

use arco_wire::api::{Backfill, Page};
use clap::Args;

use super::show;
use crate::client::{Client, rows};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant};

/// List backfills, newest first
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// Only these: pending, running, paused, canceling, succeeded, failed, canceled
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<String>,
    /// Only backfills of this asset
    #[arg(long, value_name = "KEY")]
    asset: Option<String>,
    /// Only backfills with this tag
    #[arg(long, value_name = "KEY=VALUE|KEY")]
    tag: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let status = (!options.status.is_empty()).then(|| options.status.join(","));
    let request = client
        .get(["backfills"])
        .query_opt("status", status)
        .query_opt("asset", options.asset.as_ref())
        .query_opt("tag", options.tag.as_ref())
        .patient();
    let found = rows::<Backfill>(&request, options.limit as usize).await?;
    if found.items.is_empty() && !console.is_json() {
        console.note("no backfills");
        console.hint("arco backfill create SELECTION --range FIRST...LAST makes one");
        return Ok(Exit::Success);
    }
    let rest = found.rest("backfill");
    let page = Page {
        items: found.items,
        next_page_token: None,
    };
    console.document(&page, |paint| render(&page.items, paint));
    if let Some(rest) = rest {
        console.note(&rest);
    }
    Ok(Exit::Success)
}

pub(super) fn render(rows: &[Backfill], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("backfill"),
        Column::status("status"),
        Column::text("created"),
        Column::number("done"),
        Column::number("failed"),
        Column::number("partitions"),
        Column::text("assets"),
        Column::text("asked for"),
    ]);
    for row in rows {
        table.row([
            row.id.to_string(),
            row.status.as_str().into(),
            instant(row.created.0),
            row.progress.succeeded.to_string(),
            row.progress.failed.to_string(),
            row.progress.partitions.to_string(),
            row.selection
                .clone()
                .unwrap_or_else(|| show::keys(&row.assets)),
            row.partitions.clone(),
        ]);
    }
    table.render(paint)
}
