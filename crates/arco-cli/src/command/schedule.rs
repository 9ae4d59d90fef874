//! `arco schedule`: when what is run, and what came of it.

mod list;
mod next;
mod set;
mod show;
mod test;
mod ticks;

#[cfg(test)]
mod tests;

use clap::{Args, Subcommand};

use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::Outcome;

/// List schedules, show one, start and stop it, see its ticks
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
    /// Set a schedule going, whatever the code says; it counts from now
    Start(set::Options),
    /// Stop a schedule, whatever the code says; its runs go on
    Stop(set::Options),
    /// Leave it to the code again whether a schedule runs
    Reset(set::Options),
    Ticks(ticks::Options),
    Next(next::Options),
    Test(test::Options),
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
        Some(Command::Ticks(ticks)) => ticks::run(ticks, &client, console).await,
        Some(Command::Next(next)) => next::run(next, &client, console).await,
        Some(Command::Test(test)) => test::run(test, &client, console).await,
    }
}
