use arco_wire::api::{Backfill, BackfillPreview};
use serde_json::json;

use super::{create, list, show};
use crate::render::Paint;

const ID: &str = "backfill_01JD5Z6Q8G7V9K3W2M4N5P6R7S";

fn backfill() -> Backfill {
    serde_json::from_value(json!({
        "id": ID, "status": "failed", "state_version": 2, "reason": "2 partitions failed",
        "selection": "a+", "assets": ["a", "b"], "assets_count": 2,
        "partitions": "2026-01-01...2026-01-31", "title": "January", "concurrency": 50,
        "priority": 0, "order": "oldest", "runs_per_minute": 60,
        "progress": {"partitions": 31, "succeeded": 28, "failed": 2, "skipped": 0, "remaining": 1,
            "runs": 31, "runs_requested": 30, "runs_active": 0, "per_minute": 12.25},
        "left_out": [{"asset": "b", "partitions": 2, "first": "2026-01-01", "parent": "a", "lacks": "2025-12-31"}],
        "created_by": "client:test", "created": "2026-02-01T00:00:00.000Z"
    }))
    .unwrap()
}

#[test]
fn a_backfill_is_shown_with_how_far_it_is_and_what_is_left_out() {
    let shown = show::render(&backfill(), Paint::new(false));
    insta::assert_snapshot!(shown);
}

#[test]
fn backfills_are_listed_one_a_line() {
    insta::assert_snapshot!(list::render(&[backfill()], Paint::new(false)));
}

#[test]
fn a_preview_counts_runs_and_rounds() {
    let preview: BackfillPreview = serde_json::from_value(json!({
        "partitions": 33, "materializations": 64, "runs": 32, "rounds": 2,
        "units": [
            {"assets": ["a", "b"], "partitions": 31, "first": "2026-01-01", "last": "2026-01-31",
             "partitions_per_run": 1, "runs": 31, "needs": []},
            {"assets": ["m"], "partitions": 2, "first": "2026-01-01", "last": "2026-02-01",
             "partitions_per_run": 2, "runs": 1, "needs": [0]}
        ],
        "first_rounds": [{"runs": 31, "partitions": 31, "units": [0]}, {"runs": 1, "partitions": 2, "units": [1]}]
    }))
    .unwrap();
    insta::assert_snapshot!(create::render(&preview, Paint::new(false)));
}
