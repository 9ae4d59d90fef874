//! `arco log`: the event log itself, read from the store. Needs no server and changes nothing.

mod event;
mod show;
mod verify;

use std::path::PathBuf;

use arco_log::{Access, Log, LogError, LogOptions, LogStore, WorkspacePaths};
use clap::{Args, Subcommand};

use crate::console::Console;
use crate::env_vars;
use crate::failure::{Failure, Outcome};

/// Read the event log in a store
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(show::Options),
    Verify(verify::Options),
}

/// Which log.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// The store: `file:/path` or a path
    #[arg(long, value_name = "URL", conflicts_with = "dir")]
    store: Option<String>,
    /// The folder of an `arco dev`
    #[arg(long, value_name = "FOLDER", default_value = ".arco")]
    dir: PathBuf,
    /// Workspace
    #[arg(long, value_name = "NAME", env = env_vars::WORKSPACE, hide_env_values = true, default_value = "default")]
    workspace: String,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    match &options.command {
        Command::Show(show) => show::run(show, console).await,
        Command::Verify(verify) => verify::run(verify, console).await,
    }
}

impl Place {
    /// Opens the log to read it, while an `arco dev` may be writing to it.
    async fn open(&self) -> Outcome<Log> {
        let url = match &self.store {
            Some(url) => url.clone(),
            None => format!("file:{}", super::dev::store_folder(&self.dir).display()),
        };
        let opened = async {
            let store = LogStore::open_existing(&url)?;
            let paths = WorkspacePaths::new("default", &self.workspace)?;
            Log::open(
                store,
                paths,
                LogOptions {
                    access: Access::Read,
                    ..LogOptions::default()
                },
            )
            .await
        };
        opened.await.map_err(|error| {
            refusal(error)
                .context(format!("could not open the log in `{url}`"))
                .hint("`--dir FOLDER` names the folder of an `arco dev`, `--store URL` a store")
        })
    }
}

/// An error of the log, with what to do about it.
fn refusal(error: LogError) -> Failure {
    let corrupt = matches!(error, LogError::Corrupt { .. });
    let failure = Failure::from(error);
    if corrupt {
        failure.hint("`arco log verify` reports everything that is damaged")
    } else {
        failure
    }
}
