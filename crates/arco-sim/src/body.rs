//! Bodies of tasks: they take a while, end somehow, and write down when.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arco_core::event::FailureClass;
use arco_core::{AttemptId, HostId};
use arco_engine::LeasePlan;
use arco_flow::command::Reported;
use arco_testkit::host::{failed, makes, succeeds};
use arco_testkit::random::Random;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::record::Record;

/// The bodies of one host. Clones share them: the kernel kills without asking the host.
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    record: Record,
    shared: Arc<Mutex<Shared>>,
    /// Something is to be reported.
    pub(crate) news: Arc<Notify>,
}

#[derive(Debug)]
struct Shared {
    random: Random,
    alive: BTreeMap<AttemptId, Alive>,
    /// Facts that nobody has taken yet, per attempt, in order.
    said: BTreeMap<AttemptId, Vec<Reported>>,
}

#[derive(Debug)]
struct Alive {
    task: AbortHandle,
    row: usize,
}

impl Bodies {
    pub(crate) fn new(random: Random, record: Record) -> Self {
        let shared = Shared {
            random,
            alive: BTreeMap::new(),
            said: BTreeMap::new(),
        };
        Self {
            record,
            shared: Arc::new(Mutex::new(shared)),
            news: Arc::default(),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Attempts that are alive, or whose end nobody has taken yet.
    pub(crate) fn held(&self) -> Vec<AttemptId> {
        let shared = self.shared();
        let mut held: Vec<AttemptId> = shared
            .alive
            .keys()
            .chain(shared.said.keys())
            .copied()
            .collect();
        held.sort_unstable();
        held.dedup();
        held
    }

    /// Attempts that are alive.
    pub(crate) fn alive(&self) -> Vec<AttemptId> {
        self.shared().alive.keys().copied().collect()
    }

    /// What is to be reported.
    pub(crate) fn facts(&self) -> Vec<(AttemptId, Reported)> {
        let shared = self.shared();
        let facts = shared.said.iter();
        facts
            .flat_map(|(id, said)| said.iter().map(|said| (*id, said.clone())))
            .collect()
    }

    /// These many facts of each attempt were taken.
    pub(crate) fn taken(&self, facts: &[(AttemptId, Reported)]) {
        let mut shared = self.shared();
        for (id, _) in facts {
            if let Some(said) = shared.said.get_mut(id) {
                said.remove(0);
                if said.is_empty() {
                    shared.said.remove(id);
                }
            }
        }
    }

    /// Begins the body of a lease, unless it is held already.
    pub(crate) fn begin(&self, host: HostId, lease: &LeasePlan) {
        if self.held().contains(&lease.attempt) {
            return;
        }
        let attempt = lease.attempt;
        let row = self.record.began(attempt, host);
        let mut shared = self.shared();
        let time = match shared.random.below(20) {
            0 => shared.random.between(5_000, 25_000),
            1..4 => shared.random.between(1_000, 5_000),
            _ => shared.random.between(0, 1_000),
        };
        let early = shared.random.chance(300);
        let ends = end(&mut shared.random, lease);
        let bodies = self.clone();
        let task = tokio::spawn(async move {
            if early {
                bodies.say(attempt, vec![Reported::Started]);
            }
            tokio::time::sleep(Duration::from_millis(time)).await;
            bodies.record.ended(row);
            bodies.shared().alive.remove(&attempt);
            bodies.say(attempt, ends);
        });
        shared.alive.insert(
            attempt,
            Alive {
                task: task.abort_handle(),
                row,
            },
        );
    }

    fn say(&self, attempt: AttemptId, facts: Vec<Reported>) {
        self.shared().said.entry(attempt).or_default().extend(facts);
        self.news.notify_one();
    }

    /// Kills one body and says so, when it was asked to stop.
    pub(crate) fn cancel(&self, attempt: AttemptId) {
        if self.kill(attempt) {
            self.say(attempt, vec![Reported::Cancelled]);
        }
    }

    /// Kills one body; nothing more is said of it. Says whether it was alive.
    pub(crate) fn kill(&self, attempt: AttemptId) -> bool {
        let mut shared = self.shared();
        let Some(alive) = shared.alive.remove(&attempt) else {
            return false;
        };
        alive.task.abort();
        self.record.ended(alive.row);
        true
    }

    /// Forgets what was to be said of an attempt that is somebody else's by now.
    pub(crate) fn disown(&self, attempt: AttemptId) {
        self.kill(attempt);
        self.shared().said.remove(&attempt);
    }

    /// Kills everything because the deadline is there; what it held, it has lost.
    pub(crate) fn expire(&self) -> usize {
        let alive = self.alive();
        for attempt in &alive {
            self.kill(*attempt);
            self.say(*attempt, vec![failed(FailureClass::WorkerLost)]);
        }
        alive.len()
    }

    /// Gives a lease back that came too late to begin.
    pub(crate) fn give_back(&self, attempt: AttemptId) {
        if !self.held().contains(&attempt) {
            self.say(attempt, vec![Reported::Released]);
        }
    }

    /// Kills everything at once, as a kernel does.
    pub(crate) fn kill_all(&self) {
        for attempt in self.alive() {
            self.kill(attempt);
        }
    }
}

/// What a body says when it ends. Decided at its beginning, so that one generator serves all.
fn end(random: &mut Random, lease: &LeasePlan) -> Vec<Reported> {
    match random.below(20) {
        0..2 => vec![failed(FailureClass::UserCode)],
        2 => {
            let mut said = makes(lease);
            said.push(failed(FailureClass::Crashed));
            said
        }
        3 => vec![Reported::Released],
        _ => succeeds(lease),
    }
}
