//! `cargo xtask differential`: fresh questions to a real Dagster, and Arco's answers beside them.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::differential::{self, Corpus, Plan};

/// Unless told otherwise the asking and comparing ends within this.
const MINUTES: u64 = 4;

/// What is asked, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Ask as many questions as a full comparison needs, however long it takes.
    #[arg(long)]
    deep: bool,
    /// Ask the questions of a seed that was printed before.
    #[arg(long)]
    seed: Option<String>,
    /// Time for asking and comparing, 4 by default; with `--deep` go on with new questions for so long.
    #[arg(long)]
    minutes: Option<u64>,
    /// What is compared; everything when nothing is named.
    #[arg(value_name = "CORPUS")]
    corpora: Vec<Corpus>,
}

/// Asks, compares, prints the figures.
pub(crate) fn run(options: &Options) -> Result<()> {
    let minutes = options.minutes.or((!options.deep).then_some(MINUTES));
    differential::run(&Plan {
        corpora: match options.corpora.as_slice() {
            [] => Corpus::ALL.to_vec(),
            named => named.to_vec(),
        },
        seed: options.seed.clone().unwrap_or_else(differential::new_seed),
        patience: minutes.map(|minutes| Duration::from_secs(60 * minutes)),
        deep: options.deep,
    })
}
