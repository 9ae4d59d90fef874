//! Why: asked on the command line of real servers, about runs, tasks, assets and partitions.

use std::fs;

use crate::assert_run;
use crate::support::{Dev, Project, eventually};

fn began(project: &Project) -> bool {
    fs::read_to_string(project.folder().join("began")).is_ok_and(|text| !text.is_empty())
}

#[test]
fn a_failed_run_its_tasks_and_what_it_left_out_are_explained() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    let run = dev
        .arco(&["run", "broken", "after_broken", "--json"])
        .json();
    let run = run["id"].as_str().unwrap();
    assert_run!(dev.arco(&["why", "latest"]), "run_failed");
    assert_run!(dev.arco(&["why", "latest", "after_broken"]), "skipped");
    assert_run!(dev.arco(&["why", "broken"]), "asset_failed");
    assert_run!(dev.arco(&["why", "latest", "limited"]), "not_in_the_run");
    let why = dev.arco(&["why", run, "--json"]).good().json();
    assert_eq!(why["why"]["kind"], "run");
    assert_eq!(why["why"]["because"][0]["task"]["step"], "broken");
    let by_number = |what: &[&str]| {
        let why = dev.arco(&[&["why"], what, &["--json"]].concat());
        why.good().json()["why"]["task"]["step"].clone()
    };
    assert_eq!(by_number(&[run, "1"]), "after_broken");
    assert_eq!(by_number(&[&format!("{run}.1")]), "after_broken");
    assert_eq!(by_number(&[&format!("{run}.0.1")]), "broken");
}

#[test]
fn an_asset_and_its_partitions_are_explained() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    assert_run!(dev.arco(&["why", "numbers"]), "never_asked_for");
    dev.arco(&["run", "+daily", "-p", "2026-01-01"]).good();
    dev.arco(&["run", "daily", "-p", "2026-01-02"]).good();
    dev.arco(&["run", "numbers"]).good();
    assert_run!(dev.arco(&["why", "latest"]), "run_succeeded");
    assert_run!(dev.arco(&["why", "daily"]), "asset_partitioned");
    assert_run!(
        dev.arco(&["why", "daily", "2026-01-02"]),
        "partition_with_newer_input"
    );
    assert_run!(
        dev.arco(&["why", "daily", "-p", "2027-01-01"]),
        "partition_not_existing"
    );
}

#[test]
fn who_cancelled_is_named() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    let run = dev.arco(&["run", "slow", "--detach", "--json"]).good();
    let run = run.json()["id"].as_str().unwrap().to_owned();
    eventually("the body began", || began(&project).then_some(()));
    // That the body began is reported a moment after it did.
    eventually("the task is said to run", || {
        let why = dev.arco(&["why", &run, "slow"]).good();
        why.stdout.contains("is running, leased at").then_some(())
    });
    dev.arco(&["cancel", &run]).good();
    eventually("the run ends", || {
        let shown = dev.arco(&["runs", "show", &run, "--json"]).good();
        (shown.json()["status"] == "canceled").then_some(())
    });
    assert_run!(dev.arco(&["why", &run]), "cancelled");
}

#[test]
fn questions_that_cannot_be_answered_say_what_to_ask() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    assert_run!(dev.arco(&["why", "number"]), "unknown_asset");
    assert_run!(dev.arco(&["why", "latest"]), "no_run_yet");
    assert_run!(dev.arco(&["why", "daily", "yesterday"]), "bad_partition");
    assert_run!(
        dev.arco(&["why", "numbers", "2026-01-01"]),
        "not_partitioned"
    );
    dev.arco(&["run", "numbers"]).good();
    assert_run!(dev.arco(&["why", "latest", "nothing"]), "unknown_task");
    assert_run!(
        dev.arco(&["why", "latest", "-p", "2026-01-01"]),
        "partition_of_a_run"
    );
}
