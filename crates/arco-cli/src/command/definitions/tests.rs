use serde_json::json;

use super::render;
use crate::render::Paint;

#[test]
fn location_that_did_not_load_shows_its_traceback() {
    let definitions = json!({"locations": [
        {"name": "flights", "version": "0f".repeat(32), "deployed": "2026-01-31T04:05:06.000Z", "assets": 11,
         "checks": 3, "steps": 12, "hosts": []},
        {"name": "sales", "assets": 0, "checks": 0, "steps": 0, "hosts": [], "failure": {
            "time": "2026-01-31T04:05:06.000Z",
            "error": {"type": "ImportError", "message": "no module named x",
                      "traceback": "Traceback (most recent call last):\n  File \"sales.py\", line 1, in <module>\nImportError: no module named x\n"}}},
    ]});
    let definitions = serde_json::from_value(definitions).unwrap();
    insta::assert_snapshot!(render(&definitions, Paint::new(false)));
}
