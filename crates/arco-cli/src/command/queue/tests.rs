use serde_json::json;

use super::render;
use crate::render::Paint;

#[test]
fn each_row_says_what_it_waits_for_and_who_has_it() {
    let (first, second) = (
        "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S",
        "run_01JD5Z6Q8G7V9K3W2M4N5P6R7T",
    );
    let at = "2026-01-31T04:05:06.000Z";
    let entries = serde_json::from_value::<Vec<_>>(json!([
        {"run": second, "priority": 5, "requested": at, "waits_for": [
            {"kind": "limit", "name": "runs", "slots": 1, "held": 1, "runs": [first]},
            {"kind": "limit", "name": "tag team=core", "slots": 1, "held": 2, "runs": [first]}]},
        {"run": second, "priority": 0, "requested": at, "waits_for": [{"kind": "host", "name": "sales"}]},
        {"run": first, "task": 2, "step": "orders", "priority": 0, "requested": at, "waits_for": [
            {"kind": "pool", "name": "db", "slots": 1, "held": 1, "attempts": [format!("{first}.0.1")]}]},
        {"run": first, "task": 3, "step": "report", "priority": 0, "requested": at, "waits_for": [
            {"kind": "pool", "name": "api", "slots": 0, "held": 0}]},
        {"run": first, "task": 4, "step": "mail", "priority": 0, "requested": at, "waits_for": [{"kind": "turn", "name": "sales"}]}
    ]));
    let entries = entries.unwrap();
    insta::assert_snapshot!(render(&entries, Paint::new(false)));
}
