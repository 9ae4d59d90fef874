use serde_json::json;

use super::render;
use crate::render::Paint;

#[test]
fn asset_shows_partitions_checks_and_latest() {
    let rows = json!([
        {
            "key": "raw/flights", "location": "flights", "group": "raw", "kinds": ["parquet"], "status": "materialized",
            "materializations": 1, "checks": 2, "checks_passed": 1, "checks_failed": 1,
            "latest": {"position": "12.3", "time": "2026-01-31T04:05:06.000Z", "run": "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S",
                       "attempt": "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S.0.1", "data_version": "v1"}
        },
        {
            "key": "flights", "location": "flights", "group": "daily", "status": "failed", "materializations": 0,
            "checks": 1, "checks_passed": 1, "checks_failed": 0,
            "partitions": {"shape": "time_window", "noun": "daily", "example": "2013-01-01",
                "counts": {"total": 365, "materialized": 31, "failed": 2, "in_progress": 0, "never_materialized": 332}}
        },
        {
            "key": "upstream/table", "location": "flights", "group": "default", "external": true,
            "status": "never_materialized", "materializations": 0, "checks": 0, "checks_passed": 0, "checks_failed": 0
        },
    ]);
    let rows: Vec<_> = serde_json::from_value(rows).unwrap();
    insta::assert_snapshot!(render(&rows, Paint::new(false)));
}

#[test]
fn checks_that_were_never_judged_did_not_fail() {
    let shown = |checks: u64, passed: u64, failed: u64| {
        let row = json!({
            "key": "a", "location": "l", "group": "g", "status": "materialized", "materializations": 1,
            "checks": checks, "checks_passed": passed, "checks_failed": failed,
        });
        super::checks(&serde_json::from_value(row).unwrap())
    };
    assert_eq!(shown(0, 0, 0), "");
    assert_eq!(shown(1, 0, 0), "1 never judged");
    assert_eq!(shown(2, 2, 0), "2/2 passed");
    assert_eq!(shown(3, 1, 0), "1/3 passed, 2 never judged");
    assert_eq!(shown(3, 1, 1), "1/3 failed");
}
