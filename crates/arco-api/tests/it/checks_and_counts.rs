//! Check results, and counts that survive a change of the partitions.

use arco_testkit::{ManifestBuilder, asset, check};
use serde_json::json;

use crate::host::{FakeHost, finished};
use crate::server::{Server, flights};

#[tokio::test]
async fn a_failed_blocking_check_shows_and_stops_what_is_downstream() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "key:raw/flights or key:daily", "partitions": {"keys": ["2026-01-01"]}})).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    let attempt = lease.attempt.to_string();
    host.live.clear();
    let reports = json!([
        {"attempt": attempt, "fact": "materialized", "asset": "raw/flights"},
        {"attempt": attempt, "fact": "check", "asset": "raw/flights", "check": "not_empty", "passed": false,
         "severity": "ERROR", "description": "0 rows", "metadata": {"rows": {"type": "int", "value": 0}}},
        finished(&attempt, json!({"status": "succeeded"})),
    ]);
    host.exchange(&server, reports, 0).await;
    let check = server.get("assets/raw%2Fflights/checks").await.ok()["items"][0].clone();
    assert_eq!((&check["passed"], &check["failed"]), (&json!(0), &json!(1)));
    assert_eq!(check["latest"]["description"], "0 rows");
    assert_eq!(check["latest"]["severity"], "ERROR");
    let asset = server.get("assets/raw%2Fflights").await.ok();
    assert_eq!(
        (&asset["checks_failed"], &asset["checks"]),
        (&json!(1), &json!(1))
    );
    let run = server.get(&format!("runs/{run}")).await.ok();
    assert_eq!(
        (&run["status"], &run["checks_failed"]),
        (&json!("failure"), &json!(1))
    );
    server.stop().await;
}

#[tokio::test]
async fn counts_leave_out_partitions_of_former_definitions() {
    let server = Server::start().await;
    let daily = ManifestBuilder::new("loc").asset(asset("t").daily("2025-12-01"));
    let mut host = FakeHost::register(&server, &daily.json()).await;
    server
        .run(json!({"selection": "t", "partitions": {"keys": ["2025-12-01...2025-12-20"]}}))
        .await;
    host.work_off(&server).await;
    let counts = async || server.get("assets/t").await.ok()["partitions"]["counts"].clone();
    assert_eq!(counts().await["materialized"], 20);

    let fixed = ManifestBuilder::new("loc").asset(asset("t").partitions(&["a", "b"]));
    host.hello(&server, &fixed.json()).await.ok();
    assert_eq!(
        counts().await,
        json!({"total": 2, "materialized": 0, "failed": 0, "in_progress": 0, "never_materialized": 2})
    );
    server
        .run(json!({"selection": "t", "partitions": {"keys": ["a"]}}))
        .await;
    host.work_off(&server).await;
    assert_eq!(counts().await["materialized"], 1);

    host.hello(&server, &daily.json()).await.ok();
    assert_eq!(
        counts().await["materialized"],
        20,
        "the days are remembered"
    );
    server.stop().await;
}

/// F-6: each partition has a verdict of its own, and the check as a whole shows the last of all.
#[tokio::test]
async fn a_check_has_a_verdict_per_partition_and_the_last_of_all() {
    let server = Server::start().await;
    let manifest = ManifestBuilder::new("loc")
        .asset(asset("t").partitions(&["a", "b"]))
        .check(check("t", "rows").inside().partitions(&["a", "b"]));
    let mut host = FakeHost::register(&server, &manifest.json()).await;
    for (key, passed) in [("a", false), ("b", false), ("a", true)] {
        let run = json!({"selection": "t", "partitions": {"keys": [key]}});
        server.run(run).await;
        let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
        let attempt = lease.attempt.to_string();
        host.live.clear();
        let reports = json!([
            {"attempt": attempt, "fact": "materialized", "asset": "t"},
            {"attempt": attempt, "fact": "check", "asset": "t", "check": "rows", "passed": passed,
             "severity": "ERROR", "metadata": {}},
            finished(&attempt, json!({"status": "succeeded"})),
        ]);
        host.exchange(&server, reports, 0).await;
    }
    let check = async |query: &str| {
        let path = format!("assets/t/checks{query}");
        server.get(&path).await.ok()["items"][0].clone()
    };
    let whole = check("").await;
    assert_eq!((&whole["passed"], &whole["failed"]), (&json!(1), &json!(1)));
    assert_eq!(whole["latest"]["partition"], "a");
    assert_eq!(whole["latest"]["passed"], true);
    let of_b = check("?partition=b").await;
    assert_eq!(of_b["latest"]["partition"], "b");
    assert_eq!(of_b["latest"]["passed"], false);
    server.stop().await;
}
