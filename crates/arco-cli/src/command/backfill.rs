//! `arco backfill`: many partitions, asked for at once and steered while they are made.

mod create;
mod list;
mod show;
mod steer;

#[cfg(test)]
mod tests;

use clap::{Args, Subcommand};

use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::Outcome;

/// Make many partitions, and steer how it goes on
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Options),
    Plan(create::Asked),
    List(list::Options),
    Show(show::Options),
    Pause(steer::Pause),
    Resume(steer::Resume),
    Cancel(steer::Cancel),
    RetryFailed(steer::RetryFailed),
    Edit(steer::Edit),
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    match &options.command {
        Command::Create(options) => create::run(options, &client, console).await,
        Command::Plan(asked) => create::plan(asked, &client, console).await,
        Command::List(options) => list::run(options, &client, console).await,
        Command::Show(options) => show::run(options, &client, console).await,
        Command::Pause(options) => steer::pause(options, &client, console).await,
        Command::Resume(options) => steer::resume(options, &client, console).await,
        Command::Cancel(options) => steer::cancel(options, &client, console).await,
        Command::RetryFailed(options) => steer::retry_failed(options, &client, console).await,
        Command::Edit(options) => steer::edit(options, &client, console).await,
    }
}
