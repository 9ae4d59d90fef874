use serde_json::{Value, json};

use super::*;

fn output(value: Value) -> LogOutput {
    serde_json::from_value(value).unwrap()
}

#[test]
fn every_line_of_several_tasks_says_who_wrote_it() {
    let plain = Paint::new(false);
    for (given, expected) in [
        (
            json!({"task": 0, "step": "raw", "attempt": 1, "stream": "stdout", "line": "text"}),
            "raw stdout | text",
        ),
        (
            json!({"task": 4, "step": "daily", "partition": "2026-01-01", "attempt": 2, "stream": "stderr", "line": ""}),
            "daily[2026-01-01] #2 stderr | ",
        ),
        (
            json!({"task": 4, "step": "daily", "partition": "2026-01-01", "partition_count": 31, "attempt": 1,
                   "stream": "log", "record": {"level": "INFO", "message": "done", "logger": "l", "t": 0}}),
            "daily[2026-01-01 and 30 more] log | 00:00:00.000 INFO l: done",
        ),
        (
            json!({"task": 5, "step": "each", "mapping_key": "k", "attempt": 1, "stream": "log", "line": "cut"}),
            "each[k] log | cut",
        ),
    ] {
        assert_eq!(prefixed(&output(given), plain), expected);
    }
}

#[test]
fn streams_have_colours() {
    let line = |stream: &str| {
        let value = json!({"task": 0, "step": "a", "attempt": 1, "stream": stream, "line": "x"});
        prefixed(&output(value), Paint::new(true))
    };
    let lines = [line("stdout"), line("stderr"), line("log")];
    assert!(lines.iter().all(|line| line.ends_with("\u{1b}[0m x")));
    let codes: std::collections::BTreeSet<&str> = lines
        .iter()
        .map(|line| line.split('a').next().unwrap())
        .collect();
    assert_eq!(codes.len(), 3, "{lines:?}");
}
