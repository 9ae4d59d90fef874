//! Sensors and their evaluations, as a client sees them.

use std::time::Duration;

use arco_testkit::{ManifestBuilder, World, asset};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::host::FakeHost;
use crate::server::{Reply, Server, Setup, send};

pub(crate) fn manifest() -> ManifestBuilder {
    let sensor = |name: &str, extra: Value| {
        let mut sensor = json!({"name": name, "selection": ["a"], "default_status": "running"});
        for (key, value) in extra.as_object().expect("a mapping") {
            sensor[key] = value.clone();
        }
        sensor
    };
    ManifestBuilder::new("main")
        .asset(asset("a"))
        .sensor(sensor("orders", json!({"kind": "push", "description": "Orders."})))
        .sensor(sensor(
            "drop",
            json!({"kind": "poll", "minimum_interval_seconds": 45, "default_status": "stopped"}),
        ))
        .sensor(sensor("tables", json!({"kind": "asset", "assets": ["a", "raw/b"]})))
        .sensor(sensor(
            "failed",
            json!({"kind": "run_status", "statuses": ["failed"], "run_keys": {"policy": "until_success"}}),
        ))
}

/// A server and a host of its code.
async fn served() -> (Server, FakeHost) {
    let server = Server::start().await;
    let host = FakeHost::register(&server, &manifest().json()).await;
    (server, host)
}

/// Answers questions and takes others, waiting for some when there are no answers.
pub(crate) async fn evaluations(server: &Server, host: &FakeHost, answers: Value) -> Vec<Value> {
    let body = json!({"answers": answers, "want": 10, "wait_ms": 10_000});
    let reply = host.call(server, &host.path("evaluations"), &body).await;
    let questions = reply.ok()["questions"].take();
    questions.as_array().expect("questions").clone()
}

/// What user code says: these requests, and the whole queue is taken.
pub(crate) fn returned(question: &Value, requests: Value) -> Value {
    let taken = question["queue"].as_array().map_or(0, Vec::len);
    json!([{"id": question["id"], "said": "returned", "run_requests": requests, "taken": taken,
        "log": ["looked"], "took_ms": 3}])
}

/// What a path answers once it has so many rows.
async fn rows(server: &Server, path: &str, count: usize) -> Vec<Value> {
    for _ in 0..500 {
        let rows = server.all(path, 1_000).await;
        if rows.len() >= count {
            return rows;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{path} has no {count} rows");
}

/// Sends a message and has it evaluated.
async fn evaluated(server: &Server, host: &FakeHost, id: &str, answer: impl Fn(&Value) -> Value) {
    let path = format!("sensors/orders/messages?id={id}");
    let sent = server.post(&path, &json!({"order": id})).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{}", sent.text);
    let questions = evaluations(server, host, json!([])).await;
    assert_eq!(questions.len(), 1, "{questions:?}");
    let body = json!({"answers": answer(&questions[0]), "want": 0});
    host.call(server, &host.path("evaluations"), &body)
        .await
        .ok();
    let of = format!("sensors/orders/evaluations?message={id}");
    rows(server, &of, 1).await;
}

async fn put(server: &Server, path: &str, if_match: Option<&str>, body: &Value) -> Reply {
    let mut request = server.request(Method::PUT, path).json(body);
    if let Some(version) = if_match {
        request = request.header("if-match", version);
    }
    send(request).await
}

fn texts(rows: &[Value], field: &str) -> Vec<String> {
    let text = |row: &Value| row[field].as_str().expect("a text").to_owned();
    rows.iter().map(text).collect()
}

#[tokio::test]
async fn sensors_are_listed_filtered_and_shown() {
    let (server, _host) = served().await;
    let rows = server.all("sensors", 1).await;
    assert_eq!(texts(&rows, "name"), ["drop", "failed", "orders", "tables"]);
    let filtered = async |filter: &'static str| {
        texts(&server.all(&format!("sensors?{filter}"), 2).await, "name")
    };
    assert_eq!(filtered("status=stopped").await, ["drop"]);
    assert_eq!(filtered("kind=push,asset").await, ["orders", "tables"]);
    assert!(filtered("location=elsewhere").await.is_empty());
    let drop = server.get("sensors/drop").await.ok();
    assert_eq!(
        (
            &drop["kind"],
            &drop["minimum_interval_seconds"],
            &drop["status"]
        ),
        (&json!("poll"), &json!(45), &json!("stopped"))
    );
    assert_eq!(drop["run_keys"], json!({"policy": "once"}));
    assert!(drop.get("next").is_none() && drop.get("last_evaluation").is_none());
    let tables = server.get("sensors/tables").await.ok();
    assert_eq!(tables["assets"], json!(["a", "raw/b"]));
    let failed = server.get("sensors/failed").await.ok();
    assert_eq!(failed["run_statuses"], json!(["failed"]));
    assert_eq!(failed["run_keys"], json!({"policy": "until_success"}));
    for path in ["sensors/order", "sensors/order/evaluations"] {
        let missing = server.get(path).await;
        assert_eq!(missing.code(), (404, "unknown_sensor".into()), "{path}");
        assert!(
            missing.text.contains("did you mean `orders`?"),
            "{}",
            missing.text
        );
    }
    let unknown = server.get("sensors?kind=puhs").await;
    assert_eq!(unknown.code(), (400, "invalid_query".into()));
    server.stop().await;
}

#[tokio::test]
async fn an_operator_stands_over_the_code_and_sets_the_cursor() {
    let (server, _host) = served().await;
    let tell = async |verb: &str| {
        server
            .post(&format!("sensors/drop/{verb}"), &json!({}))
            .await
            .ok()
    };
    let started = tell("start").await;
    assert_eq!(
        (&started["status"], &started["set"]["status"]),
        (&json!("running"), &json!("running"))
    );
    assert!(started["next"].is_string());
    assert_eq!(tell("stop").await["status"], "stopped");
    let reset = tell("reset").await;
    assert!(reset.get("set").is_none());
    let seen = server.get("sensors/drop").await;
    let version = seen.header("etag").to_owned();
    assert_eq!(version, format!("\"{}\"", seen.ok()["state_version"]));
    let cursor = json!({"cursor": "2026-01-31"});
    let set = put(&server, "sensors/drop/cursor", Some(&version), &cursor).await;
    assert_eq!(set.ok()["cursor"], "2026-01-31");
    assert_ne!(set.header("etag"), version);
    let stale = put(
        &server,
        "sensors/drop/cursor",
        Some(&version),
        &json!({"cursor": "x"}),
    )
    .await;
    assert_eq!(stale.code(), (409, "sensor_moved".into()));
    let unread = put(&server, "sensors/drop/cursor", Some("\"new\""), &cursor).await;
    assert_eq!(unread.code(), (400, "invalid_header".into()));
    assert_eq!(
        server.get("sensors/drop").await.ok()["cursor"],
        "2026-01-31"
    );
    let cleared = put(&server, "sensors/drop/cursor", Some("*"), &json!({}))
        .await
        .ok();
    assert!(cleared.get("cursor").is_none());
    let missing = server.post("sensors/nobody/start", &json!({})).await;
    assert_eq!(missing.code(), (404, "unknown_sensor".into()));
    server.stop().await;
}

#[tokio::test]
async fn an_evaluation_leads_to_its_runs_and_a_run_to_its_evaluation() {
    let (server, host) = served().await;
    let keyed = |key: &'static str| {
        move |question: &Value| returned(question, json!([{"run_key": key, "answers": 0}]))
    };
    evaluated(&server, &host, "m1", keyed("k1")).await;
    evaluated(&server, &host, "m2", keyed("k1")).await;
    evaluated(&server, &host, "m3", |question| {
        json!([{"id": question["id"], "said": "raised",
            "error": {"type": "ValueError", "message": "no such order", "traceback": ""}}])
    })
    .await;
    let rows = server.all("sensors/orders/evaluations", 1).await;
    assert_eq!(
        rows.iter()
            .map(|row| row["number"].as_u64())
            .collect::<Vec<_>>(),
        [Some(3), Some(2), Some(1)]
    );
    assert_eq!(texts(&rows, "status"), ["failure", "skipped", "success"]);
    assert_eq!(rows[0]["error"]["message"], "no such order");
    assert_eq!(
        (&rows[0]["attempt"], rows[0].get("passed_over")),
        (&json!(1), None)
    );
    assert_eq!(rows[1]["kept"][0]["run_key"], "k1");
    let first = &rows[2];
    assert_eq!(
        (&first["id"], &first["messages"]),
        (&json!("orders:1"), &json!(["m1"]))
    );
    assert_eq!(
        (&first["log"], &first["took_ms"]),
        (&json!(["looked"]), &json!(3))
    );
    let run = first["runs"][0].as_str().expect("a run");
    let run = server.get(&format!("runs/{run}")).await.ok();
    assert_eq!(run["evaluation"], "orders:1");
    assert_eq!(run["tags"]["dagster/sensor_name"], "orders");
    let failures = server
        .all("sensors/orders/evaluations?status=failure,idle", 1)
        .await;
    assert_eq!(failures.len(), 1);
    let shown = server.get("sensors/orders").await.ok();
    assert_eq!(
        (&shown["failures"], &shown["waiting"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(shown["last_evaluation"]["number"], 3);
    assert!(shown["waiting_since"].is_string() && shown["next"].is_string());
    server.stop().await;
}

#[tokio::test]
async fn evaluations_outlive_memory() {
    let world = World::new().with(|settings| {
        settings.evaluations_max = 3;
        settings.snapshot_segments = 4;
    });
    let server = Server::in_world(world, Setup::default()).await;
    let host = FakeHost::register(&server, &manifest().json()).await;
    for number in 0..20 {
        let skipped = |question: &Value| returned(question, json!([]));
        evaluated(&server, &host, &format!("m{number}"), skipped).await;
    }
    let mut packed = false;
    for _ in 0..500 {
        packed = server.engine.view().state.evaluations_of("orders").count() < 20;
        if packed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(packed, "old evaluations leave memory");
    for limit in [3, 1_000] {
        let rows = server.all("sensors/orders/evaluations", limit).await;
        let numbers: Vec<u64> = rows
            .iter()
            .filter_map(|row| row["number"].as_u64())
            .collect();
        assert_eq!(numbers, (1..=20).rev().collect::<Vec<u64>>());
    }
    let first = server
        .all("sensors/orders/evaluations?message=m0", 10)
        .await;
    assert_eq!(first[0]["number"], 1);
    server.stop().await;
}

#[tokio::test]
async fn a_trial_asks_and_changes_nothing() {
    let (server, host) = served().await;
    let before = server.engine.view().position();
    let body = json!({"message": {"data": {"order": 7}}});
    let answering = async {
        let questions = evaluations(&server, &host, json!([])).await;
        let question = questions
            .iter()
            .find(|q| q["name"] == "orders")
            .expect("the trial");
        assert_eq!(question["queue"][0]["data"], json!({"order": 7}));
        let answers = returned(question, json!([{"run_key": "k", "answers": 0}]));
        let body = json!({"answers": answers, "want": 0});
        host.call(&server, &host.path("evaluations"), &body)
            .await
            .ok();
    };
    let (tried, ()) = tokio::join!(server.post("sensors/orders/test", &body), answering);
    let tried = tried.ok();
    assert_eq!(
        (&tried["status"], &tried["took_ms"]),
        (&json!("success"), &json!(3))
    );
    assert_eq!(tried["runs"][0]["assets"], json!(["a"]));
    assert_eq!(
        server.engine.view().position(),
        before,
        "nothing is in the log"
    );
    assert!(
        server
            .all("sensors/orders/evaluations", 10)
            .await
            .is_empty()
    );
    server.stop().await;
    // Nobody can be asked where no host is.
    let server = Server::start().await;
    arco_testkit::world::deploy(&server.engine, &manifest()).await;
    let tried = server.post("sensors/orders/test", &json!({})).await;
    assert_eq!(tried.code(), (503, "no_host".into()));
    server.post("sensors/orders/messages", &json!(1)).await;
    assert_eq!(server.get("sensors/orders").await.ok()["no_host"], true);
    server.stop().await;
}
