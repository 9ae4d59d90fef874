//! `arco sensor`: what is watched, what came of it, and messages for it.

mod cursor;
mod evals;
mod list;
mod send;
mod set;
mod show;
mod test;

#[cfg(test)]
mod tests;

use clap::{Args, Subcommand};

use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::Outcome;

/// List sensors, show one, start and stop it, see its evaluations, send it a message
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
    /// Set a sensor going, whatever the code says; what was before is not its business
    Start(set::Options),
    /// Stop a sensor, whatever the code says; its runs go on
    Stop(set::Options),
    /// Leave it to the code again whether a sensor runs
    Reset(set::Options),
    Evals(evals::Options),
    Cursor(cursor::Options),
    Test(test::Options),
    Send(send::Options),
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    match &options.command {
        None => list::run(&options.list, &client, console).await,
        Some(Command::List(list)) => list::run(list, &client, console).await,
        Some(Command::Show(show)) => show::run(show, &client, console).await,
        Some(Command::Start(set)) => set::run(set, "start", &client, console).await,
        Some(Command::Stop(set)) => set::run(set, "stop", &client, console).await,
        Some(Command::Reset(set)) => set::run(set, "reset", &client, console).await,
        Some(Command::Evals(evals)) => evals::run(evals, &client, console).await,
        Some(Command::Cursor(cursor)) => cursor::run(cursor, &client, console).await,
        Some(Command::Test(test)) => test::run(test, &client, console).await,
        Some(Command::Send(send)) => send::run(send, &client, console).await,
    }
}
