use std::sync::Arc;

use serde_json::{Value, json};

use super::{Catalog, Definitions};
use crate::AssetKey;

/// A location `loc` whose assets are `name <- deps` lines.
fn manifest(location: &str, lines: &[&str]) -> Value {
    let mut assets = Vec::new();
    let mut steps = Vec::new();
    for line in lines {
        let (name, deps) = line.split_once(" <- ").unwrap_or((line, ""));
        let deps: Vec<Value> = deps
            .split(", ")
            .filter(|d| !d.is_empty())
            .map(|d| json!({"asset": d}))
            .collect();
        let (name, external) = match name.strip_prefix("external ") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let mut asset = json!({"key": name, "deps": deps});
        if !external {
            asset["step"] = json!(name);
            steps.push(json!({"name": name, "kind": "asset", "outputs": [name]}));
        }
        assets.push(asset);
    }
    json!({"format": 1, "location": location, "assets": assets, "steps": steps})
}

fn refusal(manifest: &Value) -> String {
    match Definitions::read("loc", manifest) {
        Ok(_) => "accepted".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn definitions_that_cannot_stand_say_why_and_the_mend() {
    let rows: &[(&[&str], &str)] = &[
        (&["a", "b <- a"], "accepted"),
        (
            &["a <- c", "b <- a", "c <- b"],
            "assets depend on each other in a cycle: a → b → c → a; remove one of these dependencies",
        ),
        (
            &["a <- a"],
            "assets depend on each other in a cycle: a → a; remove one of these dependencies",
        ),
        (
            &["a", "a"],
            "asset `a` is defined twice in location `loc`; give one of them another key, or `key_prefix=`",
        ),
        (
            &["flights", "report <- flihgts"],
            "asset `report` depends on `flihgts`, which is not defined (path: flihgts → report); did you mean `flights`?",
        ),
        (
            &["report <- elsewhere"],
            "asset `report` depends on `elsewhere`, which is not defined (path: elsewhere → report); define it, or declare it with `AssetSpec(\"elsewhere\")` when it is made elsewhere",
        ),
    ];
    for (given, then) in rows {
        assert_eq!(refusal(&manifest("loc", given)), *then);
    }
}

#[test]
fn a_bad_partitions_definition_names_its_asset() {
    let mut bad = manifest("loc", &["a"]);
    bad["assets"][0]["partitions"] = json!({"kind": "static", "keys": ["x", "x"]});
    let text = refusal(&bad);
    assert!(
        text.starts_with("the partitions of asset `a` are not valid: "),
        "{text}"
    );
}

#[test]
fn a_manifest_of_a_later_format_asks_for_an_upgrade() {
    let text = refusal(&json!({"format": 2, "location": "loc"}));
    assert!(text.contains("upgrade the server"), "{text}");
}

#[test]
fn the_version_is_the_content_and_not_its_spelling() {
    let one: Value = serde_json::from_str(r#"{"format":1,"location":"loc","assets":[]}"#).unwrap();
    let two: Value =
        serde_json::from_str(r#"{ "assets": [], "location": "loc", "format": 1 }"#).unwrap();
    let version = |v: &Value| Definitions::read("loc", v).unwrap().version();
    assert_eq!(version(&one), version(&two));
    assert_ne!(version(&one), version(&manifest("loc", &["a"])));
}

fn catalog(locations: &[(&str, &[&str])]) -> Result<Catalog, String> {
    let mut catalog = Catalog::default();
    for (location, lines) in locations {
        let read =
            Definitions::read(location, &manifest(location, lines)).map_err(|e| e.to_string())?;
        catalog = catalog.with(Arc::new(read)).map_err(|e| e.to_string())?;
    }
    Ok(catalog)
}

#[test]
fn a_location_that_makes_an_asset_speaks_for_it() {
    let key = AssetKey::parse("raw").unwrap();
    let joined = catalog(&[("a", &["external raw", "x <- raw"]), ("b", &["raw"])]).unwrap();
    assert_eq!(joined.asset(&key).unwrap().definitions.location(), "b");
    assert_eq!(joined.children(&key), [AssetKey::parse("x").unwrap()]);
    assert_eq!(
        catalog(&[("a", &["raw"]), ("b", &["raw"])]).unwrap_err(),
        "asset `raw` is defined twice in locations `a` and `b`; give one of them another key, or `key_prefix=`"
    );
}

#[test]
fn a_cycle_across_locations_is_found() {
    let error = catalog(&[
        ("a", &["external y", "x <- y"]),
        ("b", &["external x", "y <- x"]),
    ])
    .unwrap_err();
    assert!(error.contains("x → y → x"), "{error}");
}

#[test]
fn a_blocking_check_may_not_read_what_waits_for_it() {
    let mut bad = manifest("loc", &["a", "b <- a"]);
    bad["checks"] = json!([{"asset": "a", "name": "ok", "step": "a__ok", "blocking": true,
        "deps": [{"asset": "a"}, {"asset": "b"}]}]);
    let step = json!({"name": "a__ok", "kind": "check", "checks": [["a", "ok"]]});
    bad["steps"].as_array_mut().unwrap().push(step);
    let text = refusal(&bad);
    assert!(text.contains("b → check ok of a → b"), "{text}");
    bad["checks"][0]["blocking"] = json!(false);
    assert_eq!(refusal(&bad), "accepted");
}
