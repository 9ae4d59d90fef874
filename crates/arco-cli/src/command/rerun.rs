//! `arco rerun`: does a run again, in whole or in part, and watches it to its end.

use arco_wire::api::{Rerun, RunCreated, SelectionText};
use clap::Args;

use super::runs::RunName;
use super::{ask, run};
use crate::args::{Connection, Times, parse_tag};
use crate::client::Client;
use crate::console::Console;
use crate::failure::Outcome;
use crate::random;

/// Do a run again: all of it, what did not succeed, or some of its assets
///
/// The run must be over. Its configuration and tags are kept; the definitions are those deployed now;
/// what is not done again is read from storage.
#[derive(Debug, Args)]
#[command(after_help = run::EXIT_CODES)]
pub(crate) struct Options {
    /// A run that is over, or `latest`
    run: RunName,
    /// Only the tasks that failed, were skipped or were cancelled
    #[arg(long, conflicts_with = "select")]
    from_failure: bool,
    /// Only these assets of the run; may be repeated
    #[arg(long, value_name = "SELECTION")]
    select: Vec<String>,
    /// With the tasks of the run that the selected ones need
    #[arg(long, requires = "select")]
    with_upstream: bool,
    /// With the tasks of the run that need the selected ones
    #[arg(long, requires = "select")]
    with_downstream: bool,
    /// At most one run per key: the same key and request again is the same run
    #[arg(long, value_name = "KEY")]
    run_key: Option<String>,
    /// A tag beside those of the run; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse_tag)]
    tags: Vec<(String, String)>,
    /// Higher goes first; the run's own when absent
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    priority: Option<i32>,
    #[command(flatten)]
    times: Times,
    /// Do not wait for the end
    #[arg(long)]
    detach: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    let parent = options.run.resolve(&client).await?;
    let body = Rerun {
        from_failure: options.from_failure,
        selection: (!options.select.is_empty())
            .then(|| SelectionText::Many(options.select.clone())),
        with_upstream: options.with_upstream,
        with_downstream: options.with_downstream,
        run_key: options.run_key.clone(),
        tags: options.tags.iter().cloned().collect(),
        priority: options.priority,
        time_limits: options.times.wire(),
    };
    let request = client
        .post(["runs", &parent, "rerun"])
        .json(&body)
        .idempotent(&random::token())
        .patient();
    let made: RunCreated = match request.send().await {
        Ok(made) => made,
        Err(error) => return Err(ask::explain(&client, error).await),
    };
    run::follow(made, options.detach, &client, console).await
}
