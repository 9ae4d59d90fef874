use serde_json::json;

use super::super::list::tests::run;
use super::{Shown, outcome, render};
use crate::render::Paint;

fn failed() -> Shown {
    let version = "0f".repeat(32);
    let run = run(json!({
        "status": "failure", "run_key": "nightly", "tags": {"team": "core"}, "config": {"ops": {}},
        "tasks": {"total": 5, "waiting": 0, "ready": 0, "leased": 0, "running": 0, "retrying": 0,
                  "succeeded": 1, "failed": 3, "skipped": 1, "cancelled": 0},
        "definitions": {"flights": version}, "fingerprint": version,
        "failures": [
            {"task": 1, "step": "flights", "partition": "2013-01-01", "class": "user_code",
             "error": {"type": "ValueError", "message": "no rows",
                       "traceback": "Traceback (most recent call last):\n  File \"x.py\", line 1\nValueError: no rows\n"}},
            {"task": 2, "step": "summary", "class": "out_of_memory",
             "error": {"type": "OutOfMemory", "message": "killed by the kernel"}},
        ]
    }));
    let tasks = json!([
        {"task": 0, "location": "f", "step": "raw", "partition_count": 0, "status": "succeeded", "attempts": 1,
         "started": "2026-01-31T04:05:06.500Z", "ended": "2026-01-31T04:05:07.000Z"},
        {"task": 1, "location": "f", "step": "flights", "partitions": ["2013-01-01"], "partition_count": 1,
         "status": "failed", "attempts": 3, "class": "user_code", "error": "ValueError: no rows"},
        {"task": 4, "location": "f", "step": "report", "partitions": ["2013-01-01"], "partition_count": 31,
         "status": "skipped", "attempts": 0, "skipped": {"because": "upstream_failed", "task": 1}},
    ]);
    Shown {
        run: serde_json::from_value(run).unwrap(),
        lineage: Vec::new(),
        task_list: Some(serde_json::from_value(tasks).unwrap()),
    }
}

#[test]
fn failed_run_tells_what_why_and_how_to_read_more() {
    insta::assert_snapshot!(render(&failed(), Paint::new(false)));
}

#[test]
fn outcome_is_one_line() {
    insta::assert_snapshot!(outcome(&failed().run, Paint::new(false)));
}

#[test]
fn rerun_shows_its_lineage() {
    let ids = [
        "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S",
        "run_01JD5Z6Q8G7V9K3W2M4N5P6R7T",
        "run_01JD5Z6Q8G7V9K3W2M4N5P6R7V",
    ];
    let version = "0f".repeat(32);
    let tasks = |total: u32| {
        json!({"total": total, "waiting": 0, "ready": 0, "leased": 0, "running": 0, "retrying": 0,
               "succeeded": total, "failed": 0, "skipped": 0, "cancelled": 0})
    };
    let first = run(json!({"status": "failure"}));
    let second = run(json!({"id": ids[1], "status": "success", "tasks": tasks(2),
        "rerun": {"parent": ids[0], "root": ids[0], "kind": "from_failure"}}));
    let third = run(
        json!({"id": ids[2], "tasks": tasks(4), "config": {}, "definitions": {"flights": version},
        "fingerprint": version,
        "rerun": {"parent": ids[1], "root": ids[0], "kind": "subset", "selection": "flights",
                  "with_downstream": true}}),
    );
    let lineage = json!([first, second, third]);
    let shown = Shown {
        run: serde_json::from_value(third).unwrap(),
        lineage: serde_json::from_value(lineage).unwrap(),
        task_list: None,
    };
    insta::assert_snapshot!(render(&shown, Paint::new(false)));
}
