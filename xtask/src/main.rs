//! Commands of the repository: `cargo xtask demo`, `cargo xtask test`, `cargo xtask bench`,
//! `cargo xtask parity`.
//!
//! One file a command under `command/`; what several of them need lies beside: processes that never
//! outlive us, the Python environment, a server under test, its HTTP client, a stopwatch.

mod api;
mod bench;
mod command;
mod crate_edges;
mod dependencies;
mod differential;
mod parity;
mod process;
mod python_env;
mod repo;
mod server;
mod shell;
mod timing;
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::command::{
    bench as bench_command, demo, differential as differential_command, parity as parity_command,
    peer, test,
};

/// Commands of the repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build Arco and run a year of flights on it.
    Demo(demo::Options),
    /// Run every check and test, or only some stages.
    Test(test::Options),
    /// Measure a release build through its HTTP API.
    Bench(bench_command::Options),
    /// Prove every claim of the parity matrix.
    Parity(parity_command::Options),
    /// Compare answers with those of a real Dagster, on fresh questions.
    Differential(differential_command::Options),
    /// Prepare an environment with another orchestrator, to measure beside ours.
    Peer(peer::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = process::end_children_on_signals().and_then(|()| match cli.command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Bench(options) => bench_command::run(&options),
        Command::Parity(options) => parity_command::run(&options),
        Command::Differential(options) => differential_command::run(&options),
        Command::Peer(options) => peer::run(&options),
    });
    process::yield_to_signal();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
