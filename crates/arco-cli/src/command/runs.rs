//! `arco runs`: the runs there are, and one of them.

pub(in crate::command) mod list;
mod retries;
mod show;

use arco_wire::api::{Page, RunSummary};
use clap::{Args, Subcommand};

use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Failure, Outcome};

pub(crate) use show::{failures, outcome};

/// List runs, or show one
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
    Retries(retries::Options),
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    match &options.command {
        None => list::run(&options.list, &client, console).await,
        Some(Command::List(list)) => list::run(list, &client, console).await,
        Some(Command::Show(show)) => show::run(show, &client, console).await,
        Some(Command::Retries(retries)) => retries::run(retries, &client, console).await,
    }
}

/// A run as people name it: its id, or `latest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunName {
    Id(String),
    Latest,
}

impl std::str::FromStr for RunName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        match text.parse::<arco_core::RunId>() {
            Ok(id) => Ok(Self::Id(id.to_string())),
            Err(error) => Err(format!("{error}, or `latest`")),
        }
    }
}

impl RunName {
    /// The id.
    pub(crate) async fn resolve(&self, client: &Client) -> Outcome<String> {
        match self {
            Self::Id(id) => Ok(id.clone()),
            Self::Latest => {
                let page: Page<RunSummary> = client
                    .get(["runs"])
                    .query("limit", 1)
                    .patient()
                    .send()
                    .await?;
                match page.items.first() {
                    Some(run) => Ok(run.id.to_string()),
                    None => {
                        Err(Failure::new("there is no run yet")
                            .hint("arco run SELECTION starts one"))
                    }
                }
            }
        }
    }
}
