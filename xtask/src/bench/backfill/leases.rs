//! How long a worker host waits for its lease while a backfill of a million partitions is planned.
//!
//! The host is this program: it says what a host says, and carries nothing out.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::super::deployment::Scratch;
use super::super::{Case, Setup, Unit};
use crate::api::Api;
use crate::server::{Server, free_port};
use crate::timing::Stopwatch;

const HOST: &str = "host_01JD5Z6Q8G7V9K3W2M4N5P6R7S";
/// More than are leased while it is planned.
const RUNS: usize = 1_000;
const BACKFILLS: usize = 5;

pub(super) fn while_planning(setup: &Setup) -> Result<Vec<Case>> {
    let scratch = Scratch::new("leases")?;
    let mut server = Server::serve(&setup.arco, &scratch.path("store"), free_port(None)?)?;
    server.wait_healthy(Duration::from_millis(2))?;
    let api = &server.api;
    let hello = json!({"host": HOST, "location": "bench", "manifest": manifest(), "pid": 1,
        "hostname": "bench", "slots": 1, "attempts": []});
    api.post("worker/hosts", &hello)?;
    for _ in 0..RUNS {
        api.launch("small")?;
    }
    let mut host = Host {
        api: api.clone(),
        seq: 0,
        last: None,
    };
    let mut idle: Vec<f64> = Vec::new();
    for _ in 0..100 {
        idle.push(host.lease()?);
    }
    let planner = api.clone();
    let planning = std::thread::spawn(move || -> Result<Vec<f64>> {
        (0..BACKFILLS).map(|_| create(&planner)).collect()
    });
    let mut leases = Vec::new();
    while !planning.is_finished() && leases.len() < RUNS - 200 {
        leases.push(host.lease()?);
    }
    let Ok(creates) = planning.join() else {
        bail!("the thread that asks for backfills panicked");
    };
    let slowest = |all: Vec<f64>| all.into_iter().fold(0.0, f64::max);
    Ok(vec![
        case("backfill/1M/lease_idle", slowest(idle), None),
        case(
            "backfill/1M/lease_while_planning",
            slowest(leases),
            Some(20.0),
        ),
        case("backfill/1M/request", slowest(creates?), None),
    ])
}

fn create(api: &Api) -> Result<f64> {
    let watch = Stopwatch::start();
    let asked = json!({"selection": "key:hours or key:days", "partitions": "all"});
    let made = api.post("backfills", &asked)?;
    let took = watch.elapsed_ms();
    let id = made["backfill"]["id"]
        .as_str()
        .with_context(|| format!("find the id in {made}"))?;
    api.post(&format!("backfills/{id}/cancel"), &json!({}))?;
    Ok(took)
}

fn case(id: &'static str, value: f64, target: Option<f64>) -> Case {
    Case {
        id,
        value,
        unit: Unit::Milliseconds,
        target,
    }
}

/// A host with one slot.
struct Host {
    api: Api,
    seq: u64,
    last: Option<String>,
}

impl Host {
    /// Says that its last task is done and takes the next; milliseconds until it has it.
    fn lease(&mut self) -> Result<f64> {
        self.seq += 1;
        let reports = self.last.take().map_or_else(Vec::new, |attempt| {
            vec![
                json!({"attempt": attempt, "fact": "started"}),
                json!({"attempt": attempt, "fact": "materialized", "asset": "small"}),
                json!({"attempt": attempt, "fact": "finished", "outcome": {"status": "succeeded"}}),
            ]
        });
        let call =
            json!({"seq": self.seq, "want": 1, "wait_ms": 10_000, "live": [], "reports": reports});
        let watch = Stopwatch::start();
        let answer = self
            .api
            .post(&format!("worker/hosts/{HOST}/exchange"), &call)?;
        let took = watch.elapsed_ms();
        let lease = &answer["leases"][0];
        if lease["step"] != "small" {
            bail!("a lease of `small` was expected, and the answer is {answer}");
        }
        self.last = lease["attempt"].as_str().map(str::to_owned);
        Ok(took)
    }
}

/// A million hours and the days of them, and an asset without partitions.
fn manifest() -> Value {
    let window = |cadence: &str, fmt: &str| {
        json!({"kind": "time_window", "cadence": cadence, "start": "1912-01-04T00:00:00",
            "end": "2026-02-01T00:00:00", "timezone": "UTC", "fmt": fmt,
            "end_offset": 0, "minute_offset": 0, "hour_offset": 0, "day_offset": 0})
    };
    let step = |name: &str| json!({"name": name, "kind": "asset", "outputs": [name]});
    json!({"format": 1, "location": "bench", "checks": [],
    "steps": [step("hours"), step("days"), step("small")],
    "assets": [
        {"key": "hours", "step": "hours", "partitions": window("hourly", "%Y-%m-%d-%H:%M"), "deps": []},
        {"key": "days", "step": "days", "partitions": window("daily", "%Y-%m-%d"),
            "deps": [{"asset": "hours", "param": "hours"}]},
        {"key": "small", "step": "small", "deps": []},
    ]})
}
