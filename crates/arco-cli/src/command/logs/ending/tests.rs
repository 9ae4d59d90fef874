use arco_wire::api::Task;
use serde_json::{Value, json};

use super::{goes_on, raised};

fn task(status: &str, attempts: u32, traceback: &str) -> Task {
    let tried: Value = json!({
        "id": "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S.0.1", "number": 1, "host": "host_01JD5Z6Q8G7V9K3W2M4N5P6R7S",
        "status": "failed", "leased": "2026-01-31T04:05:06.000Z", "class": "worker_lost",
        "error": {"type": "WorkerStopped", "message": "the host left", "traceback": traceback},
    });
    serde_json::from_value(json!({
        "task": 0, "location": "l", "step": "a", "partition_count": 0, "status": status, "attempts": attempts,
        "needs": [], "tries": [tried],
    }))
    .unwrap()
}

#[test]
fn the_error_follows_its_traceback() {
    let raised = |traceback| raised(&task("failed", 1, traceback).tries[0]).unwrap();
    assert_eq!(raised(""), "WorkerStopped: the host left");
    assert_eq!(
        raised("  File \"a.py\", line 2\n"),
        "  File \"a.py\", line 2\nWorkerStopped: the host left"
    );
    assert_eq!(
        raised("  File \"a.py\"\nWorkerStopped: the host left\n"),
        "  File \"a.py\"\nWorkerStopped: the host left",
        "once"
    );
}

#[test]
fn who_followed_a_lost_attempt_is_told_of_the_next() {
    let next = |status, attempts| {
        let task = task(status, attempts, "");
        goes_on(&task.summary, &task.tries[0])
    };
    assert_eq!(
        next("running", 2).unwrap(),
        "a attempt 1 is over (worker_lost); another follows"
    );
    assert_eq!(
        next("retrying", 1).unwrap(),
        "a attempt 1 is over (worker_lost); another follows"
    );
    assert_eq!(next("failed", 1), None);
}
