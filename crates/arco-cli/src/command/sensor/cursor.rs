//! `arco sensor cursor`: show, set, clear.

use arco_wire::api::{Sensor, SensorCursor};
use clap::Args;
use serde_json::json;

use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};

/// Show the cursor of a sensor, set it, or clear it
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the sensor
    sensor: String,
    /// Set it to this
    #[arg(long, value_name = "TEXT")]
    set: Option<String>,
    /// Clear it
    #[arg(long, conflicts_with = "set")]
    clear: bool,
    /// Only while the sensor is in this version, as `arco sensor show` says it
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let name = options.sensor.as_str();
    let sensor: Sensor = if options.set.is_none() && !options.clear {
        client.get(["sensors", name]).patient().send().await?
    } else {
        let body = SensorCursor {
            cursor: options.set.clone(),
        };
        let mut request = client.put(["sensors", name, "cursor"]).json(&body);
        if let Some(version) = options.if_version {
            request = request.header("if-match", format!("\"{version}\""));
        }
        request.send().await?
    };
    let document = json!({"sensor": sensor.name, "cursor": sensor.cursor, "state_version": sensor.state_version});
    console.document(&document, |_| {
        sensor.cursor.clone().unwrap_or_else(|| "no cursor".into())
    });
    Ok(Exit::Success)
}
