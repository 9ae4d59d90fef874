//! What everyone saw, written down for the judge.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arco_core::event::Position;
use arco_core::{AttemptId, Digest, HostId, RunId};
use tokio::time::Instant;

/// A body's own account of itself.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) attempt: AttemptId,
    pub(crate) host: HostId,
    pub(crate) start: Instant,
    /// When it returned, raised or was killed.
    pub(crate) end: Option<Instant>,
}

/// An answer that somebody received and relies on.
#[derive(Debug, Clone)]
pub(crate) enum Acked {
    /// A run stands, made now or before.
    Run {
        run: RunId,
        run_key: Option<String>,
        created: bool,
        position: Position,
    },
    /// A run was asked to stop.
    Cancel(RunId),
    /// The end of an attempt was taken.
    End(AttemptId),
    /// An attempt was leased to a host.
    Lease(AttemptId, HostId),
    /// A message was accepted, now or before.
    Message(String),
    /// Definitions are current.
    Deploy(Digest),
}

/// Everything that was seen. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) bodies: Vec<Body>,
    pub(crate) acked: Vec<Acked>,
    /// State hash by position, as some replica had it.
    pub(crate) hashes: BTreeMap<Position, Digest>,
    /// What was found wrong on the way.
    pub(crate) wrong: Vec<String>,
    /// Counts of what happened, by name: a simulation in which nothing happens proves nothing.
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

impl Record {
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, what: &'static str) {
        *self.seen().counts.entry(what).or_default() += 1;
    }

    pub(crate) fn acked(&self, what: Acked) {
        self.seen().acked.push(what);
    }

    pub(crate) fn began(&self, attempt: AttemptId, host: HostId) -> usize {
        let mut seen = self.seen();
        seen.bodies.push(Body {
            attempt,
            host,
            start: Instant::now(),
            end: None,
        });
        seen.bodies.len() - 1
    }

    pub(crate) fn ended(&self, body: usize) {
        let mut seen = self.seen();
        let body = &mut seen.bodies[body];
        body.end.get_or_insert_with(Instant::now);
    }

    /// A replica's state at a position.
    pub(crate) fn state(&self, replica: &str, at: Position, hash: Digest) {
        let mut seen = self.seen();
        let known = *seen.hashes.entry(at).or_insert(hash);
        if known != hash {
            let wrong = format!("replica {replica} has another state at {at} than another replica");
            seen.wrong.push(wrong);
        }
    }
}
