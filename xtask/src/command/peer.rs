//! `cargo xtask peer dagster`: an environment with another orchestrator. It runs nothing.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::bench::peer;

/// Which one.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The other orchestrator.
    system: System,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum System {
    /// Dagster, in the version `bench/dagster/requirements.txt` pins.
    Dagster,
}

/// Makes the environment.
pub(crate) fn run(options: &Options) -> Result<()> {
    match options.system {
        System::Dagster => peer::recipe().ensure()?,
    };
    println!("`cargo xtask bench` now measures it beside ours");
    Ok(())
}
