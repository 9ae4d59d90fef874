//! What the tests share: the binary, servers that never outlive a test, projects of user code.

mod answer;
mod dev;
mod process;
mod project;

pub(crate) use answer::{Answer, arco, command, run};
pub(crate) use dev::Dev;
pub(crate) use process::{Process, eventually, lives};
pub(crate) use project::{Project, events, events_of, python, python_path};

/// A whole run as a snapshot: what changes from run to run is replaced by its name.
#[macro_export]
macro_rules! assert_run {
    ($answer:expr, @$expected:literal) => {{
        let shown = $answer.to_string();
        insta::with_settings!({ filters => $crate::support::filters() }, {
            insta::assert_snapshot!(shown, @$expected);
        });
    }};
    ($answer:expr, $name:expr) => {{
        let shown = $answer.to_string();
        insta::with_settings!({ filters => $crate::support::filters() }, {
            insta::assert_snapshot!($name, shown);
        });
    }};
}

/// Replacements of [`assert_run`]. They keep the width of what stands in columns.
pub(crate) fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"(?m)^\d\d:\d\d:\d\d\.\d{3} ", "[TIME.....] "),
        (
            r"(run|host)_[0-9A-Z]{26}",
            "${1}_[ID......................]",
        ),
        (
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3}Z)?",
            "[TIME.............]",
        ),
        (r"(?m)^(queued|started|canceling) \d+/\d+ tasks.*\n", ""),
        (r"\b\d+\.\d\d? s\b", "[TOOK]"),
        // A short body ends in the breath it began in, and has no time of its own.
        (r"(?m)^( +\d+  \S+ +\w+ +\d+) +\[TOOK\]$", "${1}"),
        // A task of less than a hundredth of a second took nothing that is shown.
        (
            r"(?m)^( +\d+  \S+ +\w+ +\d+)(?: +\[TOOK\])? +(\S.*)$",
            "${1}  ${2}",
        ),
        (r"ATTEMPTS +TOOK", "ATTEMPTS  TOOK"),
        (r"TOOK +WHY", "TOOK  WHY"),
        (r"127\.0\.0\.1:\d{5}", "127.0.0.1:[PORT]"),
        (r"\bport \d{5}\b", "port [PORT]"),
        (r"--port \d{5}", "--port [PORT]"),
        (r"(attempt \d+ on )\S+", "${1}[MACHINE]"),
        (r"process \d+", "process [PID]"),
        (r"had used \d+ MB", "had used [N] MB"),
        (r"/tmp/\.tmp[A-Za-z0-9]+", "[FOLDER]"),
        (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
        (r"\b[0-9a-f]{12}\b", "[DIGEST.12.]"),
        (r"\breq_[0-9a-f]{32}\b", "req_[ID]"),
    ]
}
