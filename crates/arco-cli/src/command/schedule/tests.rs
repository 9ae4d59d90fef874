use arco_wire::api::{NextInstants, Schedule, Tick, TickTrial};
use serde_json::{Value, json};

use super::{list, next, show, test, ticks};
use crate::render::Paint;

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the wire's shape")
}

const VERSION: &str = "043a718774c572bd8a25adbeb1bfcd5c0256ae11cecf9f9c3f925d0e52beaf89";
const RUN: &str = "run_01HF7YAT000000000000000001";

fn tick(extra: Value) -> Value {
    let mut tick = json!({"id": "nightly:2026-01-31T02:00:00Z", "schedule": "nightly", "status": "success",
        "instant": "2026-01-31T02:00:00Z", "version": VERSION, "position": "7.1",
        "time": "2026-01-31T02:00:00.042Z"});
    for (key, value) in extra.as_object().expect("a mapping") {
        tick[key] = value.clone();
    }
    tick
}

fn schedule() -> Schedule {
    read(json!({
        "name": "nightly", "location": "main", "status": "running", "default_status": "stopped",
        "set": {"status": "running", "by": "client:anna", "time": "2026-01-01T00:00:00Z"},
        "cron": ["0 2 * * *", "0 14 * * 1"], "timezone": "Europe/Berlin", "job": "sales",
        "partitions": "last", "tags": {"team": "core"}, "version": VERSION,
        "catch_up": {"policy": "all", "max_ticks": 5, "window_seconds": 3600},
        "since": "2026-01-01T00:00:00Z", "next": "2026-02-01T01:00:00Z",
        "last_tick": tick(json!({"runs": [RUN]})),
    }))
}

fn all_ticks() -> Vec<Tick> {
    vec![
        read(tick(json!({"runs": [RUN, RUN, RUN, RUN]}))),
        read(tick(
            json!({"status": "skipped", "reason": "no partition exists"}),
        )),
        read(tick(json!({"status": "failure", "error":
            {"type": "bad_schedule", "message": "none of its assets is partitioned", "traceback": ""}}))),
        read(tick(
            json!({"status": "missed", "reason": "it was late", "missed":
            {"first": "2026-01-29T02:00:00Z", "count": 3, "reason": "late"}}),
        )),
    ]
}

#[test]
fn schedules_ticks_instants_and_trials_are_shown() {
    let plain = Paint::new(false);
    let instants: NextInstants = read(
        json!({"schedule": "nightly", "status": "running", "instants": [
        {"instant": "2026-03-29T01:00:00Z", "local": "2026-03-29T03:00:00+02:00"}]}),
    );
    let trial = |extra: Value| -> TickTrial {
        let mut trial =
            json!({"schedule": "nightly", "instant": "2026-01-31T02:00:00Z", "status": "success"});
        for (key, value) in extra.as_object().expect("a mapping") {
            trial[key] = value.clone();
        }
        read(trial)
    };
    let runs = json!([{"run_key": "2026-01-31T02:00:00Z/2026-01-30", "partitions": "2026-01-30",
        "assets": ["a", "b"], "asset_count": 2, "tasks": 2}]);
    let skipped = json!({"status": "skipped", "reason": "no partition exists"});
    let failed = json!({"status": "failure", "error":
        {"type": "x", "message": "asset `m` is not defined", "traceback": ""}});
    let text = [
        list::render(&[schedule()], plain),
        show::render(&schedule(), plain),
        ticks::render(&all_ticks(), plain),
        next::render(&instants, plain),
        test::render(&trial(json!({"runs": runs})), plain),
        test::render(&trial(skipped), plain),
        test::render(&trial(failed), plain),
    ];
    insta::assert_snapshot!(text.join("\n---\n"));
}
