//! `sensors`: a hundred polling sensors that look every second and find nothing: how often they look, what the
//! control plane spends on it, and what it writes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::deployment::{Deployment, Scratch, cpu_seconds};
use super::{Case, Setup, Unit};
use crate::timing::{Stopwatch, poll};

const SENSORS: usize = 100;
/// Until all of them were asked once, and the children that answer are there.
const WARM: Duration = Duration::from_secs(5);
const WINDOW: Duration = Duration::from_secs(30);
/// Idle looks are written every ten minutes: a window with one such time in it is measured.
const IDLE_WINDOW: Duration = Duration::from_secs(12 * 60);
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(setup: &Setup) -> Result<Vec<Case>> {
    let scratch = Scratch::new("looks")?;
    let looks = scratch.path("looks");
    let shape = [
        ("BENCH_SENSORS", SENSORS.to_string()),
        ("BENCH_LOOKS", looks.to_string_lossy().into_owned()),
    ];
    let deployment = Deployment::start(setup, "sensors.py", &shape)?;
    let all = poll(PATIENCE, Duration::from_millis(50), || {
        (count(&looks) >= SENSORS).then_some(())
    });
    all.context("the sensors were not looked at")?;
    std::thread::sleep(WARM);

    let idle = Stopwatch::start();
    let wrote = segments(&deployment)?;
    let (looked, spent) = (count(&looks), cpu_seconds(deployment.server_id())?);
    let watch = Stopwatch::start();
    std::thread::sleep(WINDOW);
    let seconds = watch.elapsed().as_secs_f64();
    let looked = count(&looks) - looked;
    let spent = cpu_seconds(deployment.server_id())? - spent;
    std::thread::sleep(IDLE_WINDOW.saturating_sub(idle.elapsed()));
    let hours = idle.elapsed().as_secs_f64() / 3_600.0;
    let wrote = segments(&deployment)? - wrote;
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let (looked, sensors, wrote) = (looked as f64, SENSORS as f64, wrote as f64);
    ensure!(looked > 0.0, "no sensor was looked at for {WINDOW:?}");
    Ok(vec![
        case(
            "sensors/100x1s/rate",
            looked / seconds,
            Unit::LooksPerSecond,
            Some(98.0),
        ),
        case(
            "sensors/100x1s/cpu",
            100.0 * spent / seconds,
            Unit::Percent,
            Some(10.0),
        ),
        // All that the workspace writes: one segment may hold the counts of many sensors.
        case(
            "sensors/idle/commits_per_hour",
            wrote / hours / sensors,
            Unit::CommitsPerHour,
            Some(10.0),
        ),
    ])
}

fn count(looks: &Path) -> usize {
    let length = fs::metadata(looks).map_or(0, |looks| looks.len());
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// Segments of the log.
fn segments(deployment: &Deployment) -> Result<u64> {
    let status = deployment.api().get("status")?;
    let position = status["position"].as_str();
    let segment = position.and_then(|text| text.split('.').next()?.parse().ok());
    segment.with_context(|| format!("find the position in {status}"))
}

fn case(id: &'static str, value: f64, unit: Unit, target: Option<f64>) -> Case {
    Case {
        id,
        value,
        unit,
        target,
    }
}
