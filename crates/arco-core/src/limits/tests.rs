use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn limits(value: serde_json::Value) -> Limits {
    serde_json::from_value(value).expect("limits")
}

fn tags(text: &str) -> BTreeMap<String, String> {
    let pairs = text
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='));
    pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn of_run(limits: &Limits, with: &str, pools: &[&str]) -> String {
    let of_run = limits.of_run(&tags(with), pools.iter().copied());
    let texts = of_run.iter().map(|l| format!("{l}:{}", limits.slots(l)));
    texts.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_run_takes_a_slot_of_every_limit_that_speaks_of_it() {
    let all = limits(json!({
        "runs": 9,
        "tags": [{"key": "team", "limit": 3}, {"key": "team", "value": "x", "limit": 2},
                 {"key": "store", "per_value": true, "limit": 1}, {"key": "store", "value": "eu", "limit": 0}],
        "pools": {"db": {"limit": 4, "granularity": "run"}, "api": {"limit": 5}},
    }));
    for (with, pools, expected) in [
        ("", &[] as &[&str], "runs:9"),
        ("team=y", &[], "runs:9, tag team:3"),
        ("team=x", &[], "runs:9, tag team:3, tag team=x:2"),
        ("store=us", &[], "runs:9, tag store=us:1"),
        ("store=eu", &[], "runs:9, tag store=eu:0"),
        ("other=1", &["db", "api", "free"], "runs:9, pool db:4"),
    ] {
        assert_eq!(of_run(&all, with, pools), expected, "{with} {pools:?}");
    }
    assert_eq!(all.task_pool("api"), Some(5));
    assert_eq!((all.task_pool("db"), all.task_pool("free")), (None, None));
}

#[test]
fn what_is_not_set_is_not_limited_and_pools_have_a_default() {
    assert_eq!(of_run(&Limits::default(), "team=x", &["db"]), "");
    let pools = limits(json!({"pool_default": {"limit": 2}, "pools": {"db": {"limit": 7}}}));
    assert_eq!(
        (pools.task_pool("db"), pools.task_pool("any")),
        (Some(7), Some(2))
    );
}

#[test]
fn limits_that_do_not_hold_together_say_why() {
    for (value, expected) in [
        (
            json!({"tags": [{"key": "a", "limit": 1}, {"key": "a", "limit": 2}]}),
            "there are two limits for tag `a`; give one",
        ),
        (
            json!({"tags": [{"key": "a", "value": "x", "per_value": true, "limit": 1}]}),
            "the limit for tag `a` has a value (`x`) and `per_value`; give one of the two",
        ),
        (
            json!({"tags": [{"key": "", "limit": 1}]}),
            "a limit has an empty tag key; name it",
        ),
        (
            json!({"pools": {"": {"limit": 1}}}),
            "a limit has an empty pool; name it",
        ),
    ] {
        let error = limits(value.clone()).check().expect_err("refused");
        assert_eq!(error.to_string(), expected, "{value}");
    }
    let good = json!({"tags": [{"key": "a", "limit": 1}, {"key": "a", "value": "x", "limit": 2}, {"key": "a", "per_value": true, "limit": 1}]});
    assert_eq!(limits(good).check(), Ok(()));
    assert!(serde_json::from_value::<Limits>(json!({"rnus": 1})).is_err());
}
