//! Assets, their partitions, materializations and checks.

use serde_json::json;

use crate::host::{FakeHost, failure};
use crate::server::{Server, flights};

#[tokio::test]
async fn a_key_with_a_slash_is_one_segment() {
    let server = Server::with_flights().await;
    let asset = server.get("assets/raw%2Fflights").await.ok();
    assert_eq!(asset["key"], "raw/flights");
    assert_eq!(asset["downstream"], json!(["daily"]));
    assert_eq!(asset["asset_checks"][0]["name"], "not_empty");
    assert_eq!(asset["asset_checks"][0]["blocking"], true);
    assert_eq!(
        asset["config_schema"]["properties"]["rows"]["type"],
        "integer"
    );
    assert_eq!(
        server.get("assets/raw/flights").await.code(),
        (404, "not_found".into())
    );
    let near = server.get("assets/raw%2Fflight").await;
    assert_eq!(near.code(), (404, "unknown_asset".into()));
    assert_eq!(near.problem().hints, ["did you mean `raw/flights`?"]);
    server.stop().await;
}

#[tokio::test]
async fn a_selection_chooses_assets() {
    let server = Server::with_flights().await;
    for (selection, keys) in [
        ("group:raw", vec!["raw/flights"]),
        ("+report", vec!["daily", "report"]),
        ("kind:csv or key:airports", vec!["airports", "raw/flights"]),
    ] {
        let query = selection.replace('+', "%2B").replace(' ', "%20");
        let rows = server.all(&format!("assets?selection={query}"), 1).await;
        let found: Vec<&str> = rows
            .iter()
            .map(|row| row["key"].as_str().expect("a key"))
            .collect();
        assert_eq!(found, keys, "{selection}");
    }
    let bad = server.get("assets?selection=group%3A").await;
    assert_eq!(bad.code(), (422, "bad_selection".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_status_selects_what_the_list_shows_with_it() {
    let server = Server::with_flights().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    host.work_off(&server).await;
    let all = server.all("assets", 10).await;
    let mut seen = 0;
    for status in [
        "in_progress",
        "failed",
        "materialized",
        "never_materialized",
    ] {
        let chosen = server
            .all(&format!("assets?selection=status:{status}"), 10)
            .await;
        let shown: Vec<_> = all
            .iter()
            .filter(|asset| asset["status"] == status && asset["external"] != true)
            .cloned()
            .collect();
        assert_eq!(chosen, shown, "{status}");
        seen += usize::from(!chosen.is_empty());
    }
    assert!(seen > 1, "a workspace with one status shows nothing");
    let bad = server.get("assets?selection=status:fresh").await;
    assert_eq!(bad.code(), (422, "bad_selection".into()));
    server.stop().await;
}

#[tokio::test]
async fn partitions_show_where_they_stand() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let keys = json!({"keys": ["2026-01-01...2026-01-04"]});
    server.run(json!({"selection": "raw/flights"})).await;
    host.work_off(&server).await;
    let run = server
        .run(json!({"selection": "daily", "partitions": keys}))
        .await;
    let leases = host.exchange(&server, json!([]), 2).await.leases;
    host.live.clear();
    let mut reports = crate::host::success(&leases[0]);
    reports.extend(failure(&leases[1]));
    host.exchange(&server, reports.into(), 0).await;

    let page = server
        .get("assets/daily/partitions?order=desc&limit=5")
        .await
        .ok();
    let shown: Vec<(&str, &str)> = page["items"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            (
                row["key"].as_str().expect("a key"),
                row["status"].as_str().expect("a status"),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("2026-01-04", "in_progress"),
            ("2026-01-03", "in_progress"),
            ("2026-01-02", "failed"),
            ("2026-01-01", "materialized"),
            ("2025-12-31", "never_materialized"),
        ]
    );
    assert_eq!(page["items"][0]["runs"], json!([run]));
    assert_eq!(page["items"][3]["latest"]["run"], json!(run));
    assert_eq!(page["items"][2]["failed_run"], json!(run));
    assert!(page["items"][3].get("failed_run").is_none());
    let failed = server
        .all("assets/daily/partitions?status=failed,materialized", 1)
        .await;
    assert_eq!(failed.len(), 2);
    let asset = server.get("assets/daily").await.ok();
    assert_eq!(
        asset["partitions"]["counts"],
        json!({"total": 35, "materialized": 1, "failed": 1, "in_progress": 2, "never_materialized": 31})
    );
    assert_eq!(asset["status"], "in_progress");
    let plain = server.get("assets/raw%2Fflights/partitions").await;
    assert_eq!(plain.code(), (404, "not_partitioned".into()));
    server.stop().await;
}

#[tokio::test]
async fn materializations_carry_what_they_read_and_said() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "key:raw/flights or key:daily", "partitions": {"keys": ["2026-01-01", "2026-01-03"]}})).await;
    host.work_off(&server).await;
    let rows = server.all("assets/daily/materializations", 10).await;
    assert_eq!(rows[0]["partition"], "2026-01-03", "newest first");
    assert_eq!(
        rows[0]["metadata"]["rows"],
        json!({"type": "int", "value": 842})
    );
    assert_eq!(rows[0]["code_version"], "1");
    assert_eq!(rows[0]["inputs"][0]["asset"], "raw/flights");
    let one = server
        .all("assets/daily/materializations?partition=2026-01-01", 10)
        .await;
    assert_eq!(one.len(), 1);
    assert_eq!(one[0], rows[1]);
    let bad = server
        .get("assets/daily/materializations?partition=yesterday")
        .await;
    assert_eq!(bad.code(), (422, "bad_partition".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_materialization_that_left_memory_is_read_from_the_log() {
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
    let recent = server.all("assets/daily/materializations", 30).await;
    assert_eq!(recent.len(), 100);
    assert!(recent.iter().all(|row| row["partition"] != "2025-12-01"));
    let old = server
        .all("assets/daily/materializations?partition=2025-12-01", 10)
        .await;
    assert_eq!(old.len(), 1);
    assert_eq!(old[0]["metadata"]["rows"]["value"], 842);
    server.stop().await;
}
