use serde_json::json;

use super::TaskName;
use crate::render::Paint;
use arco_wire::api::TaskSummary;

fn tasks() -> Vec<TaskSummary> {
    let rows = json!([
        {"task": 0, "location": "f", "step": "raw", "partition_count": 0, "status": "succeeded", "attempts": 1},
        {"task": 1, "location": "f", "step": "flights", "partitions": ["2013-01-01"], "partition_count": 1,
         "status": "succeeded", "attempts": 1},
        {"task": 2, "location": "f", "step": "flights", "partitions": ["2013-01-02"], "partition_count": 1,
         "status": "failed", "attempts": 1},
        {"task": 3, "location": "f", "step": "g.op", "mapping_key": "ann", "partitions": ["2013-01-01"],
         "partition_count": 1, "status": "failed", "attempts": 1},
    ]);
    serde_json::from_value(rows).unwrap()
}

fn check(name: &str) -> String {
    let name: TaskName = match name.parse() {
        Ok(name) => name,
        Err(message) => return message,
    };
    let tasks = tasks();
    match name.find("run_X", &tasks) {
        Ok(found) => format!(
            "{:?}",
            found.iter().map(|task| task.task).collect::<Vec<_>>()
        ),
        Err(failure) => failure.render(Paint::new(false)),
    }
}

#[test]
fn tasks_are_named_by_number_or_step() {
    assert_eq!(check("2"), "[2]");
    assert_eq!(check("raw"), "[0]");
    assert_eq!(check("flights"), "[1, 2]");
    assert_eq!(check("flights[2013-01-02]"), "[2]");
    for name in [
        "g.op",
        "g.op[ann]",
        "g.op[2013-01-01]",
        "g.op[ann][2013-01-01]",
    ] {
        assert_eq!(check(name), "[3]", "{name}");
    }
}

#[test]
fn unknown_task_lists_those_there_are() {
    insta::assert_snapshot!(check("flights[2014-01-01]"), @r"
    error: run run_X has no task `flights[2014-01-01]`; its tasks are raw, flights[2013-01-01], flights[2013-01-02], g.op[ann][2013-01-01]
    hint: arco runs show run_X --tasks
    ");
}

#[test]
fn half_a_name_says_what_names_look_like() {
    assert_eq!(
        check("flights[2013"),
        "`flights[2013` has no `]`; tasks look like `12`, `flights` or `flights[2013-01-01]`"
    );
    assert_eq!(
        check("[2013]"),
        "`[2013]` names no step; tasks look like `12`, `flights` or `flights[2013-01-01]`"
    );
}
