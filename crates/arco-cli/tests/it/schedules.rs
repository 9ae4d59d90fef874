//! Schedules by real processes: declared in Python, fired by the server at the minute, run by the host.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Dev, Project};

const DEFINITIONS: &str = r#"
import os
from pathlib import Path

import arco_flow as dg

journal = Path(os.environ["TEST_FOLDER"]) / "journal"


@dg.asset
def numbers(context: dg.AssetExecutionContext):
    with open(journal, "a") as file:
        file.write(f"{context.run.tags['dagster/schedule_name']}\n")


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berlin"))
def sales(): ...


defs = dg.Definitions(
    assets=[numbers, sales],
    schedules=[
        dg.ScheduleDefinition("minutely", cron_schedule="* * * * *", target=[numbers], description="Often."),
        dg.build_schedule_from_partitioned_job(
            dg.define_asset_job("daily_sales", [sales]),
            hour_of_day=2,
            tags={"team": "core"},
            catch_up=dg.CatchUp("all", max_ticks=7),
        ),
    ],
)
"#;

const PAUSE: Duration = Duration::from_millis(200);
/// A minute, the time of a slow machine to start a child, and some.
const LOOKS: u32 = 600;

/// What `look` finds, in a while.
#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("no {what}");
}

#[test]
fn a_schedule_is_declared_tried_started_fired_and_shown() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let json = |arguments: &[&str]| -> Value {
        let arguments = [&["schedule"], arguments, &["--json"]].concat();
        dev.arco(&arguments).good().json()
    };

    let listed = json(&["list"]);
    let names: Vec<&str> = listed["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| row["name"].as_str())
        .collect();
    assert_eq!(names, ["daily_sales_schedule", "minutely"]);
    let shown = json(&["show", "daily_sales_schedule"]);
    assert_eq!(shown["cron"][0], "0 2 * * *");
    assert_eq!(shown["timezone"], "Europe/Berlin");
    assert_eq!(shown["job"], "daily_sales");
    assert_eq!(shown["catch_up"]["max_ticks"], 7);
    let text = dev.arco(&["schedule"]).good().stdout;
    assert!(text.contains("job daily_sales (last partition)"), "{text}");

    // The clock goes forward on 31 March 2024: an hour of wall time is left out.
    let next = json(&[
        "next",
        "daily_sales_schedule",
        "--from",
        "2024-03-30T12:00:00Z",
        "--limit",
        "2",
    ]);
    assert_eq!(next["instants"][0]["local"], "2024-03-31T03:00:00+02:00");
    assert_eq!(next["instants"][1]["local"], "2024-04-01T02:00:00+02:00");
    let trial = json(&[
        "test",
        "daily_sales_schedule",
        "--at",
        "2024-03-31T01:00:00Z",
    ]);
    assert_eq!(trial["runs"][0]["partitions"], "2024-03-30");
    assert_eq!(trial["runs"][0]["tags"]["team"], "core");

    let started = json(&["start", "minutely"]);
    assert_eq!(started["status"], "running");
    let tick = until("tick", || {
        let ticks = json(&["ticks", "minutely"]);
        ticks["items"].as_array()?.last().cloned()
    });
    json(&["stop", "minutely"]);
    assert_eq!(tick["status"], "success");
    let instant = tick["instant"].as_str().unwrap();
    assert!(instant.ends_with(":00.000Z"), "{instant}");
    let run = tick["runs"][0].as_str().unwrap();
    let ended = until("run that succeeds", || {
        let shown = dev.arco(&["runs", "show", run, "--json"]).good().json();
        (shown["status"] == "success").then_some(shown)
    });
    assert_eq!(ended["tick"], tick["id"]);
    let why = dev.arco(&["why", run]).good().stdout;
    let asked = format!("tick {} asked for run {run}", tick["id"].as_str().unwrap());
    assert!(why.contains(&asked), "{why}");
    let journal = std::fs::read_to_string(project.folder().join("journal")).unwrap();
    assert!(journal.starts_with("minutely\n"), "{journal}");

    let refused = dev.arco(&["schedule", "start", "minutly"]);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(
        refused.stderr.contains("did you mean `minutely`?"),
        "{refused}"
    );
    let refused = dev.arco(&["schedule", "ticks", "minutely", "--from", "noon"]);
    assert_eq!(refused.code, 2, "{refused}");
}
