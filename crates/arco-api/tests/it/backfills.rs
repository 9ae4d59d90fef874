//! Backfills over HTTP: what is refused, and what may be left out.

use arco_testkit::{ManifestBuilder, asset};
use reqwest::Method;
use serde_json::json;

use crate::server::{Server, send};

async fn over_keys() -> Server {
    let server = Server::start().await;
    let manifest = ManifestBuilder::new("loc").asset(asset("a").partitions(&["x", "y"]));
    arco_testkit::world::deploy(&server.engine, &manifest).await;
    server
}

#[tokio::test]
async fn a_filter_that_says_nothing_is_no_way_to_ask_for_everything() {
    let server = over_keys().await;
    for filter in [json!({}), json!({"keys": [], "statuses": []})] {
        let body = json!({"selection": "a", "partitions": {"filter": filter}});
        for path in ["backfills", "backfills/plan"] {
            let refused = server.post(path, &body).await;
            assert_eq!(
                refused.code(),
                (422, "invalid_body".into()),
                "{path} {filter}"
            );
            let detail = refused.problem().detail;
            assert!(detail.contains(r#""partitions": "all""#), "{detail}");
        }
    }
    assert!(server.all("backfills", 5).await.is_empty());
    let body = json!({"selection": "a", "partitions": {"filter": {"statuses": ["missing"]}}});
    let plan = server.post("backfills/plan", &body).await.ok();
    assert_eq!(plan["partitions"], 2);
    server.stop().await;
}

#[tokio::test]
async fn steering_needs_no_body() {
    let server = over_keys().await;
    let body = json!({"selection": "a", "partitions": "all"});
    let made = server.post("backfills", &body).await.value();
    let id = made["backfill"]["id"].as_str().expect("an id");
    for (verb, statuses) in [
        ("pause", ["paused", "paused"]),
        ("resume", ["pending", "running"]),
        ("cancel", ["canceling", "canceled"]),
    ] {
        let path = format!("backfills/{id}/{verb}");
        for type_given in [true, false] {
            let mut request = server.request(Method::POST, &path);
            if type_given {
                request = request.header("content-type", "application/json");
            }
            let steered = send(request).await.ok();
            let status = steered["backfill"]["status"].as_str().expect("a word");
            assert!(statuses.contains(&status), "{verb}: {status}");
        }
        // What is sent is read, and only as JSON.
        let text = server.request(Method::POST, &path).body("{}");
        assert_eq!(send(text).await.code().0, 415, "{verb}");
        let bad = server.post(&path, &json!({"state_versoin": 1})).await;
        assert_eq!(bad.code().1, "invalid_body", "{verb}");
    }
    server.stop().await;
}
