//! `arco partitions`: the partitions of an asset, and the keys of dynamic partitions.

mod dynamic;
mod of_asset;

use clap::{Args, Subcommand};

use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::Outcome;

/// List the partitions of an asset, or change dynamic partitions
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    of_asset: of_asset::Options,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(dynamic::List),
    Show(dynamic::Show),
    /// Add keys to a set of dynamic partitions
    Add(dynamic::Change),
    /// Remove keys from a set of dynamic partitions
    Remove(dynamic::Change),
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    match &options.command {
        None => of_asset::run(&options.of_asset, &client, console).await,
        Some(Command::List(list)) => dynamic::list(list, &client, console).await,
        Some(Command::Show(show)) => dynamic::show(show, &client, console).await,
        Some(Command::Add(change)) => dynamic::change(change, "add", &client, console).await,
        Some(Command::Remove(change)) => dynamic::change(change, "remove", &client, console).await,
    }
}
