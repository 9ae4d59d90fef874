use super::render;
use crate::render::Paint;

#[test]
fn record_is_one_line_and_other_text_stays() {
    let rows = [
        (
            r#"{"level": "INFO", "message": "read 842 rows", "logger": "dagster", "t": 1769832306789}"#,
            "04:05:06.789 INFO dagster: read 842 rows",
        ),
        (r#"{"level": "ERROR", "message": "no"}"#, "ERROR no"),
        ("not a record", "not a record"),
    ];
    for (line, expected) in rows {
        assert_eq!(render(line, Paint::new(false)), expected);
    }
}
