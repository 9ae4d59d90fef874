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
