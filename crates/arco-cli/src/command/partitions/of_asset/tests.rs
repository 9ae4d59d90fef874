use serde_json::{Value, json};

use super::*;

/// The ways in which a partition can stand: what was made before a failure is told, and not hidden.
#[test]
fn a_partition_is_shown_where_it_stands() {
    let made = json!({"position": "1.0", "time": "2026-01-01T00:00:00.000Z", "data_version": "v"});
    let rows = [
        ("never_materialized", Value::Null, "never materialized"),
        ("materialized", made.clone(), "materialized"),
        ("failed", Value::Null, "failed"),
        ("failed", made.clone(), "materialized, last attempt failed"),
        ("in_progress", made, "in progress"),
    ];
    for (status, latest, shown) in rows {
        let mut partition = json!({"key": "2026-01-01", "status": status});
        if !latest.is_null() {
            partition["latest"] = latest;
        }
        let partition: Partition = serde_json::from_value(partition).expect("a partition");
        assert_eq!(super::status(&partition), shown);
    }
}
