//! `arco assets report-materialization`, `report-observation`, `report-check`: facts that no run made.

use std::collections::BTreeMap;

use arco_core::event::Severity;
use arco_wire::api::{ReportCheck, ReportMaterialization, ReportObservation, Reported};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::parse_tag;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::random;

#[cfg(test)]
mod tests;

/// Say that an asset was made by something that is no run
#[derive(Debug, Args)]
pub(crate) struct Materialization {
    /// Key of the asset, `raw/flights`
    asset: String,
    #[command(flatten)]
    said: Said,
    /// Version of the data; without one it counts as new data
    #[arg(long, value_name = "TEXT")]
    data_version: Option<String>,
    /// A tag; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse_tag)]
    tags: Vec<(String, String)>,
}

/// Say that an asset was looked at
#[derive(Debug, Args)]
pub(crate) struct Observation {
    /// Key of the asset, `raw/flights`
    asset: String,
    #[command(flatten)]
    said: Said,
    /// Version of the data, when it is known
    #[arg(long, value_name = "TEXT")]
    data_version: Option<String>,
    /// For people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A tag; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse_tag)]
    tags: Vec<(String, String)>,
}

/// Say how a check of an asset was judged
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Key of the asset, `raw/flights`
    asset: String,
    /// Name of the check
    check: String,
    /// The verdict
    #[arg(long, required_unless_present = "failed", conflicts_with = "failed")]
    passed: bool,
    /// The verdict
    #[arg(long)]
    failed: bool,
    /// A failure is a warning: it stops nothing
    #[arg(long)]
    warn: bool,
    #[command(flatten)]
    said: Said,
    /// For people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

/// What all reports have.
#[derive(Debug, Args)]
struct Said {
    /// The partition, when the asset is partitioned
    #[arg(long, short, value_name = "KEY")]
    partition: Option<String>,
    /// Metadata; may be repeated. A value that is a number, true or false is one, all else is text
    #[arg(long = "metadata", short = 'm', value_name = "NAME=VALUE", value_parser = parse_metadata)]
    metadata: Vec<(String, Value)>,
    /// The same report under the same key again counts once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

impl Said {
    fn metadata(&self) -> BTreeMap<String, Value> {
        self.metadata.iter().cloned().collect()
    }
}

pub(super) async fn materialization(
    options: &Materialization,
    client: &Client,
    console: &Console,
) -> Outcome {
    let body = ReportMaterialization {
        partition: options.said.partition.clone(),
        data_version: options.data_version.clone(),
        metadata: options.said.metadata(),
        tags: options.tags.iter().cloned().collect(),
    };
    let path = ["assets", &options.asset, "materializations"];
    send(client, console, path, &options.said, &body).await
}

pub(super) async fn observation(
    options: &Observation,
    client: &Client,
    console: &Console,
) -> Outcome {
    let body = ReportObservation {
        partition: options.said.partition.clone(),
        data_version: options.data_version.clone(),
        description: options.description.clone(),
        metadata: options.said.metadata(),
        tags: options.tags.iter().cloned().collect(),
    };
    let path = ["assets", &options.asset, "observations"];
    send(client, console, path, &options.said, &body).await
}

pub(super) async fn check(options: &Check, client: &Client, console: &Console) -> Outcome {
    let body = ReportCheck {
        check: options.check.clone(),
        passed: options.passed,
        severity: match options.warn {
            true => Severity::Warn,
            false => Severity::Error,
        },
        partition: options.said.partition.clone(),
        description: options.description.clone(),
        metadata: options.said.metadata(),
    };
    let path = ["assets", &options.asset, "checks"];
    send(client, console, path, &options.said, &body).await
}

async fn send<B: Serialize + Sync>(
    client: &Client,
    console: &Console,
    path: [&str; 3],
    said: &Said,
    body: &B,
) -> Outcome {
    // A lost answer leaves open whether it was recorded; under one key asking again is safe.
    let key = said.idempotency_key.clone().unwrap_or_else(random::token);
    let request = client.post(path).json(body).idempotent(&key).patient();
    let reported: Reported = request.send().await?;
    console.document(&reported, |_| match reported.created {
        true => format!("reported at {}", reported.position),
        false => format!("was reported before, at {}", reported.position),
    });
    console.hint(&format!("arco assets show {}", path[1]));
    Ok(Exit::Success)
}

/// `rows=842`: a typed value, as an SDK would have made it.
fn parse_metadata(text: &str) -> Result<(String, Value), String> {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err("metadata looks like `rows=842` or `source=export`".into());
    };
    let typed = |kind: &str, value: Value| json!({"type": kind, "value": value});
    let value = match serde_json::from_str::<Value>(value) {
        Ok(Value::Bool(flag)) => typed("bool", json!(flag)),
        Ok(Value::Number(number)) if number.is_f64() => typed("float", json!(number)),
        Ok(Value::Number(number)) => typed("int", json!(number)),
        _ => typed("text", json!(value)),
    };
    Ok((name.to_owned(), value))
}
