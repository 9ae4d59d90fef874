//! The workloads that are measured, and what they have in common.
//!
//! A workload starts what it measures by itself: a release build of the server and, apart from it, a
//! worker host, each with fresh state on the disk of the repository, and talks to them by HTTP.

mod backfill;
mod deployment;
pub(crate) mod peer;
mod queue;
mod report;
mod runs;
mod schedules;
mod sensors;
mod start;
mod statuses;
mod steps;

use std::path::PathBuf;

use anyhow::Result;

pub(crate) use report::{Case, Row, Unit};

use crate::python_env::PythonEnv;

/// A workload: a name to call it by and how to measure it.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Setup) -> Result<Vec<Case>>,
}

/// All workloads. A new one is a file of its own and a line here.
#[rustfmt::skip] // A table reads as rows.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload { name: "start", about: "from the start of `arco dev` to its health; memory of what runs", run: start::run },
    Workload { name: "steps", about: "one run over a graph of trivial assets: time per task",           run: steps::run },
    Workload { name: "runs",  about: "many runs of one trivial asset: runs a second",                   run: runs::run },
    Workload { name: "backfill", about: "a backfill of a million partitions: its plan, and what the loop decides", run: backfill::run },
    Workload { name: "queue", about: "runs admitted from a long queue; a plan of 10,000 assets",          run: queue::run },
    Workload { name: "statuses", about: "ten million partition statuses: memory, counts, snapshot, recovery", run: statuses::run },
    Workload { name: "schedules", about: "500 schedules due at one minute: when the last tick is committed", run: schedules::run },
    Workload { name: "sensors", about: "100 sensors that look every second and find nothing",              run: sensors::run },
];

/// What every workload needs.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The release build.
    pub(crate) arco: PathBuf,
    /// Python with the SDK.
    pub(crate) environment: PythonEnv,
}

/// The middle value: one slow round of a shared machine must not decide.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
