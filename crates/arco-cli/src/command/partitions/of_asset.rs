//! `arco partitions ASSET`: the partitions of an asset and where each stands.

use arco_wire::api::{MaterializationSummary, Page, Partition, PartitionStatus};
use clap::Args;

use super::super::assets::status_word;
use crate::client::{Client, rows};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant};

/// The partitions of an asset
#[derive(Debug, Args)]
// The command around it has a group of this name.
#[group(skip)]
pub(super) struct Options {
    /// Key of the asset, `raw/flights`
    #[arg(required = true)]
    asset: Option<String>,
    /// Only these
    #[arg(long, value_name = "STATUS", value_delimiter = ',',
          value_parser = ["never_materialized", "materialized", "failed", "in_progress"])]
    status: Vec<String>,
    /// Last ones first
    #[arg(long)]
    reverse: bool,
    /// At most this many
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    limit: u32,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    // Required, except before a subcommand.
    let asset = options.asset.as_deref().unwrap_or_default();
    let status = (!options.status.is_empty()).then(|| options.status.join(","));
    let request = client
        .get(["assets", asset, "partitions"])
        .query_opt("status", status)
        .query("order", if options.reverse { "desc" } else { "asc" })
        .patient();
    let found = rows::<Partition>(&request, options.limit as usize).await?;
    if found.items.is_empty() && !console.is_json() {
        console.note("no such partitions");
        return Ok(Exit::Success);
    }
    let rest = found.rest("partition");
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

fn render(partitions: &[Partition], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("partition"),
        Column::status("status"),
        Column::text("materialized"),
        Column::text("by"),
        Column::text("failed in"),
    ]);
    for partition in partitions {
        let latest = partition.latest.as_ref();
        table.row([
            partition.key.clone(),
            status(partition).into(),
            latest.map(|made| instant(made.time.0)).unwrap_or_default(),
            latest.map(made_by).unwrap_or_default(),
            partition
                .failed_run
                .map_or_else(String::new, |run| run.to_string()),
        ]);
    }
    table.render(paint)
}

/// Where it stands, in words: a failure hides nothing that was made before.
fn status(partition: &Partition) -> &'static str {
    match (partition.status, &partition.latest) {
        (PartitionStatus::Failed, Some(_)) => "materialized, last attempt failed",
        (status, _) => status_word(status),
    }
}

/// The run that made it, or that it was reported.
fn made_by(made: &MaterializationSummary) -> String {
    made.run
        .map_or_else(|| "reported".into(), |run| run.to_string())
}

#[cfg(test)]
mod tests;
