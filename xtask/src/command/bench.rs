//! `cargo xtask bench NAME`: figures of a release build, taken through its HTTP API.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::bench::{self, Row};
use crate::python_env::Recipe;
use crate::repo::{self, Profile};

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Workloads, see `--list`; all of them when none is named.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// One JSON object a line: {"bench", "case", "value", "unit"}.
    #[arg(long)]
    json: bool,
    /// Leave the other orchestrator out, though its environment is there.
    #[arg(long)]
    no_peer: bool,
    /// Measure this binary instead of building one: to compare two versions.
    #[arg(long, value_name = "PATH")]
    arco: Option<PathBuf>,
    /// Print the workloads and end.
    #[arg(long)]
    list: bool,
}

/// Measures.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.list {
        for workload in bench::WORKLOADS {
            println!("{:<8} {}", workload.name, workload.about);
        }
        return Ok(());
    }
    for name in &options.names {
        if !bench::WORKLOADS
            .iter()
            .any(|workload| workload.name == name)
        {
            let known: Vec<&str> = bench::WORKLOADS
                .iter()
                .map(|workload| workload.name)
                .collect();
            bail!(
                "there is no workload `{name}`; the workloads are {}",
                known.join(", ")
            );
        }
    }
    let setup = bench::Setup {
        arco: match &options.arco {
            Some(path) => path.clone(),
            None => repo::build_arco(Profile::Release)?,
        },
        environment: Recipe::project().ensure()?,
    };
    let peer = if options.no_peer {
        None
    } else {
        bench::peer::Peer::existing()
    };
    if !options.json {
        println!("{}", Row::heading(peer.is_some()));
    }
    for workload in bench::WORKLOADS {
        if !options.names.is_empty() && !options.names.iter().any(|name| name == workload.name) {
            continue;
        }
        let cases = (workload.run)(&setup)?;
        let theirs = match &peer {
            Some(peer) => peer.measure(workload.name)?,
            None => Vec::new(),
        };
        for row in Row::join(workload.name, cases, theirs) {
            println!(
                "{}",
                if options.json {
                    row.json()
                } else {
                    row.text(peer.is_some())
                }
            );
        }
    }
    if peer.is_none() && !options.no_peer && !options.json {
        println!(
            "\nhint: `cargo xtask peer dagster` makes an environment with Dagster, to measure beside"
        );
    }
    Ok(())
}
