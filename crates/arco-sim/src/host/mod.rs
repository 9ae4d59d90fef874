//! A worker host by the protocol: it calls, keeps its deadline, and carries out bodies.
//!
//! Four tasks: the host's own loop of exchanges, signs of life and evaluations beside it, and the kernel. The
//! deadline is counted from before a call was sent; the kernel kills the bodies at that moment even
//! when the host itself stands still.

pub(crate) mod evaluations;
mod exchange;
mod gate;
mod kernel;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arco_core::HostId;
use arco_engine::EngineError;
use arco_flow::Rejection;
use arco_flow::command::{Answer, HostHello};
use arco_testkit::SeededIds;
use arco_testkit::random::Random;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::body::Bodies;
use crate::network::{CallError, Network};
use crate::planted::Planted;
use crate::record::Record;

use gate::Gate;

/// As the engines' settings have it.
const LEASE: Duration = Duration::from_secs(5);
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Tasks a host runs at once.
const SLOTS: usize = 3;

/// The code location of every host.
pub(crate) const LOCATION: &str = "main";

/// What a host process is made of.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) network: Network,
    pub(crate) ids: SeededIds,
    pub(crate) record: Record,
    pub(crate) planted: Planted,
}

/// A machine that runs one host process after another.
#[derive(Debug)]
pub(crate) struct Machine {
    parts: Parts,
    random: Random,
    process: Option<(JoinHandle<()>, Shared)>,
    gate: Gate,
}

impl Machine {
    pub(crate) fn new(parts: Parts, random: Random) -> Self {
        Self {
            parts,
            random,
            process: None,
            gate: Gate::default(),
        }
    }

    pub(crate) fn start(&mut self) {
        self.gate.open();
        if self.process.is_some() {
            return;
        }
        let urls = self.parts.network.urls();
        let shared = Shared::new(Current {
            id: self.parts.ids.host(),
            url: self.random.pick(&urls).clone(),
            registered: false,
            bodies: Bodies::new(self.random.split(), self.parts.record.clone()),
        });
        let host = Host {
            parts: self.parts.clone(),
            random: self.random.split(),
            shared: shared.clone(),
            deadline: watch::Sender::new(Instant::now()),
            gate: self.gate.clone(),
            calls: 0,
        };
        self.process = Some((tokio::spawn(host.run()), shared));
    }

    /// kill -9 of the host: its bodies die with their zygote a moment later.
    pub(crate) fn kill(&mut self) {
        let Some((host, shared)) = self.process.take() else {
            return;
        };
        self.parts.record.count("hosts killed");
        host.abort();
        let wait = Duration::from_millis(self.random.between(0, 200));
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            shared.bodies().kill_all();
        });
    }

    /// SIGSTOP and SIGCONT of the host process alone.
    pub(crate) fn stall(&self, stalled: bool) {
        if stalled {
            self.parts.record.count("hosts stalled");
            self.gate.close();
        } else {
            self.gate.open();
        }
    }
}

/// Who a host process is at the moment.
#[derive(Debug, Clone)]
struct Current {
    id: HostId,
    /// Where it believes the leader to be.
    url: String,
    registered: bool,
    bodies: Bodies,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Mutex<Current>>);

impl Shared {
    fn new(current: Current) -> Self {
        Self(Arc::new(Mutex::new(current)))
    }

    fn now(&self) -> Current {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn bodies(&self) -> Bodies {
        self.now().bodies
    }

    fn change(&self, change: impl FnOnce(&mut Current)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

struct Host {
    parts: Parts,
    random: Random,
    shared: Shared,
    /// When the bodies must be dead; moved by answers, watched by the kernel.
    deadline: watch::Sender<Instant>,
    gate: Gate,
    calls: u64,
}

/// Ends with its owner.
struct Owned(JoinHandle<()>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Host {
    async fn run(mut self) {
        let kernel = kernel::kill_at(
            self.deadline.subscribe(),
            self.shared.clone(),
            self.parts.clone(),
        );
        let _kernel = Owned(tokio::spawn(kernel));
        let beats = kernel::beat(
            self.parts.clone(),
            self.shared.clone(),
            self.deadline.clone(),
            self.gate.clone(),
        );
        let _beats = Owned(tokio::spawn(beats));
        let evaluations = evaluations::evaluate(
            self.parts.clone(),
            self.random.split(),
            self.shared.clone(),
            self.gate.clone(),
        );
        let _evaluations = Owned(tokio::spawn(evaluations));
        loop {
            self.gate.pass().await;
            let went_well = if self.shared.now().registered {
                self.exchange().await
            } else {
                self.register().await
            };
            let pause = if went_well {
                1
            } else {
                self.random.between(200, 800)
            };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    fn call_id(&mut self) -> String {
        self.calls += 1;
        format!("{}-{}", self.shared.now().id, self.calls)
    }

    async fn register(&mut self) -> bool {
        let call = self.call_id();
        let now = self.shared.now();
        let hello = HostHello {
            host: now.id,
            location: LOCATION.into(),
            hostname: self.parts.name.clone(),
            pid: 1,
            slots: u32::try_from(SLOTS).unwrap_or(1),
            live: now.bodies.held(),
        };
        let sent = Instant::now();
        let asked = self
            .parts
            .network
            .call(&self.parts.name, &now.url, |engine| async move {
                engine.register_host("worker:main", &call, hello).await
            });
        let answer = asked.await;
        self.gate.pass().await;
        match answer {
            Ok(committed) => {
                heard(&self.deadline, sent);
                self.shared.change(|now| now.registered = true);
                if let Answer::Attached { killed, .. } = committed.answer {
                    killed
                        .into_iter()
                        .for_each(|attempt| now.bodies.disown(attempt));
                }
                self.parts.record.count("hosts attached");
                true
            }
            Err(error) => self.refused(&error),
        }
    }

    /// Finds out what a refusal asks for; says whether to go on at once.
    fn refused(&mut self, error: &CallError) -> bool {
        self.parts.record.count(error.code());
        match error {
            CallError::Refused(EngineError::Rejected(Rejection::UnknownHost(_))) => {
                self.shared.change(|now| now.registered = false);
                return true;
            }
            CallError::Refused(EngineError::Rejected(Rejection::Fenced(_))) => {
                self.start_over();
                return true;
            }
            _ => {}
        }
        let told = match error {
            CallError::Refused(EngineError::NotLeader { url }) => Some(url.clone()),
            _ => None,
        };
        // Half the time it looks for itself: who it was sent to may be gone.
        let urls = self.parts.network.urls();
        let somewhere = self.random.pick(&urls).clone();
        let url = told
            .filter(|url| urls.contains(url) && self.random.chance(500))
            .unwrap_or(somewhere);
        self.shared.change(|now| now.url = url);
        false
    }

    /// Declared lost: everything is killed, and a new host takes over.
    fn start_over(&mut self) {
        self.parts.record.count("hosts fenced");
        self.shared.bodies().kill_all();
        let id = self.parts.ids.host();
        let bodies = Bodies::new(self.random.split(), self.parts.record.clone());
        self.shared.change(|now| {
            now.id = id;
            now.registered = false;
            now.bodies = bodies;
        });
    }
}

/// A call was answered that was sent then.
fn heard(deadline: &watch::Sender<Instant>, sent: Instant) {
    deadline.send_modify(|deadline| *deadline = (*deadline).max(sent + LEASE));
}
