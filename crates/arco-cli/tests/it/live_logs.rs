//! `arco logs -f` against a real server, host and tasks.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::support::{Dev, Process, Project, eventually};

/// A task that writes to every stream and goes on when it is let, one that fails first, one that
/// writes more than is kept.
const DEFINITIONS: &str = r#"
import os
import sys
import time
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


def wait_for(name):
    for _ in range(3000):
        if (folder / name).exists():
            return
        time.sleep(0.02)
    raise TimeoutError(name)


@dg.asset
def talks(context: dg.AssetExecutionContext):
    print("first word", flush=True)
    print("first complaint", file=sys.stderr, flush=True)
    context.log.info("first record")
    wait_for("one")
    print("second word", flush=True)
    wait_for("two")
    print("last word")


@dg.asset(deps=[talks], retry_policy=dg.RetryPolicy(max_retries=1))
def fails_first(context: dg.AssetExecutionContext):
    print(f"try {context.retry_number}")
    if context.retry_number == 0:
        raise ValueError("not yet")


@dg.asset
def floods():
    for _ in range(17):
        sys.stdout.write(("x" * 1023 + "\n") * 1024)


@dg.asset
def breaks():
    raise ValueError("no rows today")


defs = dg.Definitions(assets=[talks, fails_first, floods, breaks])
"#;

/// A running `arco logs -f`.
struct Follow {
    process: Process,
    lines: Receiver<String>,
    notes: Receiver<String>,
}

impl Follow {
    fn start(dev: &Dev, arguments: &[&str]) -> Self {
        let mut child = dev
            .command()
            .args(["logs", "-f"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self {
            process: Process::new(child),
            lines: stdout,
            notes: stderr,
        }
    }

    /// The next so many lines of stdout.
    #[track_caller]
    fn next(&self, count: usize) -> Vec<String> {
        let line = |_| eventually("a line", || self.lines.try_recv().ok());
        (0..count).map(line).collect()
    }

    /// Its exit code, what was left on stdout, all of stderr.
    fn end(mut self) -> (i32, Vec<String>, String) {
        let status = self.process.wait();
        let notes: Vec<String> = self.notes.iter().collect();
        let code = status.code().unwrap_or(-1);
        (code, self.lines.iter().collect(), notes.join("\n"))
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn start(dev: &Dev, selection: &str) -> String {
    let run = dev.arco(&["run", selection, "--detach", "--json"]);
    run.good().json()["id"].as_str().unwrap().to_owned()
}

fn let_go(project: &Project, name: &str) {
    std::fs::write(project.folder().join(name), "").unwrap();
}

#[test]
fn lines_of_all_streams_are_seen_while_the_task_runs_and_later_tasks_and_tries_join() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let run = start(&dev, "key:talks or key:fails_first");
    let whole = Follow::start(&dev, &[&run]);
    let one = Follow::start(&dev, &[&run, "talks", "--json"]);
    // The task waits for us: what is seen now is seen before it ends.
    let mut first = whole.next(3);
    first.sort();
    assert!(first[0].starts_with("talks log | ") && first[0].ends_with("first record"));
    assert_eq!(
        first[1..],
        [
            "talks stderr | first complaint",
            "talks stdout | first word"
        ]
    );
    let of_json: Vec<Value> = one
        .next(3)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let streams: std::collections::BTreeSet<&str> = of_json
        .iter()
        .map(|line| line["stream"].as_str().unwrap())
        .collect();
    assert_eq!(Vec::from_iter(streams), ["log", "stderr", "stdout"]);
    let_go(&project, "one");
    assert_eq!(whole.next(1), ["talks stdout | second word"]);
    let_go(&project, "two");

    let (code, lines, notes) = whole.end();
    assert_eq!(code, 0, "{notes}");
    assert_eq!(
        lines,
        [
            "talks stdout | last word",
            "fails_first stdout | try 0",
            "fails_first #2 stdout | try 1"
        ],
    );
    assert!(notes.contains("ValueError: not yet"), "{notes}");
    let follows = "fails_first attempt 1 is over (user_code); another follows";
    assert!(notes.contains(follows), "{notes}");
    assert!(notes.contains(&format!("run {run} succeeded")), "{notes}");
    let (code, lines, notes) = one.end();
    assert_eq!((code, lines.len()), (0, 2), "{notes}");
    let last: Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!(
        (&last["line"], &last["task"]),
        (&"last word".into(), &0.into())
    );
}

#[test]
fn following_survives_a_killed_control_plane() {
    let project = Project::new(DEFINITIONS);
    let mut first = Dev::loaded(&project);
    let port = first.port();
    let run = start(&first, "talks");
    let follow = Follow::start(&first, &[&run, "--stream", "stdout"]);
    assert_eq!(follow.next(1), ["first word"]);
    first.kill();
    let second = Dev::start_with(&project, &["--port", &port]);
    let_go(&project, "one");
    assert_eq!(follow.next(1), ["second word"]);
    let_go(&project, "two");
    let (code, lines, notes) = follow.end();
    assert_eq!((code, lines), (0, vec!["last word".to_owned()]), "{notes}");
    drop(second);
}

#[test]
fn output_beyond_the_bound_is_said_to_be_dropped() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let run = start(&dev, "floods");
    let (code, lines, notes) = Follow::start(&dev, &[&run]).end();
    assert_eq!(code, 0, "{notes}");
    assert_eq!(lines.len(), 16 * 1024 + 2, "what is kept, and the notice");
    let notice = "[arco: output over 16777216 bytes was dropped from here on]";
    assert_eq!(lines.last().unwrap(), notice);
    let logs = dev.arco(&["logs", &run]).good();
    assert!(logs.stdout.ends_with(&format!("{notice}\n")));
}

#[test]
fn following_ends_as_the_run_does() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let run = start(&dev, "breaks");
    let (code, lines, notes) = Follow::start(&dev, &[&run]).end();
    assert_eq!((code, lines.len()), (1, 0), "{notes}");
    for expected in [
        "nothing was written",
        "ValueError: no rows today",
        "failed in",
    ] {
        assert!(notes.contains(expected), "{expected}:\n{notes}");
    }
    let task = Follow::start(&dev, &["latest", "breaks", "--attempt", "1"]).end();
    assert_eq!(task.0, 1, "{}", task.2);
    let refused = dev.arco(&["logs", "-f", "latest", "--attempt", "1"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("say which task"), "{refused}");
}
