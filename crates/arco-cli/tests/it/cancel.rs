//! Runs that are stopped, by name and by what they have in common.

use serde_json::json;

use crate::assert_run;
use crate::support::{Dev, Project, eventually};

const DEFINITIONS: &str = r#"
import os
import time
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


def note(text):
    with open(folder / "journal", "a") as file:
        file.write(text + "\n")


@dg.asset
def hangs():
    note("in")
    try:
        time.sleep(600)
    finally:
        note("out")


@dg.asset
def stubborn():
    note("in")
    while True:
        try:
            time.sleep(600)
        except BaseException:
            note("goes on")


defs = dg.Definitions(assets=[hangs, stubborn])
"#;

fn ask(dev: &Dev, asset: &str, team: &str) -> String {
    let tag = format!("team={team}");
    let run = dev.arco(&["run", asset, "--tag", &tag, "--detach", "--json"]);
    run.good().json()["id"].as_str().unwrap().to_owned()
}

fn status(dev: &Dev, run: &str) -> String {
    let shown = dev.arco(&["runs", "show", run, "--json"]).good().json();
    shown["status"].as_str().unwrap().to_owned()
}

#[test]
fn all_that_match_are_stopped_after_they_were_seen() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let journal = || std::fs::read_to_string(project.folder().join("journal")).unwrap_or_default();
    dev.arco(&["queue", "limits", "--runs", "2"]).good();
    let (first, second) = (ask(&dev, "hangs", "x"), ask(&dev, "stubborn", "y"));
    eventually("both are in", || (journal() == "in\nin\n").then_some(()));
    let waits = [
        ask(&dev, "hangs", "x"),
        ask(&dev, "hangs", "x"),
        ask(&dev, "hangs", "y"),
    ];

    let queued_of_x = ["cancel", "--tag", "team=x", "--status", "queued"];
    let with = |more: &str| dev.arco(&[&queued_of_x[..], &[more]].concat());
    assert_run!(dev.arco(&queued_of_x), "cancel_unsaid");
    assert_run!(with("--dry-run"), "cancel_dry_run");
    assert_eq!(status(&dev, &waits[0]), "queued", "nothing was done");
    let stopped = dev.arco(&[&queued_of_x[..], &["--all", "--json"]].concat());
    assert_eq!(stopped.good().json()["asked"], json!(waits[..2]));
    for (run, is) in waits.iter().zip(["canceled", "canceled", "queued"]) {
        assert_eq!(status(&dev, run), is);
    }

    // A body that cleans up, and one that does not let itself be stopped and is killed.
    assert_run!(
        dev.arco(&["cancel", &first, &second, &waits[0]]),
        "cancel_named"
    );
    for run in [&first, &second] {
        eventually("it is over", || {
            (status(&dev, run) == "canceled").then_some(())
        });
    }
    assert!(
        journal().contains("out\n") && journal().contains("goes on\n"),
        "{}",
        journal()
    );
    assert_run!(dev.arco(&["cancel", "--all"]), "cancel_all");
    assert_run!(dev.arco(&["cancel"]), "cancel_nothing");
}
