//! `statuses`: ten million partition statuses in one workspace: memory, counts, snapshot, recovery, and what a
//! new definition of a million partitions costs.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::deployment::{Scratch, resident_mb};
use super::{Case, Setup, Unit};
use crate::server::{Server, free_port};
use crate::shell::Cmd;
use crate::timing::Stopwatch;

const ASSETS: usize = 10;
const HOURS: usize = 1_000_000;
/// That many hours before the hour at which the program that fills ends.
const FIRST_HOUR: &str = "1912-01-04T08:00:00";
const EARLIER: &str = "1900-01-01T00:00:00";
/// Ten million events of a log without a snapshot.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the program that fills the store says.
#[derive(Deserialize)]
struct Line {
    case: String,
    value: f64,
}

pub(super) fn run(setup: &Setup) -> Result<Vec<Case>> {
    let scratch = Scratch::new("statuses")?;
    let store = scratch.path("store");
    let definitions = scratch.path("manifest.json");
    fs::write(&definitions, manifest(FIRST_HOUR).to_string())
        .with_context(|| format!("write {}", definitions.display()))?;
    let text = Cmd::cargo(&["run", "--release", "--quiet", "--locked"])
        .args(&[
            "--package",
            "arco-engine",
            "--example",
            "statuses_fill",
            "--",
        ])
        .args(&[format!("file://{}", store.display())])
        .args(&[&definitions])
        .args(&[HOURS.to_string()])
        .capture_stdout()?;
    let said = |case: &str| -> Result<f64> {
        let mut lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let line = lines.find(|line| line.case == case);
        Ok(line
            .with_context(|| format!("`{case}` was not measured"))?
            .value)
    };
    let mut cases = vec![
        case(
            "statuses/10M/fill_rate",
            said("statuses/fill_rate")?,
            Unit::EventsPerSecond,
            None,
        ),
        case(
            "statuses/10M/snapshot/write",
            said("statuses/snapshot/write")?,
            Unit::Milliseconds,
            None,
        ),
    ];

    let began = Stopwatch::start();
    let mut server = serve(setup, &scratch)?;
    cases.push(case(
        "statuses/10M/recover/snapshot",
        began.elapsed_ms(),
        Unit::Milliseconds,
        None,
    ));
    cases.push(case(
        "statuses/10M/rss",
        resident_mb(server.id())?,
        Unit::Megabytes,
        Some(1_500.0),
    ));
    cases.push(case(
        "statuses/10M/counts/first",
        slowest_counts(&server, HOURS)?,
        Unit::Milliseconds,
        None,
    ));
    cases.push(case(
        "statuses/10M/counts",
        slowest_counts(&server, HOURS)?,
        Unit::Milliseconds,
        Some(5.0),
    ));

    // A start of long before: every status stays on its key.
    let began = Stopwatch::start();
    let deploy = json!({ "manifest": manifest(EARLIER) });
    server.api.post("definitions/bench", &deploy)?;
    cases.push(case(
        "statuses/10M/redefine/deploy",
        began.elapsed_ms(),
        Unit::Milliseconds,
        None,
    ));
    cases.push(case(
        "statuses/10M/redefine/counts/first",
        slowest_counts(&server, HOURS)?,
        Unit::Milliseconds,
        None,
    ));
    cases.push(case(
        "statuses/10M/redefine/counts",
        slowest_counts(&server, HOURS)?,
        Unit::Milliseconds,
        Some(5.0),
    ));
    server.stop();

    let workspace = store.join("default/default");
    let snapshots = workspace.join("snap");
    fs::remove_dir_all(&snapshots).with_context(|| format!("remove {}", snapshots.display()))?;
    let began = Stopwatch::start();
    let _server = serve(setup, &scratch)?;
    cases.push(case(
        "statuses/10M/recover/log",
        began.elapsed_ms(),
        Unit::Milliseconds,
        None,
    ));
    Ok(cases)
}

fn serve(setup: &Setup, scratch: &Scratch) -> Result<Server> {
    let mut server = Server::serve(&setup.arco, &scratch.path("store"), free_port(None)?)?;
    server.wait_healthy_within(PATIENCE, Duration::from_millis(2))?;
    Ok(server)
}

/// How long the slowest answer with the counts of an asset took; all of them must be right.
fn slowest_counts(server: &Server, made: usize) -> Result<f64> {
    let mut slowest = 0.0_f64;
    for n in 0..ASSETS {
        let began = Stopwatch::start();
        let asset = server.api.get(&format!("assets/a{n}"))?;
        slowest = slowest.max(began.elapsed_ms());
        let counts = &asset["partitions"]["counts"];
        if counts["materialized"] != made {
            bail!("of a{n} {made} hours were made, and the counts are {counts}");
        }
    }
    Ok(slowest)
}

/// Assets of hours from `start` on.
fn manifest(start: &str) -> Value {
    let assets: Vec<Value> = (0..ASSETS)
        .map(|n| {
            let hourly = json!({"kind": "time_window", "cadence": "hourly", "start": start, "timezone": "UTC",
                "fmt": "%Y-%m-%d-%H:%M", "end_offset": 0, "minute_offset": 0, "hour_offset": 0, "day_offset": 0});
            json!({"key": format!("a{n}"), "partitions": hourly, "deps": []})
        })
        .collect();
    json!({"format": 1, "location": "bench", "checks": [], "steps": [], "assets": assets})
}

fn case(id: &'static str, value: f64, unit: Unit, target: Option<f64>) -> Case {
    Case {
        id,
        value,
        unit,
        target,
    }
}
