use serde_json::json;

use super::parse_metadata;

#[test]
fn metadata_is_typed_by_how_it_looks() {
    let rows = [
        ("rows=842", "rows", json!({"type": "int", "value": 842})),
        ("share=0.5", "share", json!({"type": "float", "value": 0.5})),
        ("full=true", "full", json!({"type": "bool", "value": true})),
        (
            "source=a=b",
            "source",
            json!({"type": "text", "value": "a=b"}),
        ),
        (
            "day=2026-01-01",
            "day",
            json!({"type": "text", "value": "2026-01-01"}),
        ),
    ];
    for (text, name, value) in rows {
        assert_eq!(parse_metadata(text), Ok((name.to_owned(), value)));
    }
    assert!(parse_metadata("rows").is_err() && parse_metadata("=1").is_err());
}
