//! A project on a real server, from start to end, through the command line alone.

use serde_json::json;

use crate::assert_run;
use crate::support::{Dev, Project};

#[test]
fn run_is_made_watched_shown_and_its_logs_read() {
    let project = Project::usual();
    let mut dev = Dev::loaded(&project);

    assert_run!(dev.arco(&["assets"]), "assets_before");
    assert_run!(
        dev.arco(&["plan", "+daily", "--partition", "2026-01-01...2026-01-02"]),
        "plan"
    );

    let answer = dev.arco(&[
        "run",
        "+daily",
        "--partition",
        "2026-01-01...2026-01-02",
        "--tag",
        "team=core",
    ]);
    assert_run!(answer, "run");

    assert_run!(dev.arco(&["runs"]), "runs");
    assert_run!(
        dev.arco(&["runs", "show", "latest", "--tasks"]),
        "runs_show"
    );
    assert_run!(dev.arco(&["logs", "latest", "numbers"]), "logs_of_numbers");
    assert_run!(
        dev.arco(&["logs", "latest", "daily[2026-01-02]", "--stream", "stdout"]),
        "logs_of_a_partition"
    );
    assert_run!(dev.arco(&["partitions", "daily"]), "partitions");
    assert_run!(dev.arco(&["assets", "show", "numbers"]), "asset");
    assert_run!(dev.arco(&["definitions"]), "definitions");
    let status = dev.arco(&["status", "--json"]).good().json();
    assert_eq!(status["runs"]["total"], 0);
    assert_eq!(status["hosts"][0]["state"], "alive");

    assert_eq!(dev.stop(), 0, "{}", dev.log());
    assert_eq!(dev.host(), None, "the host goes with it");
    let state = project.state();
    let verified =
        crate::support::arco(&["log", "verify", "--dir", &state.to_string_lossy(), "--json"])
            .good();
    assert_eq!(verified.json()["sound"], true);
}

#[test]
fn failed_run_exits_1_and_tells_what_to_do() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    assert_run!(dev.arco(&["run", "broken", "after_broken"]), "failed_run");
    assert_run!(dev.arco(&["logs", "latest"]), "logs_of_the_failed");
    let shown = dev
        .arco(&["runs", "show", "latest", "--json"])
        .good()
        .json();
    assert_eq!(shown["status"], "failure");
    assert_eq!(shown["failures"][0]["error"]["type"], "ValueError");
    assert_eq!(shown["tasks"]["skipped"], 1);
}

/// The host still uploads when the run is over.
#[test]
fn logs_right_after_a_run_are_whole() {
    let project = Project::new(
        "import sys\nimport arco_flow as dg\n\n@dg.asset\ndef loud():\n    for n in range(12):\n        \
         sys.stdout.write(f'{n:07}\\n' * (1 << 17))\n\ndefs = dg.Definitions(assets=[loud])\n",
    );
    let dev = Dev::loaded(&project);
    dev.arco(&["run", "loud"]).good();
    let logs = dev.arco(&["logs", "latest", "loud"]).good();
    assert_eq!(logs.stdout.len(), 12 << 20);
    assert!(logs.stdout.ends_with("0000011\n"));
}

#[test]
fn json_is_one_document_with_the_run_at_the_top() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    let first = dev
        .arco(&["run", "numbers", "--run-key", "once", "--json"])
        .good()
        .json();
    assert_eq!(first["status"], "success");
    assert_eq!(first["created"], true);
    let second = dev
        .arco(&["run", "numbers", "--run-key", "once", "--json"])
        .good()
        .json();
    assert_eq!(
        second["id"], first["id"],
        "the same key and request is the same run"
    );
    assert_eq!(second["created"], false);
    assert_run!(
        dev.arco(&["run", "limited", "--run-key", "once"]),
        "run_key_conflict"
    );

    let detached = dev
        .arco(&["run", "numbers", "--detach", "--json"])
        .good()
        .json();
    assert!(detached["id"].is_string());

    let logs = dev
        .arco(&["logs", first["id"].as_str().unwrap(), "numbers", "--json"])
        .good();
    let lines: Vec<serde_json::Value> = logs
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line["stream"] == "stdout" && line["line"] == "making numbers"),
        "{logs}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line["record"]["message"] == "numbers are made"),
        "{logs}"
    );
}

#[test]
fn configuration_reaches_the_body() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    let config = json!({"ops": {"limited": {"config": {"rows": 7}}}}).to_string();
    let run = dev
        .arco(&["run", "limited", "--config", &config, "--json"])
        .good()
        .json();
    assert_eq!(run["status"], "success");
    assert_eq!(run["config"]["ops"]["limited"]["config"]["rows"], 7);
}
