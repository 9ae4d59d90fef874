//! Jobs, as a client and a worker host see them.

use arco_testkit::asset;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::host::FakeHost;
use crate::server::{Server, flights};

/// The flights with jobs.
fn manifest() -> Value {
    let mut manifest = flights().json();
    manifest["jobs"] = json!([
        {"name": "nightly", "selection": ["key:\"raw/flights\"+"], "tags": {"team": "core", "size": "big"},
            "description": "Every night.\nAll of it.",
            "config": {"ops": {"raw__flights": {"config": {"rows": 7}}}}},
        {"name": "nothing", "selection": ["group:\"none\""]},
        {"name": "raw", "selection": ["raw/flights"], "run_tags": {"only": "runs"}, "tags": {"not": "runs"},
            "owners": ["team:core"], "retry": {"max_retries": 2}},
    ]);
    manifest
}

async fn names(server: &Server, path: &str) -> Vec<String> {
    let items = server.all(path, 2).await;
    let name = |item: &Value| item["name"].as_str().expect("a name").to_owned();
    items.iter().map(name).collect()
}

#[tokio::test]
async fn jobs_are_listed_and_shown() {
    let server = Server::start().await;
    FakeHost::register(&server, &manifest()).await;
    assert_eq!(names(&server, "jobs").await, ["nightly", "nothing", "raw"]);
    assert_eq!(names(&server, "jobs?location=elsewhere").await, [""; 0]);
    let shown = server.get("jobs/nightly").await.ok();
    assert_eq!(shown["summary"], "Every night.");
    assert_eq!(shown["description"], "Every night.\nAll of it.");
    assert_eq!(
        shown["asset_count"],
        shown["assets"].as_array().expect("a list").len()
    );
    assert_eq!(shown["partition_example"], "2025-12-01");
    assert_eq!(shown["run_tags"]["team"], "core");
    assert_eq!(shown["config"]["ops"]["raw__flights"]["config"]["rows"], 7);
    let raw = server.get("jobs/raw").await.ok();
    assert_eq!(raw["assets"], json!(["raw/flights"]));
    assert_eq!(raw["run_tags"], json!({"only": "runs"}));
    assert_eq!(raw["retry"]["max_retries"], 2);
    let implicit = server.get("jobs/__ASSET_JOB").await.ok();
    assert_eq!(implicit["selection"], json!(["*"]));
    let missing = server.get("jobs/nigthly").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.value()["code"], "unknown_job");
    assert!(
        missing.text.contains("did you mean `nightly`?"),
        "{}",
        missing.text
    );
    server.stop().await;
}

#[tokio::test]
async fn a_run_of_a_job_has_its_assets_configuration_and_tags_and_knows_it() {
    let server = Server::start().await;
    FakeHost::register(&server, &manifest()).await;
    let of_job = server
        .run(json!({"job": "nightly", "partitions": {"keys": ["2026-01-01"]}, "tags": {"size": "small"}}))
        .await;
    let run = server.get(&format!("runs/{of_job}")).await.ok();
    assert_eq!(
        run["job"],
        json!({"location": run["job"]["location"], "name": "nightly"})
    );
    assert_eq!(run["tags"], json!({"team": "core", "size": "small"}));
    assert_eq!(run["config"]["ops"]["raw__flights"]["config"]["rows"], 7);
    assert_eq!(run.get("selection"), None);

    let config = json!({"ops": {}});
    let narrowed = server
        .run(json!({"job": "nightly", "selection": "raw/flights", "config": config}))
        .await;
    let run = server.get(&format!("runs/{narrowed}")).await.ok();
    assert_eq!(run["assets"], json!(["raw/flights"]));
    assert_eq!(run["config"], config);

    let by_hand = server.run(json!({"selection": "raw/flights"})).await;
    let of = |rows: Vec<Value>| -> Vec<String> {
        rows.iter()
            .map(|row| row["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let mut of_nightly = of(server.all("runs?job=nightly", 1).await);
    of_nightly.sort();
    let mut expected = vec![of_job.clone(), narrowed];
    expected.sort();
    assert_eq!(of_nightly, expected);
    assert_eq!(of(server.all("runs?job=__ASSET_JOB", 10).await), [by_hand]);
    assert_eq!(
        of(server
            .all("runs?job=nightly&job_location=elsewhere", 10)
            .await),
        [""; 0]
    );

    // A rerun is of the same job.
    let cancelled = server
        .post(&format!("runs/{of_job}/cancel"), &json!({}))
        .await;
    assert!(cancelled.status.is_success(), "{}", cancelled.text);
    let again = server
        .post(&format!("runs/{of_job}/rerun"), &json!({}))
        .await
        .value();
    assert_eq!(again["run"]["job"]["name"], "nightly", "{again}");
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_run_of_a_job_is_refused_with_the_mend() {
    let server = Server::start().await;
    FakeHost::register(&server, &manifest()).await;
    let other = arco_testkit::ManifestBuilder::new("other").asset(asset("x"));
    let mut other = other.json();
    other["jobs"] = json!([{"name": "raw", "selection": ["*"]}]);
    FakeHost::register(&server, &other).await;
    let rows = [
        (json!({"job": "nigthly"}), 422, "unknown_job"),
        (json!({"job": "raw"}), 422, "ambiguous_job"),
        (json!({"job": "nothing"}), 422, "empty_selection"),
        (
            json!({"job": "nightly", "selection": "x"}),
            422,
            "not_of_job",
        ),
        (json!({"job": "nightly"}), 422, "partition_missing"),
        (json!({"job_location": "other"}), 422, "invalid_body"),
        (json!({}), 422, "invalid_body"),
    ];
    for (body, status, code) in rows {
        let reply = server.post("runs", &body).await;
        assert_eq!(reply.value()["code"], code, "{body}: {}", reply.text);
        assert_eq!(reply.status.as_u16(), status);
    }
    assert!(server.all("runs", 10).await.is_empty());
    let shown = server.get("jobs/raw").await;
    assert_eq!(shown.status, StatusCode::CONFLICT);
    let one = server.get("jobs/raw?location=other").await.ok();
    assert_eq!(one["assets"], json!(["x"]));
    let plan = server
        .post("plan", &json!({"job": "raw", "job_location": "other"}))
        .await
        .ok();
    assert_eq!(plan["task_count"], 1);
    server.stop().await;
}

#[tokio::test]
async fn jobs_that_cannot_stand_leave_the_old_definitions() {
    let server = Server::start().await;
    FakeHost::register(&server, &manifest()).await;
    let mut bad = manifest();
    bad["jobs"] = json!([{"name": "nightly", "selection": ["nope"]}]);
    let refused = FakeHost::new(&server).hello(&server, &bad).await;
    assert_eq!(refused.value()["code"], "bad_definitions");
    assert!(
        refused.text.contains("names asset `nope`"),
        "{}",
        refused.text
    );
    assert_eq!(names(&server, "jobs").await.len(), 3);
    server.stop().await;
}
