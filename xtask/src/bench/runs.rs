//! `runs`: 500 runs of one asset, requested by eight clients. Runs a second from the first request
//! until the API says that the last one has ended.

use std::thread;

use anyhow::{Result, anyhow};

use super::deployment::Deployment;
use super::{Case, Setup, Unit, median};
use crate::timing::Stopwatch;

const ROUNDS: usize = 3;
const RUNS: usize = 500;
/// One client would measure the round trip of its own requests.
const CLIENTS: usize = 8;

pub(super) fn run(setup: &Setup) -> Result<Vec<Case>> {
    let deployment = Deployment::start(setup, "one.py", &[])?;
    // Not counted: it makes the children.
    let warm = deployment.api().launch("a0")?;
    deployment.api().wait_succeeded(&warm)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(runs_per_second(&deployment)?);
    }
    Ok(vec![Case {
        id: "runs/python/throughput",
        value: median(rounds),
        unit: Unit::RunsPerSecond,
        target: Some(200.0),
    }])
}

fn runs_per_second(deployment: &Deployment) -> Result<f64> {
    let watch = Stopwatch::start();
    let launched: Vec<Result<Vec<String>>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let api = deployment.api().clone();
                scope.spawn(move || {
                    (client..RUNS)
                        .step_by(CLIENTS)
                        .map(|_| api.launch("a0"))
                        .collect()
                })
            })
            .collect();
        let join = |client: thread::ScopedJoinHandle<'_, _>| {
            client
                .join()
                .unwrap_or_else(|_| Err(anyhow!("a client thread panicked")))
        };
        clients.into_iter().map(join).collect()
    });
    for runs in launched {
        for run in runs? {
            deployment.api().wait_succeeded(&run)?;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    let runs = RUNS as f64;
    Ok(runs / watch.elapsed().as_secs_f64())
}
