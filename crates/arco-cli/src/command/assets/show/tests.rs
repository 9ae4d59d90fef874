use serde_json::json;

use super::{Shown, metadata, render};
use crate::render::Paint;

#[test]
fn asset_shows_neighbours_last_materialization_and_checks() {
    let asset = json!({
        "key": "flights", "location": "flights", "group": "daily", "kinds": ["parquet"], "status": "materialized",
        "materializations": 31, "checks": 1, "checks_passed": 1, "checks_failed": 0,
        "partitions": {"shape": "time_window", "noun": "daily", "example": "2013-01-01",
            "counts": {"total": 365, "materialized": 31, "failed": 0, "in_progress": 0, "never_materialized": 334}},
        "description": "Flights of a day.", "owners": ["team:core"], "tags": {"tier": "1"}, "code_version": "2",
        "io_manager": "io_manager", "step": "flights",
        "upstream": [{"asset": "raw/flights", "param": "raw_flights"}], "downstream": ["flights_enriched"],
        "asset_checks": [{
            "name": "not_empty", "location": "flights", "step": "flights__not_empty", "blocking": true,
            "description": "There are flights every day.", "passed": 31, "failed": 0
        }]
    });
    let made = json!({
        "position": "12.3", "time": "2026-01-31T04:05:06.000Z", "run": "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S",
        "attempt": "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S.0.1", "data_version": "v1", "partition": "2013-01-31",
        "metadata": {"rows": {"type": "int", "value": 842}}
    });
    let shown = Shown {
        asset: serde_json::from_value(asset).unwrap(),
        latest_materialization: serde_json::from_value(made).unwrap(),
    };
    insta::assert_snapshot!(render(&shown, Paint::new(false)));
}

#[test]
fn metadata_is_one_line_whatever_it_is() {
    let rows = [
        (json!({"type": "int", "value": 842}), "842"),
        (json!({"type": "md", "value": "# Title\nmore"}), "# Title"),
        (
            json!({"type": "png", "value": "A".repeat(8192)}),
            "picture, 6 KiB",
        ),
        (
            json!({"type": "json", "value": {"a": [1, 2]}}),
            r#"{"a":[1,2]}"#,
        ),
    ];
    for (value, expected) in rows {
        assert_eq!(metadata(&value), expected);
    }
}
