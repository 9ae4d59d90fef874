//! A backfill of a thousand partitions, each a run of its own, through the Python worker.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::super::deployment::Deployment;
use super::super::{Case, Setup, Unit};
use crate::timing::{Stopwatch, poll};

const PARTITIONS: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn total(setup: &Setup) -> Result<Case> {
    let shape = [("BENCH_PARTITIONS", PARTITIONS.to_string())];
    let deployment = Deployment::start(setup, "daily.py", &shape)?;
    let watch = Stopwatch::start();
    let asked = json!({"selection": "daily", "partitions": "all"});
    let made = deployment.api().post("backfills", &asked)?;
    let id = made["backfill"]["id"]
        .as_str()
        .with_context(|| format!("find the id in {made}"))?;
    let path = format!("backfills/{id}");
    let ended = poll(PATIENCE, PAUSE, || {
        let backfill = deployment.api().get(&path).ok()?;
        let status = backfill["status"].as_str()?.to_owned();
        (!matches!(status.as_str(), "pending" | "running")).then_some((status, backfill))
    });
    let seconds = watch.elapsed().as_secs_f64();
    let (status, backfill) = ended.with_context(|| format!("it went on for {PATIENCE:?}"))?;
    let made = deployment.api().get("assets/daily")?;
    let counts = &made["partitions"]["counts"];
    if status != "succeeded" || counts["materialized"] != PARTITIONS {
        bail!("the backfill is {status}, of the partitions {counts}: {backfill}");
    }
    Ok(Case {
        id: "backfill/1000/python/total",
        value: seconds,
        unit: Unit::Seconds,
        target: Some(10.0),
    })
}
