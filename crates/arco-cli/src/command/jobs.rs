//! `arco jobs`: the jobs there are, and one of them.

mod list;
mod show;

use clap::{Args, Subcommand};

use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::Outcome;

/// List jobs, or show one
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
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    match &options.command {
        None => list::run(&options.list, &client, console).await,
        Some(Command::List(list)) => list::run(list, &client, console).await,
        Some(Command::Show(show)) => show::run(show, &client, console).await,
    }
}
