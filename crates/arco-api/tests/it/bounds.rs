//! Sizes are bounded, and the server says by how much.

use reqwest::Method;
use serde_json::{Value, json};

use crate::host::FakeHost;
use crate::server::{Server, flights, send};

async fn code(server: &Server, body: &Value) -> (u16, String) {
    server.post("runs", body).await.code()
}

#[tokio::test]
async fn a_body_over_its_bound_is_refused() {
    let server = Server::with_flights().await;
    let big = json!({"selection": "x".repeat(1024 * 1024)});
    assert_eq!(code(&server, &big).await, (413, "body_too_large".into()));
    let host = FakeHost::register(&server, &flights().json()).await;
    let path = host.path("exchange");
    let padding = "x".repeat(4 * 1024 * 1024);
    let reply = host
        .call(&server, &path, &json!({"seq": 1, "pad": padding}))
        .await;
    assert_eq!(reply.code(), (413, "body_too_large".into()));
    assert!(reply.problem().detail.contains("4194304"), "{}", reply.text);
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_hides_its_length_is_counted() {
    let server = Server::with_flights().await;
    let chunk = bytes::Bytes::from(vec![b' '; 64 * 1024]);
    let chunks =
        futures::stream::iter((0..17).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    let request = server
        .request(Method::POST, "runs")
        .header("content-type", "application/json")
        .body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(send(request).await.code(), (413, "body_too_large".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_manifest_may_be_large() {
    let server = Server::start().await;
    let mut manifest = flights().json();
    manifest["assets"][0]["description"] = json!("x".repeat(3 * 1024 * 1024));
    FakeHost::register(&server, &manifest).await;
    server.stop().await;
}

#[tokio::test]
async fn fields_over_their_bound_are_refused_by_name() {
    let server = Server::with_flights().await;
    let tags: serde_json::Map<String, Value> =
        (0..101).map(|n| (format!("t{n}"), json!("v"))).collect();
    for (body, names) in [
        (json!({"selection": []}), "`selection`"),
        (
            json!({"selection": "raw/flights", "run_key": "x".repeat(513)}),
            "`run_key`",
        ),
        (
            json!({"selection": "raw/flights", "run_key": ""}),
            "`run_key`",
        ),
        (json!({"selection": "raw/flights", "tags": tags}), "`tags`"),
        (
            json!({"selection": "raw/flights", "tags": {"t": "x".repeat(4_097)}}),
            "`t`",
        ),
        (
            json!({"selection": "daily", "partitions": {"keys": []}}),
            "`partitions.keys`",
        ),
        (
            json!({"selection": "raw/flights", "priority": "high"}),
            "`priority`",
        ),
        (
            json!({"selection": "raw/flights", "partition": "x"}),
            "`partition`",
        ),
        (json!({}), "`selection`"),
    ] {
        let reply = server.post("runs", &body).await;
        assert_eq!(reply.code(), (422, "invalid_body".into()), "{body}");
        assert!(
            reply.problem().detail.contains(names),
            "{} {}",
            names,
            reply.text
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn keys_of_tags_have_a_form_wherever_they_are_given() {
    let server = Server::with_flights().await;
    let tags = json!({"for whom": "sales"});
    for (path, body) in [
        ("runs", json!({"selection": "raw/flights", "tags": tags})),
        (
            "runs/run_00000000010000000000000007/rerun",
            json!({"tags": tags}),
        ),
    ] {
        let reply = server.post(path, &body).await;
        assert_eq!(reply.code(), (422, "bad_tag".into()), "{path}");
        let detail = reply.problem().detail;
        assert!(detail.contains("`for whom` is no key of a tag"), "{detail}");
    }
    server.stop().await;
}

#[tokio::test]
async fn limits_of_pages_are_bounded() {
    let server = Server::with_flights().await;
    for path in [
        "runs?limit=0",
        "runs?limit=1001",
        "assets?limit=x",
        "events?limit=1001",
        "runs?limt=5",
        "runs?status=done",
    ] {
        assert_eq!(
            server.get(path).await.code(),
            (400, "invalid_query".into()),
            "{path}"
        );
    }
    let detail = server.get("assets?limit=x").await.value()["detail"].clone();
    assert_eq!(
        detail,
        "the query cannot be read: limit: a whole number is wanted"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_big_payload_is_left_out_and_its_size_said() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    let metadata = json!({"text": {"type": "text", "value": "x".repeat(300 * 1024)}});
    let fact = json!({"attempt": lease.attempt, "fact": "materialized", "asset": "raw/flights", "metadata": metadata});
    host.exchange(&server, json!([fact]), 0).await;
    let page = server.get("events?kind=asset.").await.ok();
    let event = &page["items"][0];
    assert!(event.get("payload").is_none());
    assert!(
        event["payload_bytes"]
            .as_u64()
            .is_some_and(|n| n > 300 * 1024),
        "{event}"
    );
    server.stop().await;
}
