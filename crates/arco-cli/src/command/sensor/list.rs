//! `arco sensor list`.

use arco_wire::api::{Page, Sensor, SensorKindWord};
use clap::Args;

use super::evals::came_of;
use crate::client::{Client, all_pages};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant};

/// List sensors
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Only the sensors of this code location
    #[arg(long, value_name = "NAME")]
    location: Option<String>,
    /// Only these: running, stopped
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Only these: poll, push, asset, run_status
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<String>,
    /// At most this many
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let kind = (!options.kind.is_empty()).then(|| options.kind.join(","));
    let filtered = options.location.is_some() || options.status.is_some() || kind.is_some();
    let request = client
        .get(["sensors"])
        .query_opt("location", options.location.as_ref())
        .query_opt("status", options.status.as_ref())
        .query_opt("kind", kind)
        .patient();
    let rows: Vec<Sensor> = all_pages(&request, options.limit as usize).await?;
    if rows.is_empty() && !console.is_json() {
        if filtered {
            console.note("no sensor matches");
        } else {
            console.note("no sensors");
            console.hint("a sensor is a function under `@sensor` in Definitions(sensors=[...])");
        }
        return Ok(Exit::Success);
    }
    let page = Page {
        items: rows,
        next_page_token: None,
    };
    console.document(&page, |paint| render(&page.items, paint));
    Ok(Exit::Success)
}

pub(super) fn render(sensors: &[Sensor], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("sensor"),
        Column::status("status"),
        Column::text("watches"),
        Column::number("waiting"),
        Column::number("failures"),
        Column::status("last"),
        Column::text("at"),
        Column::text("what came of it"),
    ]);
    for sensor in sensors {
        let last = sensor.last_evaluation.as_ref();
        table.row([
            sensor.name.clone(),
            sensor.status.as_str().into(),
            watches(sensor),
            some(sensor.waiting),
            some(u64::from(sensor.failures)),
            last.map(|row| row.status.as_str().to_owned())
                .unwrap_or_default(),
            last.map(|row| instant(row.time.0)).unwrap_or_default(),
            last.map(came_of).unwrap_or_default(),
        ]);
    }
    table.render(paint)
}

fn some(number: u64) -> String {
    match number {
        0 => String::new(),
        number => number.to_string(),
    }
}

/// What it looks at, in few words.
pub(super) fn watches(sensor: &Sensor) -> String {
    match sensor.kind {
        SensorKindWord::Poll => {
            let seconds = sensor.minimum_interval_seconds.unwrap_or_default();
            format!("every {seconds} s")
        }
        SensorKindWord::Push => "messages".into(),
        SensorKindWord::Asset => {
            let keys: Vec<&str> = sensor
                .assets
                .iter()
                .take(3)
                .map(|key| key.as_str())
                .collect();
            let more = if sensor.assets.len() > keys.len() {
                ", …"
            } else {
                ""
            };
            format!("{}{more}", keys.join(", "))
        }
        SensorKindWord::RunStatus => {
            let words: Vec<&str> = sensor
                .run_statuses
                .iter()
                .map(|status| status.as_str())
                .collect();
            let of = match (&*sensor.monitored_jobs, sensor.monitor_all_code_locations) {
                ([], true) => " of all locations".to_owned(),
                ([], false) => String::new(),
                (jobs, _) => format!(" of {}", jobs.join(", ")),
            };
            format!("runs {}{of}", words.join(", "))
        }
    }
}

/// What it may run.
pub(super) fn target(sensor: &Sensor) -> String {
    match sensor.jobs.as_slice() {
        [] => sensor.selection.join(", "),
        [job] => format!("job {job}"),
        jobs => format!("jobs {}", jobs.join(", ")),
    }
}
