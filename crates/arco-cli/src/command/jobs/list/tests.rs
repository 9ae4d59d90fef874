use arco_wire::api::JobSummary;
use insta::assert_snapshot;
use serde_json::json;

use super::render;
use crate::command::runs::list::tests::run;
use crate::render::Paint;

/// A job as the API shows it.
pub(crate) fn job() -> JobSummary {
    serde_json::from_value(json!({
        "name": "nightly", "location": "pipeline", "selection": ["group:\"sales\"", "+key:\"report\""],
        "asset_count": 3, "partition_example": "2026-01-31", "tags": {"team": "core"},
        "latest_run": run(json!({"job": {"location": "pipeline", "name": "nightly"}})),
    }))
    .expect("an answer of the API")
}

#[test]
fn job_shows_its_selection_and_its_last_run() {
    assert_snapshot!(render(&[job()], Paint::new(false)));
}
