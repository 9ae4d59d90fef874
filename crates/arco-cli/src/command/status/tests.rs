use serde_json::json;

use super::render;
use crate::render::Paint;

#[test]
fn page_tells_leader_work_and_hosts() {
    let status = serde_json::from_value(json!({
        "workspace": "default", "version": "0.1.0", "position": "12.3", "time": "2026-01-31T04:05:06.000Z",
        "leader": {"epoch": 2, "holder": "ab", "url": "http://127.0.0.1:3000", "here": true},
        "hosts": [{
            "id": "host_01JD5Z6Q8G7V9K3W2M4N5P6R7S", "location": "flights", "hostname": "box", "pid": 42,
            "slots": 2, "attempts": 1, "state": "alive", "registered": "2026-01-31T04:00:00.000Z"
        }],
        "runs": {"total": 2, "queued": 1, "started": 1, "canceling": 0},
        "tasks": {"total": 9, "waiting": 4, "ready": 2, "leased": 1, "running": 1, "retrying": 0,
                  "succeeded": 1, "failed": 0, "skipped": 0, "cancelled": 0},
        "locations": 1, "locations_failed": 1, "assets": 11, "schedules": 3, "schedules_running": 2,
        "next_due": "2026-01-31T05:00:00.000Z", "clock_off_ms": -3600000
    }))
    .unwrap();
    insta::assert_snapshot!(render(&status, "http://127.0.0.1:3000", Paint::new(false)));
}
