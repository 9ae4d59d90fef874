use serde_json::{Value, json};

use super::{Changes, Definitions, Diff};

fn read(manifest: &Value) -> Definitions {
    Definitions::read("loc", manifest).unwrap()
}

fn said(changes: &Changes) -> String {
    let list = |sign: &str, names: &[String]| -> Vec<String> {
        names.iter().map(|name| format!("{sign}{name}")).collect()
    };
    let all = [
        list("+", &changes.added),
        list("-", &changes.removed),
        list("~", &changes.changed),
    ];
    all.concat().join(" ")
}

#[test]
fn what_is_new_gone_or_other_is_named() {
    let step = |name: &str| json!({"name": name, "kind": "asset", "outputs": [name]});
    let before = json!({"format": 1, "location": "loc",
        "assets": [{"key": "a", "step": "a"}, {"key": "b", "step": "b"}, {"key": "c", "step": "c"}],
        "steps": [step("a"), step("b"), step("c"), {"name": "a__ok", "kind": "check", "checks": [["a", "ok"]]}],
        "checks": [{"asset": "a", "name": "ok", "step": "a__ok", "deps": [{"asset": "a"}]}],
        "jobs": [{"name": "j", "selection": ["*"]}]});
    let mut after = before.clone();
    after["assets"] = json!([{"key": "a", "step": "a"}, {"key": "b", "step": "b", "description": "new"},
        {"key": "d", "step": "d"}]);
    // The step of `a` says something else now.
    after["steps"] = json!([{"name": "a", "kind": "asset", "outputs": ["a"], "timeout_ms": 5}, step("b"), step("d")]);
    after["checks"] = json!([]);
    let diff = Diff::of(Some(&read(&before)), &read(&after));
    assert_eq!(said(&diff.assets), "+d -c ~a ~b");
    assert_eq!(said(&diff.checks), "-a:ok");
    assert_eq!(said(&diff.jobs), "");
    assert_eq!(
        Diff::of(Some(&read(&before)), &read(&before)),
        Diff::default()
    );
    assert_eq!(said(&Diff::of(None, &read(&before)).assets), "+a +b +c");
}
