//! `steps`: one run over a layered graph whose bodies return 1 through the default IO manager and
//! load what they depend on. Time from the request of the run until the API says that it has ended.

use anyhow::Result;

use super::deployment::Deployment;
use super::{Case, Setup, Unit, median};
use crate::timing::Stopwatch;

/// The first round also warms the children up: the median of three leaves it out.
const ROUNDS: usize = 3;

struct Shape {
    id: &'static str,
    wide: u32,
    deep: u32,
    isolation: &'static str,
    /// The figure is of one task, else of the whole run.
    per_task: bool,
    target_ms: f64,
}

#[rustfmt::skip] // A table reads as rows.
const SHAPES: &[Shape] = &[
    Shape { id: "steps/deep/reuse/per_task", wide: 10,    deep: 100, isolation: "reuse", per_task: true,  target_ms: 2.0 },
    Shape { id: "steps/wide/reuse/per_task", wide: 1_000, deep: 1,   isolation: "reuse", per_task: true,  target_ms: 2.0 },
    Shape { id: "steps/deep/fork/per_task",  wide: 10,    deep: 100, isolation: "fork",  per_task: true,  target_ms: 8.0 },
    Shape { id: "steps/chain40/reuse/total", wide: 1,     deep: 40,  isolation: "reuse", per_task: false, target_ms: 500.0 },
];

pub(super) fn run(setup: &Setup) -> Result<Vec<Case>> {
    SHAPES.iter().map(|shape| measure(setup, shape)).collect()
}

fn measure(setup: &Setup, shape: &Shape) -> Result<Case> {
    let environment = [
        ("BENCH_WIDE", shape.wide.to_string()),
        ("BENCH_DEEP", shape.deep.to_string()),
        ("BENCH_ISOLATION", shape.isolation.to_owned()),
    ];
    let deployment = Deployment::start(setup, "graph.py", &environment)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let watch = Stopwatch::start();
        let run = deployment.api().launch("*")?;
        deployment.api().wait_succeeded(&run)?;
        rounds.push(watch.elapsed_ms());
    }
    let tasks = if shape.per_task {
        f64::from(shape.wide * shape.deep)
    } else {
        1.0
    };
    Ok(Case {
        id: shape.id,
        value: median(rounds) / tasks,
        unit: Unit::Milliseconds,
        target: Some(shape.target_ms),
    })
}
