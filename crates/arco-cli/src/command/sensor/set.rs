//! `arco sensor start`, `stop` and `reset`.

use arco_wire::api::Sensor;
use clap::Args;

use super::show;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the sensor
    sensor: String,
}

pub(super) async fn run(
    options: &Options,
    verb: &str,
    client: &Client,
    console: &Console,
) -> Outcome {
    // Saying it twice says it once.
    let sensor: Sensor = client
        .post(["sensors", &options.sensor, verb])
        .patient()
        .send()
        .await?;
    show::tell(&sensor, console);
    Ok(Exit::Success)
}
