//! What each refusal looks like on the wire. Codes that only a broken store or a race brings about
//! are rendered in the crate's own tests.

use arco_testkit::{World, store};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::server::{Server, Setup, send};

/// The body of a refusal, with a request id of its own.
async fn body(request: RequestBuilder) -> Value {
    let reply = send(request.header("x-request-id", "req_snapshot")).await;
    reply.problem();
    reply.value()
}

macro_rules! refused {
    ($server:expr, $name:literal, $method:ident $path:expr $(, $body:expr)?) => {{
        let request = $server.request(Method::$method, &$path);
        $( let request = request.json(&$body); )?
        let body = body(request).await;
        assert_eq!(body["code"], $name, "{body:#}");
        insta::assert_json_snapshot!($name, body);
    }};
}

#[tokio::test]
async fn requests_that_cannot_be_read() {
    let server = Server::with_flights().await;
    refused!(server, "not_found", GET "/nowhere");
    refused!(server, "method_not_allowed", DELETE "runs");
    refused!(server, "invalid_path", GET "runs/first");
    refused!(server, "invalid_query", GET "runs?status=done");
    refused!(server, "bad_page_token", GET "runs?page_token=abc");
    refused!(server, "unknown_workspace", GET "/api/v1/workspaces/other/runs");
    refused!(server, "invalid_body", POST "runs", json!({"selection": "daily", "partitions": {"key": "x"}}));
    let json = |text: &'static str| {
        server
            .request(Method::POST, "runs")
            .header("content-type", "application/json")
            .body(text)
    };
    insta::assert_json_snapshot!("invalid_json", body(json("{\"selection\": ")).await);
    let text = server
        .request(Method::POST, "runs")
        .header("content-type", "text/plain")
        .body("{}");
    insta::assert_json_snapshot!("unsupported_media_type", body(text).await);
    let header = server
        .request(Method::GET, "runs")
        .header("arco-min-position", "soon");
    insta::assert_json_snapshot!("invalid_header", body(header).await);
    let origin = server
        .request(Method::GET, "runs")
        .header("host", "localhost:3000")
        .header("origin", "https://evil.example");
    insta::assert_json_snapshot!("foreign_origin", body(origin).await);
    let host = server
        .request(Method::GET, "runs")
        .header("host", "evil.example");
    insta::assert_json_snapshot!("foreign_host", body(host).await);
    server.stop().await;
}

#[tokio::test]
async fn runs_that_cannot_be_made() {
    let server = Server::with_flights().await;
    let ask = |selection: &str| json!({"selection": selection});
    let keys =
        |selection: &str, key: &str| json!({"selection": selection, "partitions": {"keys": [key]}});
    refused!(server, "bad_selection", POST "runs", ask("group:raw and"));
    refused!(server, "empty_selection", POST "runs", ask("group:nothing"));
    refused!(server, "external_asset", POST "runs", ask("key:airports"));
    refused!(server, "bad_partition", POST "runs", keys("daily", "2024-13-01"));
    refused!(server, "partition_missing", POST "runs", ask("daily"));
    refused!(server, "partition_unused", POST "runs", keys("report", "2026-01-01"));
    refused!(server, "reserved", POST "runs", json!({"selection": "report", "run_key": "rerun:x"}));
    refused!(server, "bad_config", POST "runs",
        json!({"selection": "raw/flights", "config": {"ops": {"raw__flights": {"config": {"rows": "many"}}}}}));
    server
        .run(json!({"selection": "report", "run_key": "nightly"}))
        .await;
    refused!(server, "run_key_conflict", POST "runs", json!({"selection": "raw/flights", "run_key": "nightly"}));
    let keyed = |selection: &str| {
        server
            .request(Method::POST, "runs")
            .header("idempotency-key", "k1")
            .json(&ask(selection))
    };
    send(keyed("report")).await;
    insta::assert_json_snapshot!("idempotency_conflict", body(keyed("raw/flights")).await);
    server.stop().await;
}

#[tokio::test]
async fn things_that_are_not_there() {
    let server = Server::with_flights().await;
    let run = server.run(json!({"selection": "report"})).await;
    refused!(server, "unknown_run", GET "runs/run_01JD5Z6Q8G7V9K3W2M4N5P6R7S");
    refused!(server, "unknown_task", GET format!("runs/{run}/tasks/7"));
    refused!(server, "unknown_attempt", GET format!("runs/{run}/tasks/0/attempts/1/logs/stdout"));
    refused!(server, "unknown_stream", GET format!("runs/{run}/tasks/0/attempts/1/logs/stdin"));
    refused!(server, "unknown_asset", GET "assets/repord");
    refused!(server, "not_partitioned", GET "assets/report/partitions");
    refused!(server, "unknown_host", POST "worker/hosts/host_01JD5Z6Q8G7V9K3W2M4N5P6R7S/heartbeat", json!({}));
    server.stop().await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_said_and_may_be_tried_again() {
    let (world, faults) = World::faulty();
    // Nobody else reads the store meanwhile.
    let world = world.with(|settings| settings.follow_ms = 3_600_000);
    let server = Server::in_world(world, Setup::default()).await;
    arco_testkit::world::deploy(&server.engine, &crate::server::flights()).await;
    let run = server.run(json!({"selection": "report"})).await;
    let mut host = crate::host::FakeHost::register(&server, &crate::server::flights().json()).await;
    host.exchange(&server, json!([]), 1).await;
    // A read is tried four times.
    for _ in 0..4 {
        faults.script(store::Op::Get, store::Fault::ErrorBefore);
    }
    let reply = server
        .get(&format!("runs/{run}/tasks/0/attempts/1/logs/stdout"))
        .await;
    assert_eq!(reply.code(), (503, "store_unavailable".into()));
    assert_eq!(reply.header("retry-after"), "1");
    let again = server
        .get(&format!("runs/{run}/tasks/0/attempts/1/logs/stdout"))
        .await;
    assert_eq!(again.status, 200);
    server.stop().await;
}
