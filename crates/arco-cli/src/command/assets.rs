//! `arco assets`: the assets there are, one of them, and what is reported about one from outside of runs.

mod list;
mod report;
mod show;

use clap::{Args, Subcommand};

use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::Outcome;

pub(crate) use list::status_word;

/// List assets, show one, or report about one
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::Options,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Options),
    Show(show::Options),
    ReportMaterialization(report::Materialization),
    ReportObservation(report::Observation),
    ReportCheck(report::Check),
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    match &options.command {
        None => list::run(&options.list, &client, console).await,
        Some(Command::List(list)) => list::run(list, &client, console).await,
        Some(Command::Show(show)) => show::run(show, &client, console).await,
        Some(Command::ReportMaterialization(said)) => {
            report::materialization(said, &client, console).await
        }
        Some(Command::ReportObservation(said)) => report::observation(said, &client, console).await,
        Some(Command::ReportCheck(said)) => report::check(said, &client, console).await,
    }
}
