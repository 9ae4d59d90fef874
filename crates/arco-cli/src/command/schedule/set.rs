//! `arco schedule start`, `stop` and `reset`.

use arco_wire::api::Schedule;
use clap::Args;

use super::show;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the schedule
    schedule: String,
}

pub(super) async fn run(
    options: &Options,
    verb: &str,
    client: &Client,
    console: &Console,
) -> Outcome {
    // Saying it twice says it once.
    let schedule: Schedule = client
        .post(["schedules", &options.schedule, verb])
        .patient()
        .send()
        .await?;
    show::tell(&schedule, console);
    Ok(Exit::Success)
}
