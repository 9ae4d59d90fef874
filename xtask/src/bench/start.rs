//! `start`: how soon the one command of a developer is healthy, and what a deployment weighs.

use std::time::Duration;

use anyhow::Result;

use super::deployment::{Deployment, Scratch};
use super::{Case, Setup, Unit, median};
use crate::repo;
use crate::server::{Server, free_port};
use crate::timing::Stopwatch;

const ROUNDS: usize = 7;

pub(super) fn run(setup: &Setup) -> Result<Vec<Case>> {
    let mut health = Vec::new();
    for _ in 0..ROUNDS {
        health.push(health_ms(setup)?);
    }
    let deployment = Deployment::start(setup, "one.py", &[])?;
    Ok(vec![
        Case {
            id: "start/health",
            value: median(health),
            unit: Unit::Milliseconds,
            target: Some(300.0),
        },
        Case {
            id: "start/rss",
            value: deployment.resident_mb()?,
            unit: Unit::Megabytes,
            target: Some(60.0),
        },
    ])
}

/// From the start of the process on an empty folder to the first 200 of its health page.
fn health_ms(setup: &Setup) -> Result<f64> {
    let scratch = Scratch::new("start")?;
    let port = free_port(None)?;
    let target = repo::path("bench/arco/one.py");
    let watch = Stopwatch::start();
    let mut server = Server::dev(
        &setup.arco,
        &setup.environment,
        &target,
        &scratch.path(".arco"),
        port,
    )?;
    server.wait_healthy(Duration::from_millis(1))?;
    Ok(watch.elapsed_ms())
}
