//! What takes too long is stopped by a real server and host, and says why.

use serde_json::{Value, json};

use crate::assert_run;
use crate::support::{Dev, Project};

/// A body without an end, one with a limit of its own, and one that is done at once.
const DEFINITIONS: &str = r#"
import os
import time
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


def hang(name):
    try:
        time.sleep(600)
    finally:
        with open(folder / "journal", "a") as file:
            file.write(f"{name} was stopped\n")


@dg.asset
def hangs():
    hang("hangs")


@dg.asset(timeout_seconds=0.5)
def limited():
    hang("limited")


@dg.asset
def quick():
    pass


defs = dg.Definitions(assets=[hangs, limited, quick])
"#;

fn failed(dev: &Dev, arguments: &[&str]) -> Value {
    let answer = dev.arco(&[&["run", "--json"], arguments].concat());
    assert_eq!(answer.code, 1, "{answer}");
    answer.json()
}

#[test]
fn what_takes_too_long_is_stopped_and_says_why() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);

    let run = failed(&dev, &["key:hangs or key:quick", "--max-runtime", "1"]);
    assert_eq!(run["status"], "failure");
    assert_eq!(run["timed_out"]["limit"], "run");
    assert_eq!(run["timed_out"]["limit_ms"], 1_000);
    let failure = &run["failures"][0];
    assert_eq!(
        (&failure["class"], &failure["error"]["type"]),
        (&json!("timeout"), &json!("RunTimedOut"))
    );
    assert_run!(dev.arco(&["runs", "show", "latest"]), "time_limit_run");

    let run = failed(&dev, &["limited"]);
    let failure = &run["failures"][0];
    assert_eq!(
        (&failure["class"], &failure["error"]["type"]),
        (&json!("timeout"), &json!("Timeout")),
        "the limit of a body is another"
    );
    assert_eq!(run["timed_out"], Value::Null);
    let journal = std::fs::read_to_string(project.folder().join("journal")).unwrap();
    assert_eq!(journal, "hangs was stopped\nlimited was stopped\n");

    // Limits of the workspace, for runs that say nothing.
    let limits = "queue limits --runs 0 --queue-timeout 1";
    assert_run!(
        dev.arco(&limits.split_whitespace().collect::<Vec<_>>()),
        "time_limits_set"
    );
    let run = failed(&dev, &["quick"]);
    assert_eq!(run["timed_out"]["limit"], "queue");
    assert_eq!(run["tasks"]["cancelled"], 1);
    assert_run!(dev.arco(&["runs", "show", "latest"]), "time_limit_queue");

    assert_run!(
        dev.arco(&["run", "quick", "--tag", "dagster/max_runtime=soon"]),
        "time_limit_refused"
    );
    dev.arco(&["queue", "limits", "--runs", "none"]).good();
    dev.arco(&["run", "quick", "--tag", "dagster/max_runtime=60"])
        .good();
}
