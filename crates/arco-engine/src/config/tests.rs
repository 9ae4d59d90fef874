use serde_json::{Value, json};

use super::check_value;

/// As pydantic writes it.
fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["rows"],
        "properties": {
            "rows": {"type": "integer", "exclusiveMinimum": 0, "maximum": 10},
            "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            "inner": {"$ref": "#/$defs/Inner"},
        },
        "$defs": {"Inner": {
            "type": "object", "additionalProperties": false, "properties": {"depth": {"type": "integer"}},
        }},
    })
}

#[test]
fn what_is_wrong_is_said_without_words_of_schemas() {
    for (given, says) in [
        (
            json!({"rowz": 1, "rows": 1}),
            "`c`: there is no field `rowz`; did you mean `rows`?",
        ),
        (
            json!({"wholly": 1, "rows": 1}),
            "`c`: there is no field `wholly`; there are `inner`, `rows`, `share`",
        ),
        (
            json!({"rows": 1, "inner": {"dept": 1}}),
            "`c.inner`: there is no field `dept`; did you mean `depth`?",
        ),
        (json!({}), "`c`: field `rows` is missing"),
        (
            json!({"rows": 0}),
            "`c.rows`: 0 is too small; it must be more than 0",
        ),
        (json!({"rows": 11}), "`c.rows`: 11 is too large; at most 10"),
        (
            json!({"rows": 1, "share": -1}),
            "`c.share`: -1 is too small; at least 0",
        ),
        (
            json!({"rows": 1, "share": 1}),
            "`c.share`: 1 is too large; it must be less than 1",
        ),
    ] {
        let refused = check_value(&given, Some(&schema()), "c").expect_err("refused");
        let text = refused.to_string();
        assert!(
            text.contains(says.trim_start_matches("`c")),
            "{given}: {text}"
        );
    }
    check_value(&json!({"rows": 1}), Some(&schema()), "c").expect("right");
}
