use arco_wire::api::{Evaluation, Sensor, SensorTrial};
use serde_json::{Value, json};

use super::{evals, list, show, test};
use crate::render::Paint;

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the wire's shape")
}

const VERSION: &str = "043a718774c572bd8a25adbeb1bfcd5c0256ae11cecf9f9c3f925d0e52beaf89";
const RUN: &str = "run_01HF7YAT000000000000000001";

fn with(mut base: Value, extra: Value) -> Value {
    for (key, value) in extra.as_object().expect("a mapping") {
        base[key] = value.clone();
    }
    base
}

fn evaluation(extra: Value) -> Value {
    let base = json!({"id": "drop:17", "sensor": "drop", "number": 17, "status": "success",
        "started": "2026-01-31T02:00:00Z", "took_ms": 12, "version": VERSION, "position": "7.1",
        "time": "2026-01-31T02:00:00.042Z"});
    with(base, extra)
}

fn evaluations() -> Vec<Evaluation> {
    vec![
        read(evaluation(
            json!({"runs": [RUN, RUN, RUN], "kept": [{"run_key": "a", "run": RUN}],
            "dynamic_partitions": [{"name": "files", "added": 2}], "log": ["saw 3 files"]}),
        )),
        read(evaluation(
            json!({"number": 16, "status": "skipped", "reason": "no new file"}),
        )),
        read(evaluation(
            json!({"number": 15, "status": "failure", "attempt": 5, "passed_over": true,
            "messages": ["order-7"],
            "error": {"type": "ValueError", "message": "no such order", "traceback": ""}}),
        )),
        read(evaluation(
            json!({"number": 14, "status": "idle", "reason": "no new file",
            "idle": {"count": 20, "first": "2026-01-31T01:50:00Z", "last": "2026-01-31T01:59:30Z"}}),
        )),
        read(evaluation(
            json!({"number": 13, "runs": [RUN], "events": ["3.1", "3.2"], "asset_events": ["9.1"]}),
        )),
        read(evaluation(
            json!({"number": 12, "status": "skipped", "reason": "the table is there", "asset_events": ["8.1", "8.2"]}),
        )),
    ]
}

fn sensor(extra: Value) -> Sensor {
    let base = json!({"name": "drop", "location": "main", "kind": "poll", "status": "running",
        "default_status": "stopped", "minimum_interval_seconds": 30, "jobs": ["sales"],
        "run_keys": {"policy": "once"}, "timeout_seconds": 60, "max_attempts": 5, "version": VERSION,
        "since": "2026-01-01T00:00:00Z", "state_version": 7,
        "set": {"status": "running", "by": "client:anna", "time": "2026-01-01T00:00:00Z"},
        "last_evaluation": evaluation(json!({"runs": [RUN]}))});
    read(with(base, extra))
}

#[test]
fn sensors_evaluations_and_trials_are_shown() {
    let plain = Paint::new(false);
    let sensors = [
        sensor(json!({"cursor": "2026-01-31", "next": "2026-01-31T02:00:30Z", "failures": 2})),
        sensor(
            json!({"name": "orders", "kind": "push", "jobs": [], "selection": ["orders+"],
            "waiting": 3, "waiting_since": "2026-01-31T01:00:00Z", "next": "2026-01-31T01:00:00Z",
            "no_host": true, "run_keys": {"policy": "window", "seconds": 3600}}),
        ),
        sensor(
            json!({"name": "tables", "kind": "asset", "assets": ["a", "b", "c", "d"],
            "run_keys": {"policy": "until_success"}}),
        ),
        sensor(
            json!({"name": "failed", "kind": "run_status", "run_statuses": ["failed", "cancelled"],
            "monitored_jobs": ["sales"], "status": "stopped"}),
        ),
    ];
    let trial = |extra: Value| -> SensorTrial {
        read(with(
            json!({"sensor": "drop", "status": "success", "took_ms": 12}),
            extra,
        ))
    };
    let runs = json!([{"run_key": "a.csv", "partitions": "2026-01-30", "assets": ["a", "b"],
        "asset_count": 2, "tasks": 2}]);
    let text = [
        list::render(&sensors, plain),
        show::render(&sensors[0], plain),
        show::render(&sensors[1], plain),
        evals::render(&evaluations(), plain),
        test::render(
            &trial(
                json!({"runs": runs, "cursor": "a.csv", "log": ["saw a.csv"],
            "dynamic_partitions": [{"name": "files", "add": ["a"]}],
            "asset_events": [{"event": "materialization", "asset": "b", "partition": "2026-01-30"},
                {"event": "check", "asset": "a", "check": "fresh"}]}),
            ),
            plain,
        ),
        test::render(
            &trial(json!({"status": "skipped", "reason": "no new file"})),
            plain,
        ),
        test::render(
            &trial(
                json!({"status": "failure", "error": {"type": "E", "message": "it broke",
            "traceback": "Traceback: here\n"}}),
            ),
            plain,
        ),
    ];
    insta::assert_snapshot!(text.join("\n---\n"));
}
