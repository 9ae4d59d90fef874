//! The rows of the orchestration and their primary keys, as `docs/guide/rows.md` documents them: backfills,
//! their chunks and partitions, and the status of partitions. The page is compared with the description of
//! the API, and the keys with rows of a server.
//!
//! `cargo test -p arco-api --test orchestration_schema_tests`

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use arco_testkit::{ManifestBuilder, asset};
use serde_json::{Value, json};

use crate::host::{FakeHost, failure, success};
use crate::server::Server;

#[allow(dead_code, reason = "shared with the API's other tests")]
#[path = "it/host.rs"]
mod host;
#[allow(dead_code, reason = "shared with the API's other tests")]
#[path = "it/server.rs"]
mod server;

const PAGE: &str = include_str!("../../../docs/guide/rows.md");

/// One documented row.
#[derive(Debug, Default)]
struct Row {
    schema: String,
    key: Vec<String>,
    /// Column → (type, always there).
    columns: BTreeMap<String, (String, bool)>,
}

/// `## backfills`, `Schema \`Backfill\`, primary key \`id\`.`, and a table.
fn documented() -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut name = String::new();
    let words = |line: &str| -> Vec<String> {
        line.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut name);
        } else if line.starts_with("Schema `") {
            let mut said = words(line);
            let row = rows.entry(name.clone()).or_default();
            row.schema = said.remove(0);
            row.key = said;
        } else if line.starts_with("| `") {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let row = rows.entry(name.clone()).or_default();
            let always = cells[2] == "always";
            assert!(always || cells[2] == "may be absent", "{line}");
            row.columns
                .insert(words(cells[0]).remove(0), (cells[1].to_owned(), always));
        }
    }
    rows
}

/// Text of a type in the description: `text`, `number`, `list of text`, the name of a schema.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap().to_owned();
    }
    if let Some(parts) = schema["oneOf"].as_array().or(schema["allOf"].as_array()) {
        let mut parts = parts.iter().filter(|part| part["type"] != "null");
        return type_of(parts.next_back().unwrap());
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").unwrap().clone(),
        kind => kind.clone(),
    };
    match kind.as_str().unwrap() {
        "array" => format!("list of {}", type_of(&schema["items"])),
        "string" => "text".into(),
        "integer" | "number" => "number".into(),
        "boolean" => "yes or no".into(),
        other => other.to_owned(),
    }
}

#[test]
fn rows_are_documented_as_the_api_describes_them() {
    let api: Value = serde_json::from_str(&arco_api::openapi_json()).unwrap();
    let rows = documented();
    assert_eq!(
        rows.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "backfill chunks",
            "backfill partitions",
            "backfills",
            "evaluations",
            "partition status",
            "schedules",
            "sensors",
            "ticks"
        ]
    );
    for (name, row) in &rows {
        let schema = &api["components"]["schemas"][&row.schema];
        let required: BTreeSet<&str> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field.as_str().unwrap())
            .collect();
        let described: BTreeMap<String, (String, bool)> = schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(field, schema)| {
                (
                    field.clone(),
                    (type_of(schema), required.contains(field.as_str())),
                )
            })
            .collect();
        assert_eq!(row.columns, described, "{name}");
        for field in &row.key {
            let is_of_path = field == "backfill" || field == "asset";
            assert!(
                is_of_path || described.contains_key(field),
                "{name}: {field}"
            );
        }
    }
}

/// The values of a primary key in a row; what the path says is the same for all of a list.
fn key(row: &Value, fields: &[String]) -> Vec<Value> {
    fields.iter().map(|field| row[field].clone()).collect()
}

/// A list has rows, each with a key of its own, and in each what is documented and nothing else.
async fn assert_rows(server: &Server, documented: &Row, path: &str) {
    let found = server.all(path, 3).await;
    assert!(found.len() > 1, "{path} has rows");
    let of_path = ["backfill", "asset"];
    let own: Vec<String> = documented
        .key
        .iter()
        .filter(|field| !of_path.contains(&field.as_str()))
        .cloned()
        .collect();
    let keys: BTreeSet<String> = found
        .iter()
        .map(|row| json!(key(row, &own)).to_string())
        .collect();
    assert_eq!(
        keys.len(),
        found.len(),
        "{path}: {own:?} names each row once"
    );
    for row in &found {
        for (column, (_, always)) in &documented.columns {
            assert!(
                !always || !row[column].is_null(),
                "{path}: `{column}` is always there"
            );
        }
        let known = row.as_object().unwrap().keys();
        let undocumented: Vec<&String> = known
            .filter(|field| !documented.columns.contains_key(*field))
            .collect();
        assert!(undocumented.is_empty(), "{path}: {undocumented:?}");
    }
}

#[tokio::test]
async fn primary_keys_name_each_row_once() {
    let server = Server::start().await;
    let manifest = ManifestBuilder::new("main")
        .asset(asset("orders").daily("2025-12-01"))
        .asset(asset("sales").daily("2025-12-01").needs("orders"))
        .asset(asset("report").needs("sales"));
    let mut host = FakeHost::register(&server, &manifest.json()).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let body = json!({"selection": ["*"], "partitions": {"keys": ["2025-12-01...2025-12-05"]}});
        let made = server.post("backfills", &body).await.value();
        ids.push(made["backfill"]["id"].as_str().unwrap().to_owned());
    }
    let over = |row: &Value| ["succeeded", "failed"].contains(&row["status"].as_str().unwrap());
    let mut reports: Vec<Value> = Vec::new();
    for _ in 0..500 {
        let leases = host.exchange(&server, json!(reports), 20).await.leases;
        host.live.clear();
        reports.clear();
        for lease in &leases {
            let fails = lease
                .partitions
                .as_ref()
                .is_some_and(|keys| keys[0] == "2025-12-03");
            reports.extend(if fails {
                failure(lease)
            } else {
                success(lease)
            });
        }
        if leases.is_empty() && server.all("backfills", 10).await.iter().all(over) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let rows = documented();
    let lists = [
        ("backfills", vec!["backfills".to_owned()]),
        (
            "backfill chunks",
            ids.iter()
                .map(|id| format!("backfills/{id}/chunks"))
                .collect(),
        ),
        (
            "backfill partitions",
            ids.iter()
                .map(|id| format!("backfills/{id}/partitions"))
                .collect(),
        ),
        (
            "partition status",
            vec![
                "assets/orders/partitions".into(),
                "assets/sales/partitions".into(),
            ],
        ),
    ];
    for (name, paths) in lists {
        for path in paths {
            assert_rows(&server, &rows[name], &path).await;
        }
    }
    let failed = server
        .all(
            &format!("backfills/{}/partitions?status=failed", ids[0]),
            10,
        )
        .await;
    assert_eq!(failed.len(), 1, "{failed:?}");
}

#[tokio::test]
async fn primary_keys_name_each_tick_and_each_evaluation_once() {
    let server = Server::start().await;
    let schedule = |name: &str| {
        json!({"name": name, "cron": ["0 * * * *"], "selection": ["a"],
        "default_status": "running", "catch_up": {"policy": "all"}})
    };
    let sensor = |name: &str| {
        json!({"name": name, "kind": "push", "selection": ["a"],
        "default_status": "running"})
    };
    let manifest = ManifestBuilder::new("main")
        .asset(asset("a"))
        .schedule(schedule("hourly"))
        .schedule(schedule("again"))
        .sensor(sensor("orders"))
        .sensor(sensor("returns"));
    let host = FakeHost::register(&server, &manifest.json()).await;
    for _ in 0..4 {
        let hour = std::time::Duration::from_secs(3_600);
        server.world.clock.advance(hour);
        server.post("timers/fire", &json!({})).await.ok();
    }
    let mut decided = 0;
    for (number, said) in ["returned", "returned", "raised", "returned"]
        .iter()
        .enumerate()
    {
        for name in ["orders", "returns"] {
            let path = format!("sensors/{name}/messages?id=m{number}");
            server.post(&path, &json!({"n": number})).await;
        }
        // Whatever waits is asked about until each has one more evaluation.
        decided += 2;
        for _ in 0..500 {
            let ask = json!({"want": 10, "wait_ms": 50});
            let given = host
                .call(&server, &host.path("evaluations"), &ask)
                .await
                .ok();
            let answers: Vec<Value> = given["questions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|question| {
                    let taken = question["queue"].as_array().unwrap().len();
                    json!({"id": question["id"], "said": said, "taken": taken,
                        "run_requests": [{"run_key": format!("k{number}"), "answers": 0}],
                        "error": {"type": "E", "message": "it broke", "traceback": ""}})
                })
                .collect();
            let body = json!({"answers": answers, "want": 0});
            host.call(&server, &host.path("evaluations"), &body)
                .await
                .ok();
            if server.engine.view().state.evaluations.len() >= decided {
                break;
            }
        }
        // What failed is asked again after a pause.
        server
            .world
            .clock
            .advance(std::time::Duration::from_secs(10));
        server.post("timers/fire", &json!({})).await.ok();
    }
    let rows = documented();
    for (name, path) in [
        ("schedules", "schedules"),
        ("ticks", "schedules/hourly/ticks"),
        ("ticks", "schedules/again/ticks"),
        ("sensors", "sensors"),
        ("evaluations", "sensors/orders/evaluations"),
        ("evaluations", "sensors/returns/evaluations"),
    ] {
        assert_rows(&server, &rows[name], path).await;
    }
}
