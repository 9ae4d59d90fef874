//! The queue and its limits, as operators see them.

use arco_testkit::{ManifestBuilder, asset};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::host::{FakeHost, success};
use crate::server::{Reply, Server, send};

async fn put(server: &Server, limits: &Value) -> Reply {
    send(server.request(Method::PUT, "limits").json(limits)).await
}

fn pooled() -> Value {
    let pooled = |name: &str| asset(name).step_with("pool", json!("db"));
    let assets = ManifestBuilder::new("sales")
        .asset(pooled("a"))
        .asset(pooled("b"));
    assets.asset(asset("c")).json()
}

#[tokio::test]
async fn the_queue_says_what_waits_on_what_until_slots_come_back() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &pooled()).await;
    assert_eq!(server.get("limits").await.ok(), json!({}));
    let limits = json!({"runs": 2, "tags": [{"key": "team", "per_value": true, "limit": 1}], "pools": {"db": {"limit": 1, "granularity": "task"}}});
    let set = put(&server, &limits).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text);
    assert_eq!(set.value()["limits"], limits);
    assert_eq!(server.get("limits").await.ok(), limits);

    let first = server
        .run(json!({"selection": ["a", "b"], "tags": {"team": "x"}}))
        .await;
    let same_team = server
        .run(json!({"selection": "c", "tags": {"team": "x"}}))
        .await;
    let passes = server
        .run(json!({"selection": "c", "tags": {"team": "y", "dagster/priority": "1"}}))
        .await;
    let leases = host.exchange(&server, json!([]), 9).await.leases;
    let begun: Vec<String> = leases.iter().map(|lease| lease.run.to_string()).collect();
    assert_eq!(
        begun,
        [passes.clone(), first.clone()],
        "priority first; one task of the pool"
    );

    let rows = server.all("queue", 1).await;
    assert_eq!(rows, server.all("queue", 50).await, "pages are one list");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0]["run"], json!(same_team));
    let waits = &rows[0]["waits_for"];
    assert_eq!(waits[0]["name"], "runs");
    assert_eq!(
        (&waits[0]["slots"], &waits[0]["held"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(waits[1]["name"], "tag team=x");
    assert_eq!(waits[1]["runs"], json!([first]));
    assert_eq!(
        (&rows[1]["run"], &rows[1]["step"]),
        (&json!(first), &json!("b"))
    );
    let held_by = leases
        .iter()
        .find(|lease| lease.run.to_string() == first)
        .expect("leased");
    let pool = json!([{"kind": "pool", "name": "db", "slots": 1, "held": 1, "attempts": [held_by.attempt]}]);
    assert_eq!(rows[1]["waits_for"], pool);

    let run = server.get(&format!("runs/{same_team}")).await.ok();
    assert_eq!(
        (&run["status"], &run["started"]),
        (&json!("queued"), &Value::Null)
    );
    let reports: Value = leases.iter().flat_map(success).collect();
    host.live.clear();
    let next = host.exchange(&server, reports, 9).await.leases;
    assert_eq!(
        next.len(),
        1,
        "the pool has a slot again, the team has none"
    );
    assert_eq!(next[0].run.to_string(), first);
    let reports: Value = next.iter().flat_map(success).collect();
    host.live.clear();
    let last = host.exchange(&server, reports, 9).await.leases;
    assert_eq!(last[0].run.to_string(), same_team);
    assert!(server.all("queue", 50).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn limits_that_do_not_hold_together_are_refused_and_change_nothing() {
    let server = Server::start().await;
    let bad = put(
        &server,
        &json!({"tags": [{"key": "a", "limit": 1}, {"key": "a", "limit": 2}]}),
    )
    .await;
    assert_eq!(bad.code(), (422, "bad_limits".to_owned()));
    assert_eq!(put(&server, &json!({"rnus": 1})).await.code().0, 422);
    assert_eq!(server.get("limits").await.ok(), json!({}));
    server.stop().await;
}
