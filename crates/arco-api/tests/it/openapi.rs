//! The committed description is the generated one.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::server::Server;

#[test]
fn the_committed_description_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let generated = arco_api::openapi_json();
    if std::env::var_os("ARCO_UPDATE").is_some() {
        std::fs::write(&path, &generated).expect("the file is written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "openapi.json is stale; run this test with ARCO_UPDATE=1 and review the difference"
    );
}

fn description() -> Value {
    serde_json::from_str(&arco_api::openapi_json()).expect("it is JSON")
}

#[test]
fn it_is_openapi_3_1_and_every_reference_resolves() {
    let api = description();
    assert!(
        api["openapi"]
            .as_str()
            .is_some_and(|v| v.starts_with("3.1")),
        "{}",
        api["openapi"]
    );
    let mut references = Vec::new();
    collect(&api, &mut references);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(api.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn absent_is_not_null() {
    let api = description();
    let schemas = api["components"]["schemas"].to_string();
    assert!(!schemas.contains("\"null\""), "a schema allows null");
}

fn collect(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            out.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|inner| collect(inner, out));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect(inner, out)),
        _ => {}
    }
}

#[test]
fn every_operation_has_a_name_a_summary_a_refusal_and_its_path_parameters() {
    let api = description();
    let mut names = BTreeSet::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        let shared = parameters(&item["parameters"]);
        for (method, operation) in item.as_object().expect("operations") {
            if method == "parameters" {
                continue;
            }
            let name = operation["operationId"].as_str().expect("an id").to_owned();
            assert!(names.insert(name.clone()), "{name} twice");
            assert!(operation["summary"].is_string(), "{name} has no summary");
            let refusal = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert!(refusal.is_object(), "{name} has no refusal");
            let own = parameters(&operation["parameters"]);
            let declared: BTreeSet<String> = own.union(&shared).cloned().collect();
            let wanted = path
                .split('/')
                .filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'));
            let wanted: BTreeSet<String> = wanted.map(str::to_owned).collect();
            assert_eq!(declared, wanted, "path parameters of {name}");
        }
    }
    assert!(names.len() >= 23, "{names:?}");
}

fn parameters(list: &Value) -> BTreeSet<String> {
    let of_path = |p: &&Value| p["in"] == "path";
    let list = list.as_array().into_iter().flatten().filter(of_path);
    list.map(|p| p["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test]
async fn the_server_hands_it_out() {
    let server = Server::start().await;
    assert_eq!(
        server.get("/openapi.json").await.text,
        arco_api::openapi_json()
    );
    server.stop().await;
}
