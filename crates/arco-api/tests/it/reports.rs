//! Facts reported from outside of runs, observations, and checks judged alone.

use arco_testkit::{asset, check};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::host::FakeHost;
use crate::server::{Reply, Server, flights, send};

async fn report(server: &Server, path: &str, body: Value, key: &str) -> Reply {
    let request = server.request(Method::POST, path).json(&body);
    send(request.header("idempotency-key", key)).await
}

#[tokio::test]
async fn a_reported_materialization_counts_like_one_of_a_run() {
    let server = Server::start().await;
    FakeHost::register(&server, &flights().json()).await;
    let body = json!({"partition": "2026-01-01", "data_version": "v7", "tags": {"by": "hand"},
        "metadata": {"rows": {"type": "int", "value": 3}}});
    let made = report(
        &server,
        "assets/daily/materializations",
        body.clone(),
        "one",
    )
    .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.value()["created"], true);

    let again = report(
        &server,
        "assets/daily/materializations",
        body.clone(),
        "one",
    )
    .await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.value()["created"], false);
    assert_eq!(again.value()["position"], made.value()["position"]);
    let other = report(
        &server,
        "assets/daily/materializations",
        json!({"partition": "2026-01-02"}),
        "one",
    )
    .await;
    assert_eq!(
        other.value()["code"],
        "idempotency_conflict",
        "{}",
        other.text
    );

    let rows = server.all("assets/daily/materializations", 10).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["data_version"], "v7");
    assert_eq!(rows[0]["tags"]["by"], "hand");
    assert_eq!(rows[0]["metadata"]["rows"]["value"], 3);
    assert_eq!(rows[0].get("run"), None, "no run made it");
    let days = server.get("assets/daily/partitions?limit=1000").await.ok();
    let days = days["items"].as_array().expect("rows");
    let of = |key: &str| {
        days.iter()
            .find(|row| row["key"] == key)
            .map(|row| row["status"].clone())
    };
    assert_eq!(of("2026-01-01"), Some(json!("materialized")));
    assert_eq!(of("2026-01-02"), Some(json!("never_materialized")));
    let events = server.get("events?kind=asset.materialized").await.ok();
    assert_eq!(
        events["events"]
            .as_array()
            .or(events["items"].as_array())
            .map(Vec::len),
        Some(1),
        "{events}"
    );
    server.stop().await;
}

#[tokio::test]
async fn observations_and_checks_are_reported_and_shown() {
    let server = Server::start().await;
    let manifest = flights().check(check("report", "fresh").blocking());
    FakeHost::register(&server, &manifest.json()).await;
    let body = json!({"data_version": "etag-1", "description": "as seen", "metadata": {}});
    let seen = report(&server, "assets/airports/observations", body, "a").await;
    assert_eq!(seen.status, StatusCode::CREATED, "{}", seen.text);
    let rows = server.all("assets/airports/observations", 10).await;
    assert_eq!(rows[0]["data_version"], "etag-1");
    let shown = server.get("assets/airports").await.ok();
    assert_eq!(shown["observations"], 1);
    assert_eq!(shown["latest_observation"]["description"], "as seen");
    assert_eq!(shown["materializations"], 0);

    let body = json!({"check": "fresh", "passed": false, "severity": "WARN"});
    let judged = report(&server, "assets/report/checks", body, "b").await;
    assert_eq!(judged.status, StatusCode::CREATED, "{}", judged.text);
    let checks = server.get("assets/report/checks").await.ok();
    let latest = &checks["items"][0]["latest"];
    assert_eq!(
        (&latest["passed"], &latest["severity"]),
        (&json!(false), &json!("WARN"))
    );
    server.stop().await;
}

#[tokio::test]
async fn reports_of_what_is_not_there_are_refused_and_change_nothing() {
    let server = Server::start().await;
    FakeHost::register(&server, &flights().json()).await;
    let before = server.get("status").await.ok()["position"].clone();
    let rows = [
        (
            "assets/dialy/materializations",
            json!({}),
            "unknown_asset",
            "did you mean `daily`?",
        ),
        (
            "assets/daily/materializations",
            json!({}),
            "partition_missing",
            "no partition was given",
        ),
        (
            "assets/daily/materializations",
            json!({"partition": "x"}),
            "bad_partition",
            "daily partitions look like",
        ),
        (
            "assets/daily/materializations",
            json!({"partition": "1999-01-01"}),
            "bad_partition",
            "1999-01-01",
        ),
        (
            "assets/report/materializations",
            json!({"partition": "x"}),
            "partition_unused",
            "leave the partition out",
        ),
        (
            "assets/report/checks",
            json!({"check": "fresh", "passed": true}),
            "unknown_check",
            "lists its checks",
        ),
        (
            "assets/report/observations",
            json!({"data_version": ""}),
            "invalid_body",
            "has 0 characters",
        ),
        (
            "assets/report/observations",
            json!({"colour": 1}),
            "invalid_body",
            "colour",
        ),
    ];
    for (path, body, code, text) in rows {
        let refused = report(&server, path, body.clone(), &format!("{path}{body}")).await;
        assert_eq!(
            refused.value()["code"],
            code,
            "{path} {body}: {}",
            refused.text
        );
        assert!(
            refused.text.contains(text),
            "{path} {body}: {}",
            refused.text
        );
    }
    assert_eq!(server.get("status").await.ok()["position"], before);
    server.stop().await;
}

#[tokio::test]
async fn a_run_of_an_observable_source_observes_it_and_its_readers_know_the_version() {
    let server = Server::start().await;
    let mut manifest = flights()
        .asset(asset("source").step_with("kind", json!("observe")))
        .asset(asset("reader").needs("source"))
        .json();
    let steps = manifest["steps"].as_array_mut().expect("steps");
    let step = steps
        .iter_mut()
        .find(|step| step["name"] == "source")
        .expect("its step");
    step["kind"] = json!("observe");
    let mut host = FakeHost::register(&server, &manifest).await;
    let shown = server.get("assets/source").await.ok();
    assert_eq!(
        (&shown["external"], &shown["observable"]),
        (&json!(true), &json!(true))
    );

    let run = server.run(json!({"selection": ["source", "reader"]})).await;
    let leases = host.exchange(&server, json!([]), 10).await.leases;
    assert_eq!(leases.len(), 1, "the reader waits for the look");
    let attempt = leases[0].attempt.to_string();
    host.live.clear();
    let said = json!([
        {"attempt": attempt, "fact": "observed", "asset": "source", "data_version": "v3"},
        {"attempt": attempt, "fact": "finished", "outcome": {"status": "succeeded"}},
    ]);
    let leases = host.exchange(&server, said, 10).await.leases;
    let attempt = leases[0].attempt.to_string();
    host.live.clear();
    let said = json!([
        {"attempt": attempt, "fact": "materialized", "asset": "reader"},
        {"attempt": attempt, "fact": "finished", "outcome": {"status": "succeeded"}},
    ]);
    host.exchange(&server, said, 0).await;
    let run = server.get(&format!("runs/{run}")).await.ok();
    assert_eq!(
        (&run["status"], &run["observations"]),
        (&json!("success"), &json!(1))
    );
    let made = server.all("assets/reader/materializations", 10).await;
    assert_eq!(made[0]["inputs"][0]["data_version"], "v3");
    let source = server.get("assets/source").await.ok();
    assert_eq!(source["materializations"], 0);
    // `*` is what is made here.
    let plan = server
        .post(
            "plan",
            &json!({"selection": "*", "partitions": {"keys": ["2026-01-01"]}}),
        )
        .await
        .ok();
    let steps: Vec<&str> = plan["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(|s| s["step"].as_str())
        .collect();
    assert!(
        !steps.contains(&"source") && steps.contains(&"reader"),
        "{steps:?}"
    );
    server.stop().await;
}

#[tokio::test]
async fn checks_are_judged_alone_by_a_run() {
    let server = Server::start().await;
    let manifest = flights()
        .check(check("report", "fresh"))
        .check(check("report", "big"));
    let mut host = FakeHost::register(&server, &manifest.json()).await;
    let run = server.run(json!({"checks": ["report:fresh"]})).await;
    let leases = host.exchange(&server, json!([]), 10).await.leases;
    let steps: Vec<&str> = leases.iter().map(|lease| lease.step.as_str()).collect();
    assert_eq!(steps, ["report__fresh"]);
    let shown = server.get(&format!("runs/{run}")).await.ok();
    assert_eq!(shown["asset_checks"], json!(["report:fresh"]));
    assert_eq!(shown["assets"], json!([]));
    let without = server
        .post("plan", &json!({"selection": "report", "checks": []}))
        .await
        .ok();
    assert_eq!(without["task_count"], 1);
    let all = server
        .post("plan", &json!({"checks": ["report"]}))
        .await
        .ok();
    assert_eq!(all["task_count"], 2);
    let inside = server
        .post("runs", &json!({"checks": ["raw/flights:not_empty"]}))
        .await;
    assert_eq!(
        inside.value()["code"],
        "check_within_step",
        "{}",
        inside.text
    );
    // Which checks are asked for is part of what is asked.
    let first = server
        .post("runs", &json!({"checks": ["report"], "run_key": "k"}))
        .await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let other = server
        .post("runs", &json!({"checks": ["report:big"], "run_key": "k"}))
        .await;
    assert_eq!(other.value()["code"], "run_key_conflict");
    assert!(
        other.text.contains("they differ in checks"),
        "{}",
        other.text
    );
    server.stop().await;
}

#[tokio::test]
async fn a_deploy_says_what_it_changes_and_a_bad_one_changes_nothing() {
    let server = Server::start().await;
    let manifest = flights();
    let path = "definitions/flights";
    let dry = server
        .post(path, &json!({"manifest": manifest.json(), "dry_run": true}))
        .await
        .ok();
    assert_eq!(
        (&dry["deployed"], &dry["assets"]["added_count"]),
        (&json!(false), &json!(4))
    );
    assert!(
        server.get("definitions").await.ok()["locations"]
            .as_array()
            .expect("a list")
            .is_empty()
    );
    let first = server
        .post(path, &json!({"manifest": manifest.json()}))
        .await
        .ok();
    assert_eq!(first["deployed"], true);
    let same = server
        .post(path, &json!({"manifest": manifest.json()}))
        .await
        .ok();
    assert_eq!(same["deployed"], false);

    let more = flights().asset(asset("extra"));
    let second = server
        .post(path, &json!({"manifest": more.json()}))
        .await
        .ok();
    assert_eq!(second["assets"]["added"], json!(["extra"]));
    assert_eq!(second["previous"], first["version"]);
    let mut bad = more.json();
    bad["jobs"] = json!([{"name": "j", "selection": ["nope"]}]);
    let refused = server.post(path, &json!({"manifest": bad})).await;
    assert_eq!(refused.value()["code"], "bad_definitions");
    let shown = server.get("definitions").await.ok();
    assert_eq!(shown["locations"][0]["version"], second["version"]);
    let elsewhere = server
        .post("definitions/other", &json!({"manifest": more.json()}))
        .await;
    assert_eq!(
        elsewhere.value()["code"],
        "bad_definitions",
        "{}",
        elsewhere.text
    );
    server.stop().await;
}
