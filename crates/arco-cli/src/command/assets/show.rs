//! `arco assets show`.

use std::collections::BTreeMap;

use arco_core::RunId;
use arco_wire::api::{Asset, AssetCheck, Materialization, Observation, Page};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::list::status_word;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, cut, instant};

#[cfg(test)]
mod tests;

/// Show one asset
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Key of the asset, `raw/flights`
    asset: String,
    /// Show the last materialization of this partition
    #[arg(long, short, value_name = "KEY")]
    partition: Option<String>,
}

/// The document of `--json`.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    asset: Asset,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_materialization: Option<Materialization>,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let asset: Asset = client
        .get(["assets", &options.asset])
        .patient()
        .send()
        .await?;
    let latest: Page<Materialization> = client
        .get(["assets", &options.asset, "materializations"])
        .query_opt("partition", options.partition.as_ref())
        .query("limit", 1)
        .patient()
        .send()
        .await?;
    let shown = Shown {
        asset,
        latest_materialization: latest.items.into_iter().next(),
    };
    console.document(&shown, |paint| render(&shown, paint));
    Ok(Exit::Success)
}

fn render(shown: &Shown, paint: Paint) -> String {
    let asset = &shown.asset;
    let summary = &asset.summary;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{} {value}", paint.dim(&format!("{name:<12}"))));
        }
    };
    line("asset", paint.bold(summary.key.as_str()));
    line("description", asset.description.clone().unwrap_or_default());
    line("location", summary.location.clone());
    line("group", summary.group.clone());
    line("kinds", summary.kinds.join(", "));
    line("owners", asset.owners.join(", "));
    let tags: Vec<String> = asset
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    line("tags", tags.join(", "));
    line(
        "step",
        match (&asset.step, summary.observable) {
            (None, _) => "none: nothing here makes it".into(),
            (Some(step), true) => format!("{step}, which looks at it: nothing here makes it"),
            (Some(step), false) => step.clone(),
        },
    );
    line("code", asset.code_version.clone().unwrap_or_default());
    line("io manager", asset.io_manager.clone().unwrap_or_default());
    line("status", paint.status(status_word(summary.status)));
    if let Some(info) = &summary.partitions {
        let counts = &info.counts;
        line(
            "partitions",
            format!("{} {}, such as {}", counts.total, info.noun, info.example),
        );
        line(
            "",
            format!(
                "{} materialized, {} failed, {} in progress, {} never materialized",
                counts.materialized, counts.failed, counts.in_progress, counts.never_materialized
            ),
        );
    }
    let upstream: Vec<&str> = asset
        .upstream
        .iter()
        .map(|edge| edge.asset.as_str())
        .collect();
    line("upstream", upstream.join(", "));
    let downstream: Vec<&str> = asset.downstream.iter().map(|key| key.as_str()).collect();
    line("downstream", downstream.join(", "));
    let mut text = lines.join("\n");
    if let Some(latest) = &shown.latest_materialization {
        text.push_str(&format!("\n\n{}", materialization(latest, paint)));
    }
    if let Some(seen) = &summary.latest_observation {
        text.push_str(&format!("\n\n{}", observation(seen, paint)));
    }
    if !asset.asset_checks.is_empty() {
        text.push_str(&format!("\n\n{}", checks(&asset.asset_checks, paint)));
    }
    text
}

fn materialization(made: &Materialization, paint: Paint) -> String {
    let partition = made
        .partition
        .as_ref()
        .map(|key| format!(" of {key}"))
        .unwrap_or_default();
    let mut lines = vec![format!(
        "{}{partition} at {}{}",
        paint.bold("last materialization"),
        instant(made.summary.time.0),
        by(made.summary.run)
    )];
    lines.extend(described(&made.metadata, paint));
    lines.join("\n")
}

fn observation(seen: &Observation, paint: Paint) -> String {
    let partition = seen
        .partition
        .as_ref()
        .map(|key| format!(" of {key}"))
        .unwrap_or_default();
    let mut lines = vec![format!(
        "{}{partition} at {}{}",
        paint.bold("last observation"),
        instant(seen.time.0),
        by(seen.run)
    )];
    let mut line = |name: &str, value: Option<&String>| {
        lines.extend(value.map(|text| format!("  {} {text}", paint.dim(&format!("{name}:")))));
    };
    line("description", seen.description.as_ref());
    line("data version", seen.data_version.as_ref());
    lines.extend(described(&seen.metadata, paint));
    lines.join("\n")
}

/// ` by run_…`, or that it came from outside of runs.
fn by(run: Option<RunId>) -> String {
    run.map_or_else(|| ", reported".into(), |run| format!(" by {run}"))
}

fn described(
    metadata: &BTreeMap<String, Value>,
    paint: Paint,
) -> impl Iterator<Item = String> + '_ {
    metadata.iter().map(move |(name, value)| {
        format!(
            "  {} {}",
            paint.dim(&format!("{name}:")),
            self::metadata(value)
        )
    })
}

/// A metadata value on one line.
fn metadata(value: &Value) -> String {
    let kind = value
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let inner = value.get("value").unwrap_or(value);
    match (kind, inner) {
        ("png", Value::String(base64)) => format!("picture, {} KiB", base64.len() * 3 / 4 / 1024),
        (_, Value::String(text)) => cut(text.lines().next().unwrap_or_default()).into_owned(),
        (_, other) => {
            let text = other.to_string();
            let cut: String = text.chars().take(120).collect();
            if cut.len() < text.len() {
                format!("{cut}…")
            } else {
                cut
            }
        }
    }
}

fn checks(checks: &[AssetCheck], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("check"),
        Column::text("blocking"),
        Column::number("passed"),
        Column::number("failed"),
        Column::status("latest"),
        Column::text("description"),
    ]);
    for check in checks {
        let latest = match &check.latest {
            None => "never judged",
            Some(result) if result.passed => "passed",
            Some(_) => "failed",
        };
        table.row([
            check.name.clone(),
            if check.blocking {
                "yes".into()
            } else {
                String::new()
            },
            check.passed.to_string(),
            check.failed.to_string(),
            latest.into(),
            check.description.clone().unwrap_or_default(),
        ]);
    }
    table.render(paint)
}
