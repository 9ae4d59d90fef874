use arco_wire::api::{RunStatus, RunSummary, TaskCounts};

use super::Lines;

fn run(status: RunStatus, succeeded: u32, failed: u32) -> RunSummary {
    let mut run: RunSummary = serde_json::from_value(serde_json::json!({
        "id": "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S", "status": "queued", "requested": "2026-01-31T04:05:06.000Z",
        "position": "1.0", "requested_by": "client:anonymous", "assets": [], "asset_count": 0,
        "scope": "workspace", "priority": 0, "materializations": 0, "checks_passed": 0, "checks_failed": 0,
        "tasks": {"total": 0, "waiting": 0, "ready": 0, "leased": 0, "running": 0, "retrying": 0,
                  "succeeded": 0, "failed": 0, "skipped": 0, "cancelled": 0},
    }))
    .unwrap();
    run.status = status;
    run.tasks = TaskCounts {
        total: 40,
        succeeded,
        failed,
        running: 2,
        ..TaskCounts::default()
    };
    run
}

#[test]
fn lines_tell_only_what_is_new() {
    let rows = [
        // status · succeeded · failed → line
        (
            RunStatus::Queued,
            0,
            0,
            Some("queued 0/40 tasks  waiting for a worker host"),
        ),
        (RunStatus::Queued, 0, 0, None),
        (
            RunStatus::Started,
            1,
            0,
            Some("started 1/40 tasks  2 running"),
        ),
        (RunStatus::Started, 3, 0, None),
        (
            RunStatus::Started,
            4,
            0,
            Some("started 4/40 tasks  2 running"),
        ),
        (
            RunStatus::Started,
            5,
            1,
            Some("started 6/40 tasks  2 running, 1 failed"),
        ),
        (RunStatus::Started, 5, 2, None),
        (
            RunStatus::Canceling,
            5,
            2,
            Some("canceling 7/40 tasks  2 running, 2 failed"),
        ),
        (RunStatus::Canceled, 5, 2, None),
    ];
    let mut lines = Lines::default();
    for (at, (status, succeeded, failed, expected)) in rows.into_iter().enumerate() {
        let line = lines.line(&run(status, succeeded, failed));
        assert_eq!(line.as_deref(), expected, "row {at}");
    }
}
