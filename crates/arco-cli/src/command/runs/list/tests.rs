use serde_json::{Value, json};

use super::render;
use crate::render::Paint;

/// A run as the API gives it, with `change` laid over it.
pub(in crate::command) fn run(change: Value) -> Value {
    let mut run = json!({
        "id": "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S", "status": "success",
        "requested": "2026-01-31T04:05:06.000Z", "position": "12.0", "requested_by": "client:local",
        "started": "2026-01-31T04:05:06.500Z", "ended": "2026-01-31T04:05:18.340Z",
        "selection": "group:flights", "partitions": "2013-01-01...2013-01-31",
        "assets": ["raw/flights", "flights"], "asset_count": 2, "scope": "workspace", "priority": 0,
        "tasks": {"total": 32, "waiting": 0, "ready": 0, "leased": 0, "running": 0, "retrying": 0,
                  "succeeded": 32, "failed": 0, "skipped": 0, "cancelled": 0},
        "materializations": 32, "checks_passed": 31, "checks_failed": 0
    });
    let Value::Object(change) = change else {
        panic!("an object")
    };
    for (key, value) in change {
        run[key] = value;
    }
    run
}

#[test]
fn running_run_shows_how_far_it_is() {
    let rows = json!([
        run(json!({"run_key": "nightly"})),
        run(json!({
            "status": "started", "ended": null, "selection": null, "partitions": null,
            "tasks": {"total": 4, "waiting": 1, "ready": 0, "leased": 0, "running": 1, "retrying": 0,
                      "succeeded": 2, "failed": 0, "skipped": 0, "cancelled": 0},
        })),
    ]);
    let rows: Vec<_> = serde_json::from_value(rows).unwrap();
    insta::assert_snapshot!(render(&rows, Paint::new(false)));
}
