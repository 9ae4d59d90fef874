//! The command line as a type. One command a file under `command/`; what several share is here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command::{
    assets, backfill, cancel, completion, definitions, deploy, dev, jobs, log, logs, new,
    partitions, plan, queue, rerun, run, runs, schedule, sensor, serve, status, tick, version, why,
    worker,
};
use crate::env_vars;

#[cfg(test)]
mod guide;
#[cfg(test)]
mod tests;
mod times;

pub(crate) use times::{Times, milliseconds};

/// Arco orchestrates data assets: one binary, state in a folder or a bucket.
#[derive(Debug, Parser)]
#[command(
    name = "arco",
    version,
    after_help = "First steps:\n  arco dev definitions.py        start everything on http://127.0.0.1:3000\n  \
                  arco assets                    what there is\n  \
                  arco run 'group:sales+'        materialize a group and what is downstream of it"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// For every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Print one JSON document (streams: one a line) on stdout
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Say more on stderr; twice for debugging
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Output")]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Dev(dev::Options),
    Serve(serve::Options),
    Tick(tick::Options),
    Worker(worker::Options),
    Run(run::Options),
    Rerun(rerun::Options),
    Runs(runs::Options),
    Logs(logs::Options),
    Cancel(cancel::Options),
    Backfill(backfill::Options),
    Queue(queue::Options),
    Plan(plan::Options),
    Why(why::Options),
    Assets(assets::Options),
    Partitions(partitions::Options),
    Jobs(jobs::Options),
    Status(status::Options),
    Schedule(schedule::Options),
    Sensor(sensor::Options),
    Definitions(definitions::Options),
    Log(log::Options),
    New(new::Options),
    Deploy(deploy::Options),
    Completion(completion::Options),
    Version(version::Options),
}

/// Which control plane to ask.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Control plane")]
pub(crate) struct Connection {
    /// Address of the control plane
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = env_vars::SERVER,
        hide_env_values = true,
        default_value = "http://127.0.0.1:3000"
    )]
    pub(crate) server: String,
    /// Workspace
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = env_vars::WORKSPACE,
        hide_env_values = true,
        default_value = "default"
    )]
    pub(crate) workspace: String,
    /// File that holds the token; else the variable ARCO_TOKEN
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// Which assets and partitions, and how. Shared by `run` and `plan`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Ask {
    /// Assets: a key, `key+` and `+key` with neighbours, `group:g`, `tag:k=v`, `kind:k`, `and`, `or`, `not`, `*`
    #[arg(required_unless_present_any = ["job", "checks"], value_name = "SELECTION")]
    pub(crate) selection: Vec<String>,
    /// The job to run: its assets, with its configuration and tags; a selection narrows it
    #[arg(long, value_name = "NAME")]
    pub(crate) job: Option<String>,
    /// Code location of the job, when several have one of this name
    #[arg(long, value_name = "NAME", requires = "job")]
    pub(crate) location: Option<String>,
    /// A check to judge, or all of an asset; may be repeated. Without a selection these alone are judged
    #[arg(long, value_name = "ASSET[:CHECK]")]
    pub(crate) checks: Vec<String>,
    /// Judge no checks, apart from those that the functions of the assets judge themselves
    #[arg(long, conflicts_with = "checks")]
    pub(crate) no_checks: bool,
    /// A partition, or an inclusive range of them; may be repeated
    #[arg(long = "partition", short = 'p', value_name = "KEY|FIRST...LAST")]
    pub(crate) partitions: Vec<String>,
    /// Every partition that exists
    #[arg(long, conflicts_with = "partitions")]
    pub(crate) all_partitions: bool,
    /// Run configuration: JSON text, or a file that holds it
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) config: Option<String>,
}

pub(crate) fn parse_tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("tags look like `team=core`".into()),
    }
}
