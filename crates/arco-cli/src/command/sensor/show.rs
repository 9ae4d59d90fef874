//! `arco sensor show`.

use arco_core::definitions::{DefaultStatus, RunKeyPolicy};
use arco_wire::api::{Sensor, SensorKindWord, SensorStatus};
use clap::Args;

use super::evals::came_of;
use super::list::{target, watches};
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Paint, instant, plural};

/// Show one sensor
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the sensor
    sensor: String,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let sensor: Sensor = client
        .get(["sensors", &options.sensor])
        .patient()
        .send()
        .await?;
    tell(&sensor, console);
    Ok(Exit::Success)
}

/// The sensor, and what may be done next.
pub(super) fn tell(sensor: &Sensor, console: &Console) {
    console.document(sensor, |paint| render(sensor, paint));
    console.hint(&match sensor.status {
        SensorStatus::Stopped => format!("arco sensor start {}", sensor.name),
        SensorStatus::Running if sensor.no_host => {
            format!("arco worker definitions.py --location {}", sensor.location)
        }
        SensorStatus::Running => format!("arco sensor evals {}", sensor.name),
    });
}

pub(super) fn render(sensor: &Sensor, paint: Paint) -> String {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{} {value}", paint.dim(&format!("{name:<12}"))));
        }
    };
    line("sensor", paint.bold(&sensor.name));
    line(
        "description",
        sensor.description.clone().unwrap_or_default(),
    );
    line("location", sensor.location.clone());
    let status = paint.status(sensor.status.as_str());
    line("status", format!("{status} ({})", because(sensor)));
    line("owners", sensor.owners.join(", "));
    line("watches", watches(sensor));
    line("runs", target(sensor));
    let tags = sensor
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    line("tags", tags.collect::<Vec<_>>().join(", "));
    line("run keys", run_keys(sensor.run_keys));
    line("time limit", format!("{} s", sensor.timeout_seconds));
    line("cursor", sensor.cursor.clone().unwrap_or_default());
    line("version", sensor.state_version.to_string());
    line("counts from", instant(sensor.since.0));
    line("waiting", waiting(sensor));
    line("failures", failures(sensor));
    line("asked", asked(sensor));
    line("next", next(sensor));
    if let Some(last) = &sensor.last_evaluation {
        let status = paint.status(last.status.as_str());
        line(
            "last",
            format!("{} {status} {}", instant(last.time.0), came_of(last)),
        );
    }
    lines.join("\n")
}

/// Who says that it runs, or not.
fn because(sensor: &Sensor) -> String {
    match (&sensor.set, sensor.default_status) {
        (Some(set), _) => format!("set by {} at {}", set.by, instant(set.time.0)),
        (None, DefaultStatus::Running) => "the code says so".into(),
        (None, DefaultStatus::Stopped) => "as the code says".into(),
    }
}

fn run_keys(policy: RunKeyPolicy) -> String {
    match policy {
        RunKeyPolicy::Once => "once: a key is one run, whatever became of it".into(),
        RunKeyPolicy::UntilSuccess => {
            "until success: a key whose run failed may be asked for again".into()
        }
        RunKeyPolicy::Window { seconds } => {
            format!("window: a key may be asked for again after {seconds} s")
        }
    }
}

fn waiting(sensor: &Sensor) -> String {
    let what = match sensor.kind {
        SensorKindWord::Push => "message",
        _ => "event",
    };
    match (sensor.waiting, sensor.waiting_since) {
        (0, _) | (_, None) => String::new(),
        (count, Some(since)) => format!("{} since {}", plural(count, what), instant(since.0)),
    }
}

fn failures(sensor: &Sensor) -> String {
    match sensor.failures {
        0 => String::new(),
        count => format!("{count} in a row; it is asked again after a pause that grows with them"),
    }
}

fn asked(sensor: &Sensor) -> String {
    let asked = sensor.asked.as_ref();
    asked.map_or_else(String::new, |asked| {
        format!("{} since {}", asked.host, instant(asked.since.0))
    })
}

fn next(sensor: &Sensor) -> String {
    let Some(at) = sensor.next else {
        return String::new();
    };
    let at = instant(at.0);
    match sensor.no_host {
        true => format!(
            "{at}: due, and no worker host of location `{}` is there to be asked",
            sensor.location
        ),
        false => at,
    }
}
