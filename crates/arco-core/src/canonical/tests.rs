use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn integers_that_would_be_rounded_are_found() {
    assert_eq!(
        check(&json!({"a": [1, 9_007_199_254_740_991_i64, -9_007_199_254_740_991_i64, 1e300]})),
        Ok(())
    );
    for (value, says) in [
        (
            json!({"ops": {"a/b": [0, 9_007_199_254_740_992_i64]}}),
            "`/ops/a~1b/1` is the integer 9007199254740992",
        ),
        (
            json!(u64::MAX),
            "the value is the integer 18446744073709551615",
        ),
        (
            json!([i64::MIN]),
            "`/0` is the integer -9223372036854775808",
        ),
    ] {
        let error = check(&value).expect_err("inexact").to_string();
        assert!(error.starts_with(says), "{error}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991..=9_007_199_254_740_991_i64).prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON", |f| f.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_text_is_the_same_value(value in value()) {
        let text = to_string(&value);
        let again: Value = serde_json::from_str(&text).expect("JSON");
        prop_assert_eq!(to_string(&again), text);
    }

    #[test]
    fn values_that_differ_have_texts_that_differ(a in value(), b in value()) {
        // 1 and 1.0 are one JSON number.
        let parsed = |v: &Value| serde_json::from_str::<Value>(&to_string(v)).expect("JSON");
        prop_assert_eq!(to_string(&a) == to_string(&b), parsed(&a) == parsed(&b));
    }
}
