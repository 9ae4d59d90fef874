//! What bodies wrote down.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// One line.
#[derive(Debug, Deserialize)]
struct Line {
    run: String,
    step: String,
    retry: u32,
    pid: u32,
    /// The key; `*` of what has none.
    partition: String,
    what: String,
    at_ns: u64,
}

/// A task, as bodies know it.
pub(crate) type Task = (String, String);

/// One body, by its own account.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    /// Tries that had failed before.
    pub(crate) retry: u32,
    pub(crate) pid: u32,
    pub(crate) partition: String,
    pub(crate) start_ns: u64,
    /// The last sign of life.
    pub(crate) last_ns: u64,
    /// Whether it came to its end.
    pub(crate) ended: bool,
}

/// The bodies of each task, in the order they began.
#[derive(Debug, Default)]
pub(crate) struct Journal(pub(crate) BTreeMap<Task, Vec<Body>>);

impl Journal {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut journal = Self::default();
        // The last line may be in the making.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        for line in whole.lines() {
            let line: Line = serde_json::from_str(line).unwrap();
            journal.add(line);
        }
        journal
    }

    fn add(&mut self, line: Line) {
        let bodies = self.0.entry((line.run, line.step)).or_default();
        if line.what == "start" {
            bodies.push(Body {
                retry: line.retry,
                pid: line.pid,
                partition: line.partition,
                start_ns: line.at_ns,
                last_ns: line.at_ns,
                ended: false,
            });
            return;
        }
        let of = |body: &&mut Body| body.pid == line.pid && body.retry == line.retry;
        let body = bodies.iter_mut().rev().find(of).unwrap();
        body.last_ns = line.at_ns;
        body.ended = line.what == "end";
    }

    /// The bodies of one task.
    pub(crate) fn of(&self, run: &str, step: &str) -> Vec<Body> {
        self.0
            .get(&(run.to_owned(), step.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn bodies(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Bodies that did not come to their end.
    pub(crate) fn broken_off(&self) -> usize {
        self.0.values().flatten().filter(|body| !body.ended).count()
    }

    /// Pairs of bodies of one task of which one began before the other had ended.
    pub(crate) fn overlaps(&self) -> Vec<String> {
        let mut out = Vec::new();
        for ((run, step), bodies) in &self.0 {
            for pair in bodies.windows(2) {
                if pair[1].start_ns <= pair[0].last_ns {
                    out.push(format!("{run} {step}: {:?} and {:?}", pair[0], pair[1]));
                }
            }
        }
        out
    }
}
