use arco_core::event::{Position, RawEvent};

use super::Shown;
use crate::render::Paint;

fn shown() -> Shown {
    let raw: RawEvent = serde_json::from_value(serde_json::json!({
        "k": "run.cancel_requested", "v": 1, "t": 1_769_832_306_789_i64, "w": "client:ana",
        "c": {"command": "req_1"}, "d": {"run": "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S"}
    }))
    .unwrap();
    Shown::new(
        Position {
            segment: 12,
            index: 3,
        },
        raw,
    )
}

#[test]
fn line_has_position_time_kind_who_and_payload() {
    insta::assert_snapshot!(shown().render(Paint::new(false)), @r#"12.3     2026-01-31T04:05:06.789Z  run.cancel_requested      client:ana  {"run":"run_01JD5Z6Q8G7V9K3W2M4N5P6R7S"}"#);
}

#[test]
fn json_speaks_the_words_of_the_api() {
    insta::assert_json_snapshot!(shown());
}
