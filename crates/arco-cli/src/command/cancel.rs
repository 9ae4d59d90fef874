//! `arco cancel`: asks a run to stop.

use arco_wire::api::{Run, RunStatus};
use clap::Args;

use super::runs::RunName;
use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::plural;

/// Ask a run to stop
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A run, or `latest`
    run: RunName,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    let id = options.run.resolve(&client).await?;
    // Asking twice is asking once: a run that ended stays as it ended.
    let run: Run = client
        .post(["runs", &id, "cancel"])
        .patient()
        .send()
        .await?;
    console.document(&run, |_| {
        let held = u64::from(run.summary.tasks.leased + run.summary.tasks.running);
        match run.summary.status {
            RunStatus::Canceling => format!(
                "run {id} is being stopped; {} still alive",
                plural(held, "attempt")
            ),
            status => format!("run {id} is over: {}", status.as_str()),
        }
    });
    Ok(Exit::Success)
}
