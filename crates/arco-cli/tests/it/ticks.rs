//! `arco tick` by real processes: several at once, killed in the middle, beside a server that stays. Judged
//! by what the bodies wrote down themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use arco_engine::clock::{Clock as _, SystemClock};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Process, Project, command, eventually, python, python_path, run};

/// A body that writes down when it begins and ends, and goes on while there is a file `wait`.
const DEFINITIONS: &str = r#"
import os
import time
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


def note(what, run):
    with open(folder / "journal", "a") as file:
        file.write(f"{what} {run}\n")


@dg.asset
def numbers(context: dg.AssetExecutionContext):
    run = context.run_id
    note("begin", run)
    while (folder / "wait").exists():
        time.sleep(0.02)
    note("end", run)


@dg.asset
def broken():
    raise ValueError("it broke")


defs = dg.Definitions(
    assets=[numbers, broken],
    schedules=[
        dg.ScheduleDefinition(
            "minutely",
            cron_schedule="* * * * *",
            target=[numbers],
            catch_up=dg.CatchUp("all"),
            default_status=STATUS,
        )
    ],
)
"#;

/// A store, and code of which the schedule runs or not.
struct Place {
    project: Project,
}

impl Place {
    fn new(schedule_runs: bool) -> Self {
        let status = match schedule_runs {
            true => "dg.DefaultScheduleStatus.RUNNING",
            false => "dg.DefaultScheduleStatus.STOPPED",
        };
        Self {
            project: Project::new(&DEFINITIONS.replace("STATUS", status)),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.project.folder().join(name)
    }

    fn tick(&self, arguments: &[&str]) -> Command {
        let mut tick = command();
        tick.args(["--json", "tick"])
            .arg(self.project.target())
            .arg("--store")
            .arg(self.file("store"))
            .arg("--storage")
            .arg(self.file("storage"))
            .args(["--leader-ttl", "2", "--host-lease-ttl", "2", "--grace", "1"])
            .arg("--python")
            .arg(python())
            .args(arguments)
            .env("PYTHONPATH", python_path())
            .env("TEST_FOLDER", self.project.folder())
            .current_dir(self.project.folder());
        tick
    }

    fn begin(&self, arguments: &[&str]) -> Child {
        self.tick(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// A control plane beside; its address.
    fn serve(&self) -> (Process, String) {
        let log = std::fs::File::create(self.file("serve.log")).unwrap();
        let mut child = command()
            .args([
                "--json",
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--leader-ttl",
                "2",
                "--store",
            ])
            .arg(self.file("store"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let url = ready["url"].as_str().unwrap().to_owned();
        (Process::new(child), url)
    }

    /// Leaves a run of an asset in the store for whoever comes.
    fn leave_run(&self, asset: &str, count: usize) {
        run(&mut self.tick(&["--no-exec"])).good();
        let (mut serve, url) = self.serve();
        for _ in 0..count {
            run(command().args(["run", asset, "--detach", "--server", &url])).good();
        }
        serve.signal(Signal::SIGTERM);
        serve.wait();
    }

    /// What the bodies wrote: run → begun, ended.
    fn journal(&self) -> BTreeMap<String, (usize, usize)> {
        let text = std::fs::read_to_string(self.file("journal")).unwrap_or_default();
        let mut out: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for line in text.lines() {
            let (what, run) = line.split_once(' ').unwrap();
            let counts = out.entry(run.to_owned()).or_default();
            match what {
                "begin" => counts.0 += 1,
                _ => counts.1 += 1,
            }
        }
        out
    }

    /// The instants of all ticks in the log, in order; a series of missed ones by its last.
    fn ticks(&self) -> Vec<String> {
        let mut show = command();
        show.args(["log", "show", "--json", "--store"])
            .arg(self.file("store"));
        let shown = run(&mut show).good().stdout;
        let events = shown
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let instant = |event: Value| match event["kind"].as_str() {
            Some("tick.finished") => Some(event["payload"]["instant"].to_string()),
            _ => None,
        };
        events.filter_map(instant).collect()
    }

    #[track_caller]
    fn verify(&self) {
        let mut verify = command();
        verify
            .args(["log", "verify", "--store"])
            .arg(self.file("store"));
        run(&mut verify).good();
    }

    /// Waits for the next full minute, and a little.
    fn wait_minute() {
        let now = u64::try_from(SystemClock::default().wall().0).unwrap();
        let into = Duration::from_millis(now % 60_000);
        std::thread::sleep(Duration::from_millis(60_300) - into);
    }
}

/// What several at once said, in the order they were begun; each ended well.
#[track_caller]
fn outcomes(ticks: Vec<Child>) -> Vec<Value> {
    let ended = ticks.into_iter().map(|tick| {
        let output = tick.wait_with_output().unwrap();
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {why}", output.status);
        serde_json::from_slice(&output.stdout).unwrap()
    });
    ended.collect()
}

fn count(outcomes: &[Value], outcome: &str) -> usize {
    outcomes
        .iter()
        .filter(|said| said["outcome"] == outcome)
        .count()
}

#[test]
fn three_at_once_carry_out_what_was_left_once() {
    let place = Place::new(false);
    place.leave_run("numbers", 3);
    let said = outcomes((0..3).map(|_| place.begin(&[])).collect());
    assert!(count(&said, "done") >= 1, "{said:?}");
    assert_eq!(
        count(&said, "done") + count(&said, "another_leads"),
        3,
        "{said:?}"
    );
    let succeeded: u64 = said
        .iter()
        .filter_map(|said| said["runs_succeeded"].as_u64())
        .sum();
    assert_eq!(succeeded, 3, "{said:?}");
    let journal = place.journal();
    assert_eq!(journal.len(), 3);
    assert!(
        journal.values().all(|counts| *counts == (1, 1)),
        "{journal:?}"
    );
    place.verify();
}

#[test]
fn what_a_killed_one_left_is_taken_up_by_the_next() {
    let place = Place::new(false);
    place.leave_run("numbers", 1);
    std::fs::write(place.file("wait"), "").unwrap();
    let mut killed = Process::new(place.begin(&[]));
    eventually("the body has begun", || {
        (!place.journal().is_empty()).then_some(())
    });
    killed.signal(Signal::SIGKILL);
    killed.wait();
    std::fs::remove_file(place.file("wait")).unwrap();
    let said = outcomes((0..3).map(|_| place.begin(&[])).collect());
    assert!(count(&said, "done") >= 1, "{said:?}");
    let journal = place.journal();
    // Its body died with it: begun twice, ended once.
    assert_eq!(
        journal.into_values().collect::<Vec<_>>(),
        [(2, 1)],
        "{said:?}"
    );
    place.verify();
}

#[test]
fn beside_one_that_stays_it_leaves() {
    let place = Place::new(false);
    let (serve, url) = place.serve();
    let said = run(&mut place.tick(&[])).good();
    let report = said.json();
    assert_eq!(
        (&report["outcome"], &report["leader"]),
        (&"another_leads".into(), &url.clone().into())
    );
    let status = run(command().args(["status", "--json", "--server", &url]))
        .good()
        .json();
    assert_eq!(status["leader"]["here"], true, "the lead was left alone");
    drop(serve);
}

#[test]
fn it_is_bounded_and_says_what_became_of_the_runs() {
    let place = Place::new(false);
    let empty = run(&mut place.tick(&[])).good().json();
    assert_eq!(
        (&empty["outcome"], &empty["ticks"]),
        (&"done".into(), &0.into())
    );
    place.leave_run("numbers", 1);
    std::fs::write(place.file("wait"), "").unwrap();
    let said = run(&mut place.tick(&["--max-seconds", "6"])).good().json();
    assert_eq!(
        (&said["outcome"], &said["runs_left"]),
        (&"time_over".into(), &1.into()),
        "{said}"
    );
    std::fs::remove_file(place.file("wait")).unwrap();
    let (serve, url) = place.serve();
    run(command().args(["run", "broken", "--detach", "--server", &url])).good();
    drop(serve);
    let said = run(&mut place.tick(&["--drain"]));
    assert_eq!(said.code, 1, "{said}");
    let report = said.json();
    assert_eq!(
        (&report["runs_succeeded"], &report["runs_left"]),
        (&1.into(), &0.into()),
        "{said}"
    );
    assert_eq!(
        report["runs_failed"].as_array().map(Vec::len),
        Some(1),
        "{said}"
    );
    // Without user code there is nobody to carry out anything.
    let mut bare = command();
    bare.args(["tick", "--store"])
        .arg(place.file("store"))
        .current_dir("/");
    let refused = run(&mut bare);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("hint:"), "{refused}");
    bare.args(["--no-exec", "--json"]);
    assert_eq!(run(&mut bare).good().json()["outcome"], "done");
}

#[test]
fn an_instant_is_fired_once_by_three_at_once_and_after_a_kill() {
    let place = Place::new(true);
    run(&mut place.tick(&[])).good();
    Place::wait_minute();
    let said = outcomes((0..3).map(|_| place.begin(&[])).collect());
    let ticks: u64 = said.iter().filter_map(|said| said["ticks"].as_u64()).sum();
    assert!(ticks >= 1, "{said:?}");
    let first = place.journal();
    // On a slow machine the next minute may have come by now.
    assert!(
        !first.is_empty() && first.len() as u64 <= ticks,
        "{first:?} {said:?}"
    );
    assert!(first.values().all(|(_, ended)| *ended <= 1), "{first:?}");
    std::fs::write(place.file("wait"), "").unwrap();
    Place::wait_minute();
    let mut killed = Process::new(place.begin(&[]));
    eventually("the second body has begun", || {
        (place.journal().len() > first.len()).then_some(())
    });
    killed.signal(Signal::SIGKILL);
    killed.wait();
    std::fs::remove_file(place.file("wait")).unwrap();
    outcomes((0..3).map(|_| place.begin(&["--drain"])).collect());
    let fired = place.ticks();
    let distinct: BTreeSet<&String> = fired.iter().collect();
    assert_eq!(distinct.len(), fired.len(), "{fired:?}");
    let journal = place.journal();
    assert!(
        journal.len() > first.len() && journal.len() == fired.len(),
        "{journal:?} {fired:?}"
    );
    assert!(
        journal.values().all(|(_, ended)| *ended == 1),
        "{journal:?}"
    );
    place.verify();
}
