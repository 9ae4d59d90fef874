//! `arco assets list`.

use arco_wire::api::{AssetSummary, Page, PartitionStatus};
use clap::Args;

use crate::client::{Client, all_pages};
use crate::command::ask;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant};

#[cfg(test)]
mod tests;

/// List assets
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Only these: a selection such as `group:sales or kind:table`
    #[arg(long, short, value_name = "SELECTION")]
    select: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let request = client
        .get(["assets"])
        .query_opt("selection", options.select.as_ref())
        .patient();
    let rows: Vec<AssetSummary> = all_pages(&request, options.limit as usize).await?;
    if rows.is_empty() && !console.is_json() {
        if let Some(select) = &options.select {
            console.note(&format!("no asset matches `{select}`"));
            console.hint("arco assets");
            return Ok(Exit::Success);
        }
        console.note("no assets");
        let definitions = client.get(["definitions"]).send().await?;
        ask::reasons(&definitions)
            .iter()
            .for_each(|reason| console.hint(reason));
        return Ok(Exit::Success);
    }
    let page = Page {
        items: rows,
        next_page_token: None,
    };
    console.document(&page, |paint| render(&page.items, paint));
    Ok(Exit::Success)
}

fn render(assets: &[AssetSummary], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("asset"),
        Column::text("group"),
        Column::text("kinds"),
        Column::text("partitions"),
        Column::status("status"),
        Column::text("checks"),
        Column::text("latest"),
    ]);
    for asset in assets {
        table.row([
            asset.key.as_str().into(),
            asset.group.clone(),
            asset.kinds.join(", "),
            partitions(asset),
            status(asset),
            checks(asset),
            asset
                .latest
                .as_ref()
                .map(|latest| instant(latest.time.0))
                .unwrap_or_default(),
        ]);
    }
    table.render(paint)
}

fn partitions(asset: &AssetSummary) -> String {
    asset.partitions.as_ref().map_or_else(String::new, |info| {
        let mut text = format!(
            "{}/{} {}",
            info.counts.materialized, info.counts.total, info.noun
        );
        if info.counts.failed > 0 {
            text.push_str(&format!(", {} failed", info.counts.failed));
        }
        text
    })
}

fn status(asset: &AssetSummary) -> String {
    if asset.observable {
        "observable".into()
    } else if asset.external {
        "external".into()
    } else {
        status_word(asset.status).into()
    }
}

/// As the API says it, for people.
pub(crate) fn status_word(status: PartitionStatus) -> &'static str {
    match status {
        PartitionStatus::NeverMaterialized => "never materialized",
        PartitionStatus::Materialized => "materialized",
        PartitionStatus::Failed => "failed",
        PartitionStatus::InProgress => "in progress",
    }
}

fn checks(asset: &AssetSummary) -> String {
    match (asset.checks, asset.checks_failed) {
        (0, _) => String::new(),
        (all, 0) => {
            let never = all.saturating_sub(asset.checks_passed);
            let passed = format!("{}/{all} passed", asset.checks_passed);
            match (asset.checks_passed, never) {
                (_, 0) => passed,
                (0, never) => format!("{never} never judged"),
                (_, never) => format!("{passed}, {never} never judged"),
            }
        }
        (all, failed) => format!("{failed}/{all} failed"),
    }
}
