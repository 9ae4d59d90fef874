//! Why: the chains that the API tells, also of what left memory.

use arco_wire::api::{Explanation, Reason, Why};
use serde_json::json;

use crate::host::{FakeHost, failure};
use crate::server::{Server, flights};

fn kinds(why: &[Why]) -> Vec<String> {
    let kind = |why: &Why| serde_json::to_value(&why.reason).expect("it is there")["kind"].clone();
    let kinds = why.iter().map(kind);
    kinds
        .map(|kind| kind.as_str().expect("it is there").to_owned())
        .collect()
}

#[tokio::test]
async fn a_failed_run_its_tasks_and_its_partition_say_why() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "key:raw/flights or key:daily", "partitions": {"keys": ["2026-01-01"]}})).await;
    let leases = host.exchange(&server, json!([]), 1).await.leases;
    host.live.clear();
    host.exchange(&server, failure(&leases[0]).into(), 0).await;

    let of_run: Explanation = server.get(&format!("runs/{run}/explanation")).await.read();
    assert_eq!(
        kinds(&of_run.why.because),
        ["task", "skipped_tasks", "begun", "asked"]
    );
    let Reason::Asked { by, .. } = &of_run.why.because[3].reason else {
        panic!("{of_run:?}")
    };
    assert_eq!(by, "client:local");
    let skipped: Explanation = server
        .get(&format!("runs/{run}/tasks/1/explanation"))
        .await
        .read();
    assert_eq!(kinds(&skipped.why.because), ["upstream_failed", "asked"]);
    let partition: Explanation = server
        .get("assets/daily/explanation?partition=2026-01-01")
        .await
        .read();
    assert_eq!(kinds(&partition.why.because), ["task"]);
    let left_out: Explanation = server
        .get(&format!("runs/{run}/explanation?asset=report"))
        .await
        .read();
    assert!(matches!(left_out.why.reason, Reason::NotSelected { .. }));
    server.stop().await;
}

#[tokio::test]
async fn a_rerun_tells_its_lineage_down_to_the_first_request() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let mut run = server.run(json!({"selection": "raw/flights"})).await;
    host.work_off(&server).await;
    let first = run.clone();
    for _ in 0..2 {
        let made = server.post(&format!("runs/{run}/rerun"), &json!({})).await;
        run = made.value()["run"]["id"]
            .as_str()
            .expect("it is there")
            .to_owned();
        host.work_off(&server).await;
    }
    let why: Explanation = server.get(&format!("runs/{run}/explanation")).await.read();
    let mut why = why.why;
    let mut parents = Vec::new();
    while let Some(cause) = why.because.pop() {
        if let Reason::Again { parent, .. } = &cause.reason {
            parents.push(parent.to_string());
        }
        why = cause;
    }
    assert_eq!(parents.len(), 2, "{parents:?}");
    assert_eq!(parents[1], first);
    server.stop().await;
}

#[tokio::test]
async fn a_materialization_that_left_memory_still_says_its_inputs() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "key:raw/flights or key:daily", "partitions": {"keys": ["2025-12-01"]}})).await;
    host.work_off(&server).await;
    for _ in 0..3 {
        server
            .run(json!({"selection": "daily", "partitions": {"keys": ["2025-12-02...2026-01-04"]}}))
            .await;
        host.work_off(&server).await;
    }
    let old: Explanation = server
        .get("assets/daily/explanation?partition=2025-12-01")
        .await
        .read();
    let made = &old.why.because[0];
    assert!(matches!(made.reason, Reason::Materialized { .. }));
    assert_eq!(kinds(&made.because)[0], "input", "from the log");
    server.stop().await;
}

#[tokio::test]
async fn questions_about_nothing_are_refused_as_everywhere() {
    let server = Server::with_flights().await;
    for (path, code) in [
        ("assets/nowhere/explanation", (404, "unknown_asset")),
        (
            "assets/raw%2Fflights/explanation?partition=2026-01-01",
            (404, "not_partitioned"),
        ),
        (
            "assets/daily/explanation?partition=yesterday",
            (422, "bad_partition"),
        ),
        (
            "runs/run_01JD5Z6Q8G7V9K3W2M4N5P6R7S/explanation",
            (404, "unknown_run"),
        ),
    ] {
        let (status, word) = server.get(path).await.code();
        assert_eq!((status, word.as_str()), code, "{path}");
    }
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let none = server.get(&format!("runs/{run}/tasks/7/explanation")).await;
    assert_eq!(none.code(), (404, "unknown_task".into()));
    let bare = server
        .get(&format!("runs/{run}/explanation?partition=2026-01-01"))
        .await;
    assert_eq!(bare.code(), (400, "invalid_query".into()));
    server.stop().await;
}
