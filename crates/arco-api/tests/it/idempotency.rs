//! Repeats: idempotency keys and run keys.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Reply, Server, send};

async fn ask(server: &Server, key: &str, body: &Value) -> Reply {
    send(
        server
            .request(Method::POST, "runs")
            .header("idempotency-key", key)
            .json(body),
    )
    .await
}

#[tokio::test]
async fn the_same_key_and_body_is_the_same_run() {
    let server = Server::with_flights().await;
    let body = json!({"selection": "raw/flights"});
    let first = ask(&server, "k1", &body).await;
    let again = ask(&server, "k1", &body).await;
    assert_eq!(
        (first.status, again.status),
        (StatusCode::CREATED, StatusCode::OK)
    );
    assert_eq!(first.value()["run"]["id"], again.value()["run"]["id"]);
    assert_eq!(again.value()["created"], false);
    assert_eq!(server.all("runs", 10).await.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn at_once_makes_one_run() {
    let server = Server::with_flights().await;
    let body = json!({"selection": "raw/flights"});
    let calls = (0..20).map(|_| ask(&server, "k1", &body));
    let replies = futures::future::join_all(calls).await;
    let made = replies
        .iter()
        .filter(|reply| reply.status == StatusCode::CREATED)
        .count();
    assert_eq!(made, 1);
    assert_eq!(server.all("runs", 10).await.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn another_body_under_the_key_is_refused_with_both_fingerprints() {
    let server = Server::with_flights().await;
    let first = ask(&server, "k1", &json!({"selection": "raw/flights"})).await;
    let run = first.value()["run"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let known = server.get(&format!("runs/{run}")).await.ok()["fingerprint"].clone();
    let other = ask(&server, "k1", &json!({"selection": "report"})).await;
    assert_eq!(other.code(), (422, "idempotency_conflict".into()));
    let detail = other.problem().detail;
    assert!(detail.contains(known.as_str().expect("text")), "{detail}");
    let digests = detail
        .split(|c: char| !c.is_ascii_hexdigit())
        .filter(|word| word.len() == 64);
    assert_eq!(digests.count(), 2, "{detail}");
    server.stop().await;
}

#[tokio::test]
async fn another_request_under_a_run_key_conflicts_and_names_the_run() {
    let server = Server::with_flights().await;
    let run = server
        .run(json!({"selection": "raw/flights", "run_key": "nightly"}))
        .await;
    let same = server
        .post(
            "runs",
            &json!({"selection": "raw/flights", "run_key": "nightly"}),
        )
        .await
        .ok();
    assert_eq!(same["run"]["id"], json!(run));
    let other = server
        .post(
            "runs",
            &json!({"selection": "report", "run_key": "nightly"}),
        )
        .await;
    assert_eq!(other.code(), (409, "run_key_conflict".into()));
    assert!(other.problem().detail.contains(&run));
    let found = server.get("runs?run_key=nightly").await.ok();
    assert_eq!(found["items"][0]["id"], json!(run));
    assert_eq!(server.all("runs?run_key=weekly", 5).await.len(), 0);
    server.stop().await;
}
