//! `arco`: the one binary.
//!
//! A thin shell: it reads the command line, asks a control plane over HTTP (or is one: `dev`,
//! `serve`), and prints. It decides nothing about runs, and apart from `dev`, `serve` and `log` it
//! needs nothing but the API. Data goes to stdout, everything else to stderr; `--json` is for
//! programs and complete; errors end with `hint:` lines.

mod args;
mod client;
mod command;
mod console;
mod env_vars;
mod failure;
mod logging;
mod random;
mod render;
mod server;
mod signals;
mod target;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::command::{
    assets, backfill, cancel, completion, definitions, deploy, dev, jobs, log, logs, new,
    partitions, plan, queue, rerun, run, runs, schedule, sensor, serve, status, tick, version, why,
    worker,
};
use crate::console::Console;
use crate::failure::{Attempt, Outcome, REFUSED};
use crate::logging::Usual;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    client::install_crypto();
    let console = Console::new(&arguments.common);
    match dispatch(&arguments.command, &console) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            console.note(&failure.render(console.paint_err()));
            ExitCode::from(REFUSED)
        }
    }
}

fn dispatch(command: &Command, console: &Console) -> Outcome {
    match command {
        Command::Dev(options) => serving(console, Usual::Dev, dev::run(options, console)),
        Command::Serve(options) => serving(console, Usual::Server, serve::run(options, console)),
        Command::Tick(options) => serving(console, Usual::Client, tick::run(options, console)),
        Command::Worker(options) => {
            serving(console, options.usual(), worker::run(options, console))
        }
        Command::Run(options) => asking(console, run::run(options, console)),
        Command::Rerun(options) => asking(console, rerun::run(options, console)),
        Command::Runs(options) => asking(console, runs::run(options, console)),
        Command::Logs(options) => asking(console, logs::run(options, console)),
        Command::Cancel(options) => asking(console, cancel::run(options, console)),
        Command::Backfill(options) => asking(console, backfill::run(options, console)),
        Command::Queue(options) => asking(console, queue::run(options, console)),
        Command::Plan(options) => asking(console, plan::run(options, console)),
        Command::Why(options) => asking(console, why::run(options, console)),
        Command::Assets(options) => asking(console, assets::run(options, console)),
        Command::Partitions(options) => asking(console, partitions::run(options, console)),
        Command::Jobs(options) => asking(console, jobs::run(options, console)),
        Command::Status(options) => asking(console, status::run(options, console)),
        Command::Schedule(options) => asking(console, schedule::run(options, console)),
        Command::Sensor(options) => asking(console, sensor::run(options, console)),
        Command::Definitions(options) => asking(console, definitions::run(options, console)),
        Command::Log(options) => asking(console, log::run(options, console)),
        Command::New(options) => new::run(options, console),
        Command::Deploy(options) => asking(console, deploy::run(options, console)),
        Command::Completion(options) => completion::run(options),
        Command::Version(options) => version::run(options, console),
    }
}

/// A command that serves: all cores, and the log tells its story.
fn serving(console: &Console, usual: Usual, work: impl Future<Output = Outcome>) -> Outcome {
    logging::start(console, usual);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    block_on(runtime.enable_all(), work)
}

/// A command that asks and prints: one thread starts fastest.
fn asking(console: &Console, work: impl Future<Output = Outcome>) -> Outcome {
    logging::start(console, Usual::Client);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    block_on(runtime.enable_all(), work)
}

fn block_on(runtime: &mut tokio::runtime::Builder, work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = runtime.build().attempt(|| "could not start the runtime")?;
    let outcome = runtime.block_on(work);
    // Work on blocking threads (a name look-up) must not hold up the exit.
    runtime.shutdown_background();
    outcome
}
