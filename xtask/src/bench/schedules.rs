//! `schedules`: 500 schedules due at one minute, one run each. Milliseconds from the minute until a
//! client sees the last tick committed. Declared ones need no host, so their runs stay in the queue; where functions
//! say what runs, the host that asks them carries the runs out too.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::deployment::Deployment;
use super::{Case, Setup, Unit, median};
use crate::api::Api;
use crate::timing::{ms_of_minute, poll};

const ROUNDS: usize = 3;
const SCHEDULES: usize = 500;
/// A look takes a few milliseconds itself.
const LOOK: Duration = Duration::from_millis(2);
/// Far more than it may take; a minute later the next ticks are due.
const PATIENCE: Duration = Duration::from_secs(50);
/// Schedules count from their deploy: a minute that begins sooner than this after it is not measured.
const EARLY_MS: u64 = 2_000;

pub(super) fn run(setup: &Setup) -> Result<Vec<Case>> {
    Ok(vec![
        case(setup, "schedules/500/declarative/last", false, Some(250.0))?,
        case(setup, "schedules/500/function/last", true, None)?,
    ])
}

fn case(setup: &Setup, id: &'static str, function: bool, target: Option<f64>) -> Result<Case> {
    let shape = [
        ("BENCH_SCHEDULES", SCHEDULES.to_string()),
        ("BENCH_FUNCTION", u8::from(function).to_string()),
    ];
    let mut deployment = Deployment::start(setup, "schedules.py", &shape)?;
    // A host is needed where functions say what to run.
    if !function {
        deployment.dismiss_worker();
    }
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(last_tick_ms(deployment.api())?);
    }
    Ok(Case {
        id,
        value: median(rounds),
        unit: Unit::Milliseconds,
        target,
    })
}

fn last_tick_ms(api: &Api) -> Result<f64> {
    if ms_of_minute() > 60_000 - EARLY_MS {
        std::thread::sleep(Duration::from_millis(EARLY_MS));
    }
    let status = api.get("status")?;
    let last = text(&status, "position")?;
    let from = text(&api.get(&format!("events?limit=1&from={last}"))?, "next")?;
    std::thread::sleep(Duration::from_millis(60_000 - ms_of_minute()));
    let seen = poll(PATIENCE, LOOK, || match ticks(api, &from) {
        Ok(ticks) if ticks < SCHEDULES => None,
        Ok(ticks) => Some(Ok((ticks, ms_of_minute()))),
        Err(error) => Some(Err(error)),
    });
    let (ticks, ms) = seen.context("the ticks of the minute are not there after it")??;
    ensure!(
        ticks == SCHEDULES,
        "{ticks} ticks at one minute, of {SCHEDULES} schedules"
    );
    #[expect(clippy::cast_precision_loss, reason = "less than a minute")]
    let ms = ms as f64;
    Ok(ms)
}

/// Ticks after a position.
fn ticks(api: &Api, from: &str) -> Result<usize> {
    let (mut count, mut from) = (0, from.to_owned());
    loop {
        let page = api.get(&format!("events?kind=tick.finished&limit=1000&from={from}"))?;
        count += page["items"].as_array().map_or(0, Vec::len);
        let next = text(&page, "next")?;
        if next == from {
            return Ok(count);
        }
        from = next;
    }
}

fn text(value: &Value, name: &str) -> Result<String> {
    let found = value[name].as_str().map(str::to_owned);
    found.with_context(|| format!("find `{name}` in {value}"))
}
