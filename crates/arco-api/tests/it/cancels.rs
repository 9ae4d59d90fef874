//! Runs that are stopped, one by one and many at once, as operators do it.

use arco_testkit::{ManifestBuilder, asset};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::host::{FakeHost, failure, finished, success};
use crate::server::{Server, send};

fn manifest() -> Value {
    ManifestBuilder::new("sales")
        .asset(asset("a").retries(3, 600_000))
        .asset(asset("b").needs("a"))
        .asset(asset("d").step_with("pool", json!("db")))
        .json()
}

async fn status(server: &Server, run: &str) -> String {
    let run = server.get(&format!("runs/{run}")).await.ok();
    run["status"].as_str().expect("a status").to_owned()
}

/// Runs in each state, by name, and the attempts that are alive.
async fn in_each_state(server: &Server, host: &mut FakeHost) -> Vec<(&'static str, String)> {
    let limits = json!({"pools": {"db": {"limit": 1, "granularity": "run"}}});
    let set = send(server.request(Method::PUT, "limits").json(&limits)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text);
    let ask = async |selection: &str, team: &str| {
        server
            .run(json!({"selection": selection, "tags": {"team": team}}))
            .await
    };
    let started = ask("d", "x").await;
    let held = host.exchange(server, json!([]), 1).await.leases.remove(0);
    let begun = json!([{"attempt": held.attempt, "fact": "started"}]);
    host.exchange(server, begun, 0).await;
    let waits = ask("d", "x").await;
    let leased = ask("a", "x").await;
    host.exchange(server, json!([]), 1).await;
    let retrying = ask("key:a or key:b", "x").await;
    let fails = host.exchange(server, json!([]), 1).await.leases.remove(0);
    host.live
        .retain(|attempt| *attempt != fails.attempt.to_string());
    host.exchange(server, failure(&fails).into(), 0).await;
    let over = ask("b", "y").await;
    let last = host.exchange(server, json!([]), 1).await.leases.remove(0);
    host.live
        .retain(|attempt| *attempt != last.attempt.to_string());
    host.exchange(server, success(&last).into(), 0).await;
    let queued = ask("a", "y").await;
    vec![
        ("started", started),
        ("waiting admission", waits),
        ("leased", leased),
        ("retrying", retrying),
        ("over", over),
        ("queued", queued),
    ]
}

#[tokio::test]
async fn cancel_in_each_state() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &manifest()).await;
    for (name, run) in in_each_state(&server, &mut host).await {
        let asked = server
            .post(&format!("runs/{run}/cancel"), &json!({}))
            .await
            .ok();
        let expected = match name {
            "started" | "leased" => "canceling",
            "over" => "success",
            _ => "canceled",
        };
        assert_eq!(asked["status"], expected, "{name}");
    }
    let told = host.exchange(&server, json!([]), 0).await.cancels;
    assert_eq!(told.len(), 2, "both attempts that are alive");
    let stopped: Value = told
        .iter()
        .map(|attempt| finished(&attempt.to_string(), json!({"status": "cancelled"})))
        .collect();
    host.live.clear();
    host.exchange(&server, stopped, 9).await;
    let runs = server.all("runs", 50).await;
    let over = |run: &Value| ["canceled", "success"].contains(&run["status"].as_str().unwrap());
    assert!(runs.iter().all(over), "{runs:?}");
    let leases = host.exchange(&server, json!([]), 9).await.leases;
    assert!(leases.is_empty(), "nothing is tried again");
    // Late: it was over, and stays so.
    let late = json!([finished(
        &told[0].to_string(),
        json!({"status": "succeeded"})
    )]);
    let answer = host.exchange(&server, late, 0).await;
    assert_eq!(answer.refused.len(), 1);
    let run = told[0].run.to_string();
    assert_eq!(status(&server, &run).await, "canceled");
    let task = server.get(&format!("runs/{run}/tasks/0")).await.ok();
    assert_eq!(task["tries"][0]["late"], json!(["succeeded"]));
    server.stop().await;
}

#[tokio::test]
async fn a_group_is_found_by_what_its_runs_have_in_common() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &manifest()).await;
    let runs = in_each_state(&server, &mut host).await;
    let id = |name: &str| {
        let found = runs.iter().find(|(of, _)| *of == name);
        json!(found.expect("a case").1)
    };
    let cancel = async |body: Value| server.post("runs/cancel", &body).await;

    let dry = json!({"matching": {"tags": ["team=x"]}, "dry_run": true});
    let seen = cancel(dry).await.ok();
    let all_of_x = json!([
        id("started"),
        id("waiting admission"),
        id("leased"),
        id("retrying")
    ]);
    assert_eq!(
        (&seen["asked"], &seen["dry_run"]),
        (&all_of_x, &json!(true))
    );
    assert_eq!(
        status(&server, id("waiting admission").as_str().unwrap()).await,
        "queued"
    );

    let queued = json!({"matching": {"tags": ["team", "team=x"], "status": "queued"}});
    let asked = cancel(queued.clone()).await.ok();
    assert_eq!(asked["asked"], json!([id("waiting admission")]));
    assert_eq!(asked["dry_run"], Value::Null);
    assert_eq!(
        cancel(queued).await.ok()["asked"],
        json!([]),
        "again is no error"
    );

    let named = json!({"runs": [id("over"), id("leased"), id("leased")]});
    let asked = cancel(named).await.ok();
    assert_eq!(asked["asked"], json!([id("leased")]));
    assert_eq!(
        (&asked["over"], &asked["canceling"]),
        (&json!(1), &json!(0))
    );

    let everything = cancel(json!({"matching": {}})).await.ok();
    assert_eq!(
        everything["asked"],
        json!([id("started"), id("retrying"), id("queued")])
    );
    assert_eq!(everything["canceling"], 1);
    let listed = server.all("runs?status=queued,started", 50).await;
    assert!(listed.is_empty(), "{listed:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_group_that_makes_no_sense_is_refused_and_stops_nothing() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &manifest()).await;
    let runs = in_each_state(&server, &mut host).await;
    let nobody = arco_core::RunId::from_parts(1, 1);
    for (body, expected) in [
        (json!({}), (422, "invalid_body")),
        (json!({"runs": []}), (422, "invalid_body")),
        (
            json!({"runs": [runs[0].1], "matching": {}}),
            (422, "invalid_body"),
        ),
        (json!({"runs": [runs[0].1, nobody]}), (404, "unknown_run")),
        (
            json!({"matching": {"status": "success"}}),
            (422, "invalid_body"),
        ),
        (
            json!({"matching": {"statuses": "queued"}}),
            (422, "invalid_body"),
        ),
        (
            json!({"matching": {"status": "waiting"}}),
            (400, "invalid_query"),
        ),
        (json!({"matching": {"asset": ""}}), (400, "invalid_query")),
    ] {
        let (status, code) = server.post("runs/cancel", &body).await.code();
        assert_eq!((status, code.as_str()), expected, "{body}");
    }
    let kinds = server.get("events?kind=run.cancel_requested").await.ok();
    assert_eq!(kinds["items"], json!([]), "nothing was stopped");
    server.stop().await;
}
