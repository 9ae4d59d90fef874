//! `arco version`: this program, and what it reads and writes.

use clap::Args;
use serde::Serialize;

use crate::console::Console;
use crate::failure::{Exit, Outcome};

/// Show the version of this program
#[derive(Debug, Args)]
pub(crate) struct Options {}

#[derive(Debug, Serialize)]
struct Version {
    version: &'static str,
    /// What a log may ask of its readers (`min_reader` of a segment).
    log_reader: u32,
    os: &'static str,
    arch: &'static str,
}

pub(crate) fn run(_options: &Options, console: &Console) -> Outcome {
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
        log_reader: arco_log::READER,
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
    };
    console.document(&version, |_| {
        format!(
            "arco {} ({} {}, reads logs up to version {})",
            version.version, version.os, version.arch, version.log_reader
        )
    });
    Ok(Exit::Success)
}
