//! Ways to fail, by real processes: each is told from the others by the API, by `runs show`, by `why`, and
//! by what is tried again.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::assert_run;
use crate::support::{Dev, Project, eventually};

const DEFINITIONS: &str = r#"
import os
import resource
import signal
import time
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


def note(name):
    with open(folder / "journal", "a") as file:
        file.write(f"{name}\n")


@dg.asset
def raised():
    note("raised")
    raise ValueError("no rows today")


@dg.asset
def killed():
    note("killed")
    os.kill(os.getpid(), signal.SIGKILL)


@dg.asset(timeout_seconds=0.5)
def timed_out():
    note("timed_out")
    time.sleep(60)


@dg.asset(isolation="fork")
def out_of_memory():
    note("out_of_memory")
    resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))
    return bytearray(1 << 33)


@dg.asset
def stopped():
    note("stopped")
    with open(folder / "began", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(60)


@dg.asset
def made():
    note("made")
    return 1


@dg.asset_check(asset=made, blocking=True)
def good(made):
    return dg.AssetCheckResult(passed=(folder / "mended").exists(), description="1 is not 2")


@dg.asset
def after_check(made):
    note("after_check")
    return made


defs = dg.Definitions(
    assets=[raised, killed, timed_out, out_of_memory, stopped, made, after_check],
    asset_checks=[good],
)
"#;

fn journal(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(project.folder().join("journal")).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn shown(dev: &Dev, run: &str) -> Value {
    dev.arco(&["runs", "show", run, "--json"]).good().json()
}

/// Class of each failure of a run, by step.
fn classes(dev: &Dev, run: &str) -> Vec<(String, String)> {
    let shown = shown(dev, run);
    let failures = shown["failures"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    failures
        .iter()
        .map(|failure| (text(&failure["step"]), text(&failure["class"])))
        .collect()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    rows.iter().map(owned).collect()
}

#[test]
fn ways_to_fail_are_told_apart() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let run = dev.arco(&[
        "run",
        "raised",
        "killed",
        "timed_out",
        "out_of_memory",
        "--json",
    ]);
    let run = run.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        classes(&dev, &run),
        pairs(&[
            ("killed", "crashed"),
            ("out_of_memory", "out_of_memory"),
            ("raised", "user_code"),
            ("timed_out", "timeout"),
        ])
    );
    assert_run!(dev.arco(&["runs", "show", &run]), "failures_shown");
    assert_run!(dev.arco(&["why", &run]), "failures_explained");
    let stopped = dev.arco(&["run", "stopped", "--detach", "--json"]).good();
    let stopped = stopped.json()["id"].as_str().unwrap().to_owned();
    eventually("the body began", || {
        project.folder().join("began").exists().then_some(())
    });
    dev.arco(&["cancel", &stopped]).good();
    eventually("the run is over", || {
        (shown(&dev, &stopped)["status"] == "canceled").then_some(())
    });
    assert_eq!(classes(&dev, &stopped), [], "stopped, and no failure");
    let why = dev.arco(&["why", &stopped, "stopped"]).good();
    assert!(why.stdout.contains("asked to stop the run"), "{why}");
}

/// Only failures of processes are retried when the setting says so; each attempt's cause stands.
#[test]
fn runs_are_retried_by_the_kind_of_failure() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    assert_run!(dev.arco(&["runs", "retries"]), "retries_none");
    assert_run!(
        dev.arco(&[
            "runs",
            "retries",
            "--max",
            "1",
            "--on-task-failure",
            "false"
        ]),
        "retries_set"
    );
    for step in ["raised", "killed", "timed_out", "out_of_memory"] {
        dev.arco(&["run", step]);
    }
    eventually("the retries are over", || {
        let runs = dev.arco(&["runs", "--json"]).good().json();
        let runs = runs.as_array().or(runs["items"].as_array()).cloned()?;
        let over = runs.iter().all(|run| run["status"] == "failure");
        (runs.len() == 6 && over).then_some(())
    });
    assert_eq!(
        journal(&project),
        [
            "killed",
            "killed",
            "out_of_memory",
            "out_of_memory",
            "raised",
            "timed_out"
        ]
    );
    let runs = dev.arco(&["runs", "--json"]).good().json();
    let runs = runs
        .as_array()
        .or(runs["items"].as_array())
        .cloned()
        .unwrap();
    let of = |asset: &str| {
        let first = |run: &&Value| run["assets"][0] == asset && run["rerun"].is_null();
        runs.iter().find(first).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_run!(dev.arco(&["why", &of("killed")]), "retried_explained");
    assert_run!(dev.arco(&["why", &of("raised")]), "not_retried_explained");
    assert_run!(dev.arco(&["runs", "show", &of("killed")]), "retried_shown");
}

/// A blocking check that failed is a failure of the data; a retry makes the data again (D-39).
#[test]
fn data_that_was_not_good_is_made_again_by_a_retry() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let run = dev.arco(&[
        "run",
        "made",
        "after_check",
        "--tag",
        "dagster/max_retries=1",
        "--json",
    ]);
    let run = run.json()["id"].as_str().unwrap().to_owned();
    std::fs::write(project.folder().join("mended"), "").unwrap();
    assert_eq!(classes(&dev, &run)[0].1, "data_quality");
    let retry = eventually("the retry is made", || {
        let by = shown(&dev, &run)["retried"]["by"].clone();
        by.as_str().map(str::to_owned)
    });
    eventually("the retry is over", || {
        let status = shown(&dev, &retry)["status"].clone();
        matches!(status.as_str(), Some("success" | "failure")).then_some(())
    });
    let made = journal(&project)
        .iter()
        .filter(|line| *line == "made")
        .count();
    assert_eq!(made, 2, "judged and found wanting, so made again");
}

/// A host that is killed with the body in its hands: the task is tried again, without a policy.
#[test]
fn a_lost_host_is_told_from_a_killed_process() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::start_with(&project, &["--port", "0", "--host-lease-ttl", "2"]);
    dev.wait_for("loaded");
    let run = dev.arco(&["run", "stopped", "--detach", "--json"]).good();
    let run = run.json()["id"].as_str().unwrap().to_owned();
    eventually("the body began", || {
        project.folder().join("began").exists().then_some(())
    });
    let host = dev.host().unwrap();
    kill(Pid::from_raw(i32::try_from(host).unwrap()), Signal::SIGKILL).unwrap();
    let why = eventually("the task is tried again", || {
        let why = dev.arco(&["why", &run, "stopped"]).good();
        why.stdout.contains("attempt 2").then_some(why)
    });
    assert!(why.stdout.contains("its worker host was lost"), "{why}");
    dev.arco(&["cancel", &run]).good();
}
