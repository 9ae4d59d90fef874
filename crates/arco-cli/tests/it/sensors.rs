//! A polling sensor over processes that die or stand still between an evaluation and its commit. Judged by
//! the log and by what the function and the bodies wrote down themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{
    Dev, Process, Project, command, events_of, eventually, python, python_path, run,
};

/// A function that counts with its cursor, and asks for one run for every two numbers. While there is a file
/// `hold` it does not return.
const DEFINITIONS: &str = r#"
import os
import time
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


def note(what):
    with open(folder / "journal", "a") as file:
        file.write(f"{what}\n")


@dg.asset
def numbers(context: dg.AssetExecutionContext):
    note(f"ran {context.run.tags['dagster/run_key']}")


@dg.sensor(
    target=[numbers], minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING
)
def counter(context):
    number = int(context.cursor or 0)
    if number >= COUNTS_TO:
        return dg.SkipReason("that is all")
    note(f"asked {number}")
    while (folder / "hold").exists():
        time.sleep(0.01)
    note(f"said {number}")
    return dg.SensorResult([dg.RunRequest(run_key=str(number // 2))], cursor=str(number + 1))


defs = dg.Definitions(assets=[numbers], sensors=[counter])
"#;

const COUNTS_TO: usize = 8;

/// The sensor's: a tick that comes earlier has nothing to do.
const INTERVAL: Duration = Duration::from_secs(1);

/// What was sent to a process that was stopped is under way for longer than this in no test.
const SENT: Duration = Duration::from_millis(500);

struct Counting {
    project: Project,
}

impl Counting {
    fn new() -> Self {
        let code = DEFINITIONS.replace("COUNTS_TO", &COUNTS_TO.to_string());
        Self {
            project: Project::new(&code),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.project.folder().join(name)
    }

    fn hold(&self) {
        std::fs::write(self.file("hold"), "").unwrap();
    }

    fn let_go(&self) {
        std::fs::remove_file(self.file("hold")).unwrap();
    }

    /// How often each number was asked for, said, and run.
    fn journal(&self, what: &str) -> BTreeMap<usize, usize> {
        let text = std::fs::read_to_string(self.file("journal")).unwrap_or_default();
        let mut counts = BTreeMap::new();
        let of = text
            .lines()
            .filter_map(|line| line.strip_prefix(what)?.trim().parse().ok());
        for number in of {
            *counts.entry(number).or_default() += 1;
        }
        counts
    }

    fn total(&self, what: &str) -> usize {
        self.journal(what).values().sum()
    }

    /// Waits until the function was called and is held.
    #[track_caller]
    fn held(&self) {
        eventually("the function is held", || {
            let text = std::fs::read_to_string(self.file("journal")).unwrap_or_default();
            let mut calls = text.lines().filter(|line| !line.starts_with("ran"));
            calls.next_back()?.starts_with("asked").then_some(())
        });
    }

    /// Lets what is held return while `stop` keeps it from being decided; until what it said was sent.
    #[track_caller]
    fn answers_in_vain(&self, stop: impl FnOnce(Signal)) {
        let said = self.total("said");
        stop(Signal::SIGSTOP);
        self.let_go();
        eventually("the function returns", || {
            (self.total("said") > said).then_some(())
        });
        std::thread::sleep(SENT);
    }

    fn evaluations(&self, place: &str, path: &Path) -> Vec<Value> {
        events_of(place, path, "evaluation.finished")
    }

    /// The cursor went on by one and never back, every key has one run that ran once, and the function was
    /// asked `again` times more than counts.
    #[track_caller]
    fn judge(&self, place: &str, path: &Path, again: usize) {
        eventually("all is counted and run", || {
            let counted = self.evaluations(place, path).len() >= COUNTS_TO;
            (counted && self.total("ran") >= COUNTS_TO / 2).then_some(())
        });
        let evaluations = self.evaluations(place, path);
        let cursors = evaluations
            .iter()
            .filter_map(|event| event["payload"]["cursor"].as_str());
        let cursors: Vec<usize> = cursors.map(|cursor| cursor.parse().unwrap()).collect();
        let mut counts = cursors.clone();
        counts.dedup();
        assert_eq!(counts, (1..=COUNTS_TO).collect::<Vec<_>>(), "{cursors:?}");
        let requested = events_of(place, path, "run.requested");
        let keys = requested
            .iter()
            .filter_map(|event| event["payload"]["run_key"].as_str());
        let mut keys: Vec<usize> = keys.map(|key| key.parse().unwrap()).collect();
        keys.sort_unstable();
        assert_eq!(keys, (0..COUNTS_TO / 2).collect::<Vec<_>>());
        let ran = self.journal("ran");
        assert!(ran.values().all(|count| *count == 1), "{ran:?}");
        let more = self.total("asked") - COUNTS_TO;
        assert!(more >= again, "{more} of {again} answers were lost");
        let mut verify = command();
        run(verify.args(["log", "verify", place]).arg(path)).good();
    }
}

#[test]
fn an_answer_that_a_killed_control_plane_did_not_decide_is_asked_for_again_and_counts_once() {
    let counting = Counting::new();
    let project = &counting.project;
    counting.hold();
    let mut dev = Dev::loaded(project);
    let port = dev.port();
    let rounds = 2;
    for _ in 0..rounds {
        counting.held();
        counting.answers_in_vain(|signal| dev.signal(signal));
        counting.hold();
        dev.kill();
        dev = Dev::start_with(project, &["--port", &port]);
    }
    // Others die a moment after the function returned, some before its answer is decided and some after.
    for wait_ms in [0, 10] {
        counting.held();
        counting.let_go();
        std::thread::sleep(Duration::from_millis(wait_ms));
        dev.kill();
        counting.hold();
        dev = Dev::start_with(project, &["--port", &port]);
    }
    counting.held();
    counting.let_go();
    counting.judge("--dir", &project.state(), rounds);
    drop(dev);
}

/// A control plane and a host that calls it first, on a store that others are on.
struct Replica {
    serve: Process,
    _worker: Process,
    url: String,
}

impl Replica {
    fn start(counting: &Counting, name: &str) -> Self {
        let log = |kind: &str| {
            let path = counting.file(&format!("{kind}-{name}.log"));
            std::fs::File::create(path).unwrap()
        };
        let mut serve = command()
            .args(["--json", "serve", "--listen", "127.0.0.1:0"])
            .args(["--leader-ttl", "2", "--host-lease-ttl", "3", "--store"])
            .arg(counting.file("store"))
            .arg("--secret-file")
            .arg(counting.file("secret"))
            .stdout(Stdio::piped())
            .stderr(log("serve"))
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = serve.stdout.take().unwrap();
        let serve = Process::new(serve);
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let url = ready["url"].as_str().unwrap().to_owned();
        let worker = command()
            .arg("worker")
            .arg(counting.project.target())
            .args(["--server", &url, "--location", "numbers", "--grace", "1"])
            .arg("--storage")
            .arg(counting.file(&format!("storage-{name}")))
            .arg("--python")
            .arg(python())
            .env("PYTHONPATH", python_path())
            .env("TEST_FOLDER", counting.project.folder())
            .current_dir(counting.project.folder())
            .stderr(log("worker"))
            .spawn()
            .unwrap();
        Self {
            serve,
            _worker: Process::new(worker),
            url,
        }
    }

    fn leads(&self) -> bool {
        let status = run(command().args(["status", "--json", "--server", &self.url]));
        status.good().json()["leader"]["here"] == true
    }
}

#[test]
fn a_leader_that_stood_still_meanwhile_decides_nothing_that_another_has_decided() {
    let counting = Counting::new();
    counting.hold();
    let replicas = ["one", "two"].map(|name| Replica::start(&counting, name));
    for _ in 0..2 {
        counting.held();
        let leader = eventually("one leads", || {
            replicas.iter().find(|replica| replica.leads())
        });
        let other = replicas
            .iter()
            .find(|replica| replica.url != leader.url)
            .unwrap();
        counting.answers_in_vain(|signal| leader.serve.signal(signal));
        let decided = counting.total("said");
        // The other takes the lead, has the function asked again, and decides.
        eventually("the other leads", || other.leads().then_some(()));
        eventually("it is asked again", || {
            (counting.total("said") > decided).then_some(())
        });
        counting.hold();
        leader.serve.signal(Signal::SIGCONT);
    }
    counting.held();
    counting.let_go();
    counting.judge("--store", &counting.file("store"), 2);
}

fn tick(counting: &Counting) -> Command {
    let mut tick = command();
    tick.args(["--json", "tick"])
        .arg(counting.project.target())
        .arg("--store")
        .arg(counting.file("store"))
        .arg("--storage")
        .arg(counting.file("storage"))
        .args(["--leader-ttl", "2", "--host-lease-ttl", "2", "--grace", "1"])
        .arg("--python")
        .arg(python())
        .env("PYTHONPATH", python_path())
        .env("TEST_FOLDER", counting.project.folder())
        .current_dir(counting.project.folder())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    tick
}

#[test]
fn three_ticks_at_once_ask_a_sensor_once_and_after_a_kill_too() {
    let counting = Counting::new();
    let store = counting.file("store");
    for kill in 0..2 {
        counting.hold();
        std::thread::sleep(INTERVAL);
        let mut killed = Process::new(tick(&counting).spawn().unwrap());
        counting.held();
        counting.answers_in_vain(|signal| killed.signal(signal));
        let before = counting.evaluations("--store", &store).len();
        assert!(before >= kill, "{before}");
        killed.signal(Signal::SIGKILL);
        killed.wait();
        three_at_once(&counting);
        assert!(counting.evaluations("--store", &store).len() > before);
    }
    for _ in 0..3 * COUNTS_TO {
        if counting.evaluations("--store", &store).len() >= COUNTS_TO {
            break;
        }
        std::thread::sleep(INTERVAL);
        three_at_once(&counting);
    }
    three_at_once(&counting);
    counting.judge("--store", &store, 2);
}

/// Each ends well.
#[track_caller]
fn three_at_once(counting: &Counting) {
    let ticks: Vec<Child> = (0..3).map(|_| tick(counting).spawn().unwrap()).collect();
    for tick in ticks {
        let ended = tick.wait_with_output().unwrap();
        let why = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{}: {why}", ended.status);
    }
}
