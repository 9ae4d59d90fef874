//! Sets of dynamic partitions, and assets over them.

use arco_testkit::{ManifestBuilder, asset};
use serde_json::json;

use crate::server::Server;

async fn over_people() -> Server {
    let server = Server::start().await;
    let dynamic = json!({"kind": "dynamic", "name": "people"});
    let manifest = ManifestBuilder::new("loc").asset(asset("letters").with("partitions", dynamic));
    arco_testkit::world::deploy(&server.engine, &manifest).await;
    server
}

#[tokio::test]
async fn keys_are_added_listed_and_removed() {
    let server = over_people().await;
    let added = server
        .post(
            "dynamic-partitions/people/add",
            &json!({"keys": ["bob", "ann", "bob"]}),
        )
        .await
        .ok();
    assert_eq!(
        added,
        json!({"name": "people", "keys": 2, "is_defined": true, "changed": 2})
    );
    let again = server
        .post(
            "dynamic-partitions/people/add",
            &json!({"keys": ["ann", "cid"]}),
        )
        .await
        .ok();
    assert_eq!(again["changed"], 1);
    for limit in [1, 2, 50] {
        let rows = server.all("dynamic-partitions/people", limit).await;
        assert_eq!(
            rows,
            [
                json!({"key": "bob"}),
                json!({"key": "ann"}),
                json!({"key": "cid"})
            ]
        );
    }
    let partitions = server.all("assets/letters/partitions", 2).await;
    let keys: Vec<_> = partitions.iter().map(|row| &row["key"]).collect();
    assert_eq!(keys, ["bob", "ann", "cid"]);
    let removed = server
        .post(
            "dynamic-partitions/people/remove",
            &json!({"keys": ["bob"]}),
        )
        .await
        .ok();
    assert_eq!(
        removed,
        json!({"name": "people", "keys": 2, "is_defined": true, "changed": 1})
    );
    let letters = server.get("assets/letters").await.ok();
    assert_eq!(letters["partitions"]["shape"], "dynamic");
    assert_eq!(letters["partitions"]["counts"]["total"], 2);
    let sets = server.all("dynamic-partitions", 1).await;
    assert_eq!(
        sets,
        [json!({"name": "people", "keys": 2, "is_defined": true})]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_key_that_is_none_changes_nothing() {
    let server = over_people().await;
    for (body, code) in [
        (json!({"keys": ["ann", "a...b"]}), "bad_partition"),
        (json!({"keys": [""]}), "invalid_body"),
        (json!({"keys": []}), "invalid_body"),
        (json!({"key": "ann"}), "invalid_body"),
    ] {
        let refused = server.post("dynamic-partitions/people/add", &body).await;
        assert_eq!(refused.code().1, code, "{body}");
    }
    assert!(server.all("dynamic-partitions/people", 10).await.is_empty());
    let run = server
        .post(
            "runs",
            &json!({"selection": "letters", "partitions": {"keys": ["ann"]}}),
        )
        .await;
    assert_eq!(run.code(), (422, "bad_partition".into()));
    assert!(
        run.problem()
            .detail
            .contains("`arco partitions add people KEY` adds one")
    );
    server.stop().await;
}

#[tokio::test]
async fn sets_of_definitions_are_listed_before_they_have_keys() {
    let server = over_people().await;
    let people = json!({"name": "people", "keys": 0, "is_defined": true});
    assert_eq!(
        server.all("dynamic-partitions", 5).await,
        std::slice::from_ref(&people)
    );
    for name in ["poeple", "aunts"] {
        let path = format!("dynamic-partitions/{name}/add");
        let added = server.post(&path, &json!({"keys": ["ann"]})).await.ok();
        assert_eq!(added["is_defined"], false, "{added}");
    }
    for limit in [1, 2, 5] {
        assert_eq!(
            server.all("dynamic-partitions", limit).await,
            [
                json!({"name": "aunts", "keys": 1, "is_defined": false}),
                people.clone(),
                json!({"name": "poeple", "keys": 1, "is_defined": false}),
            ]
        );
    }
    server.stop().await;
}
