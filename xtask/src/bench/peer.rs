//! Dagster beside us: its scripts of `bench/dagster`, run in the environment `cargo xtask peer
//! dagster` makes, at sizes that keep a measurement to a few minutes.

use anyhow::{Context, Result};
use serde_json::Value;

use super::report::PeerCase;
use crate::python_env::{PythonEnv, Recipe};
use crate::repo;

/// An environment with Dagster.
#[derive(Debug)]
pub(crate) struct Peer {
    environment: PythonEnv,
}

/// One script, and which of its figures stands for which case of ours.
struct Script {
    bench: &'static str,
    file: &'static str,
    arguments: &'static [&'static str],
    figures: &'static [Figure],
}

struct Figure {
    id: &'static str,
    /// Where the figure is in what the script prints.
    pointer: &'static str,
    /// From the script's unit to ours.
    factor: f64,
}

#[rustfmt::skip] // A table reads as rows.
const SCRIPTS: &[Script] = &[
    Script { bench: "start", file: "w01_cold_start.py", arguments: &["--repeat", "2", "--idle", "1"], figures: &[
        Figure { id: "start/health", pointer: "/http_answers_s/min", factor: 1e3 },
        Figure { id: "start/rss", pointer: "/rss_mib/p50", factor: 1.048_576 },
    ] },
    Script { bench: "steps", file: "w03_steps.py", arguments: &["--wide", "10", "--deep", "10", "--executor", "inproc"], figures: &[
        Figure { id: "steps/deep/reuse/per_task", pointer: "/ms_per_step_p50", factor: 1.0 },
    ] },
    Script { bench: "steps", file: "w03_steps.py", arguments: &["--wide", "100", "--deep", "1", "--executor", "inproc"], figures: &[
        Figure { id: "steps/wide/reuse/per_task", pointer: "/ms_per_step_p50", factor: 1.0 },
    ] },
    Script { bench: "steps", file: "w03_steps.py", arguments: &["--wide", "5", "--deep", "4", "--executor", "fork2"], figures: &[
        Figure { id: "steps/deep/fork/per_task", pointer: "/ms_per_step_p50", factor: 1.0 },
    ] },
    Script { bench: "steps", file: "w03_steps.py", arguments: &["--wide", "1", "--deep", "40", "--executor", "inproc"], figures: &[
        Figure { id: "steps/chain40/reuse/total", pointer: "/ms_per_step_p50", factor: 40.0 },
    ] },
    Script { bench: "runs", file: "w02_launch.py", arguments: &["--n", "10"], figures: &[
        Figure { id: "runs/python/throughput", pointer: "/runs_per_s", factor: 1.0 },
    ] },
    // A hundred of the thousand: all of them take half an hour.
    Script { bench: "backfill", file: "w04_backfill.py", arguments: &["--partitions", "1000", "--take", "100"], figures: &[
        Figure { id: "backfill/1000/python/total", pointer: "/backfill_complete_s", factor: 10.0 },
    ] },
];

/// What the environment holds.
pub(crate) fn recipe() -> Recipe {
    let requirements = repo::path("bench/dagster/requirements.txt");
    Recipe {
        folder: repo::path("target/peer/dagster"),
        installs: vec![vec![
            "--requirement".to_owned(),
            requirements.to_string_lossy().into_owned(),
        ]],
        inputs: vec![requirements],
    }
}

impl Peer {
    /// The environment, when it was made.
    pub(crate) fn existing() -> Option<Self> {
        Some(Self {
            environment: PythonEnv::existing(&recipe().folder)?,
        })
    }

    /// Figures of Dagster for a workload of ours.
    pub(crate) fn measure(&self, bench: &str) -> Result<Vec<PeerCase>> {
        let mut cases = Vec::new();
        for script in SCRIPTS.iter().filter(|script| script.bench == bench) {
            eprintln!(
                "measuring dagster: {} {}",
                script.file,
                script.arguments.join(" ")
            );
            let printed = self.run(script)?;
            let system = printed["system"].as_str().unwrap_or("dagster").to_owned();
            for figure in script.figures {
                let value = printed["figures"]
                    .pointer(figure.pointer)
                    .and_then(Value::as_f64);
                let value = value.with_context(|| {
                    format!("find {} in what {} printed", figure.pointer, script.file)
                })?;
                cases.push(PeerCase {
                    id: figure.id,
                    system: system.clone(),
                    value: value * figure.factor,
                });
            }
        }
        Ok(cases)
    }

    fn run(&self, script: &Script) -> Result<Value> {
        let printed = self
            .environment
            .script(&repo::path("bench/dagster").join(script.file))
            .args(script.arguments)
            .env("BENCH_QUIET_WAIT", "5")
            .capture_stdout()?;
        let line = printed.lines().last().unwrap_or_default();
        serde_json::from_str(line).with_context(|| format!("parse what {} printed", script.file))
    }
}

#[cfg(test)]
mod tests;
