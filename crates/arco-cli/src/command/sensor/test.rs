//! `arco sensor test`.

use arco_core::AssetKey;
use arco_wire::api::{EvaluationStatus, SensorTest, SensorTrial, TestMessage};
use clap::Args;

use super::send::data;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Failure, Outcome};
use crate::render::{Column, Paint, Table, plural};

/// Ask a sensor what it would do; nothing is done
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the sensor
    sensor: String,
    /// The cursor to try with, empty for none; the one that stands when absent
    #[arg(long, value_name = "TEXT")]
    cursor: Option<String>,
    /// Of one that is pushed to, what the message says: JSON text, or @FILE; else the oldest that waits
    #[arg(long, value_name = "JSON|@FILE")]
    message: Option<String>,
    /// Of one that watches assets, the asset that was made, as if; else the oldest that waits
    #[arg(long, value_name = "KEY", conflicts_with = "message", value_parser = parse_asset)]
    asset: Option<AssetKey>,
    /// With `--asset`: its partition
    #[arg(long, value_name = "KEY", requires = "asset")]
    partition: Option<String>,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let message = options.message.as_deref().map(|text| {
        Ok::<_, Failure>(TestMessage {
            data: data(text)?,
            ..TestMessage::default()
        })
    });
    let body = SensorTest {
        cursor: options.cursor.clone(),
        message: message.transpose()?,
        asset: options.asset.clone(),
        partition: options.partition.clone(),
    };
    // It changes nothing, so that it may be repeated.
    let trial: SensorTrial = client
        .post(["sensors", &options.sensor, "test"])
        .json(&body)
        .asks_user_code()
        .patient()
        .send()
        .await?;
    console.document(&trial, |paint| render(&trial, paint));
    Ok(match trial.status {
        EvaluationStatus::Failure => Exit::Failed,
        _ => Exit::Success,
    })
}

fn parse_asset(text: &str) -> Result<AssetKey, String> {
    AssetKey::parse(text).ok_or_else(|| "asset keys look like `raw/flights`".into())
}

pub(super) fn render(trial: &SensorTrial, paint: Paint) -> String {
    let sensor = paint.bold(&trial.sensor);
    let status = paint.status(trial.status.as_str());
    let mut lines = Vec::new();
    if let Some(error) = &trial.error {
        lines.push(format!("{sensor}: {status}: {}", error.message));
        if !error.traceback.is_empty() {
            lines.push(error.traceback.trim_end().to_owned());
        }
    } else if let Some(reason) = &trial.reason {
        lines.push(format!("{sensor}: {status}: {reason}"));
    } else {
        let runs = plural(trial.runs.len() as u64, "run");
        let backfills = match trial.backfills {
            0 => String::new(),
            count => format!(" and {}", plural(count, "backfill")),
        };
        lines.push(format!("{sensor} would ask for {runs}{backfills}"));
    }
    if !trial.runs.is_empty() {
        lines.push(String::new());
        lines.push(runs(trial, paint));
    }
    for set in &trial.dynamic_partitions {
        lines.push(format!(
            "partitions of {}: {} to add, {} to remove",
            set.name,
            set.add.len(),
            set.remove.len()
        ));
    }
    for event in &trial.asset_events {
        let of = event.partition.as_ref();
        let of = of.map_or_else(String::new, |key| format!(" [{key}]"));
        let check = event.check.as_ref();
        let check = check.map_or_else(String::new, |name| format!(" `{name}`"));
        let (word, asset) = (event.event.as_str(), &event.asset);
        lines.push(format!("{word}{check} of {asset}{of} to record"));
    }
    if let Some(cursor) = &trial.cursor {
        lines.push(format!("{} {cursor}", paint.dim("cursor")));
    }
    lines.push(format!("{} {} ms", paint.dim("took"), trial.took_ms));
    lines.extend(
        trial
            .log
            .iter()
            .map(|line| format!("{} {line}", paint.dim("log"))),
    );
    lines.join("\n")
}

fn runs(trial: &SensorTrial, paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("run key"),
        Column::text("partitions"),
        Column::number("tasks"),
        Column::text("assets"),
    ]);
    for run in &trial.runs {
        let keys: Vec<&str> = run.assets.iter().take(5).map(|key| key.as_str()).collect();
        let more = if run.asset_count > keys.len() as u64 {
            ", …"
        } else {
            ""
        };
        table.row([
            run.run_key.clone().unwrap_or_default(),
            run.partitions.clone().unwrap_or_default(),
            run.tasks.to_string(),
            format!("{}{more}", keys.join(", ")),
        ]);
    }
    table.render(paint)
}
