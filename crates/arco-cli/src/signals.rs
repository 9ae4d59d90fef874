//! Being asked to stop: once politely, twice not.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::{Attempt, Outcome};

/// What SIGINT, SIGTERM and SIGHUP ask for.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    /// The first signal: end what is under way, then go.
    pub(crate) graceful: CancellationToken,
    /// The second: go.
    pub(crate) hard: CancellationToken,
}

impl Stop {
    /// Listens from now on. A terminal that closes counts as asking.
    pub(crate) fn listen() -> Outcome<Self> {
        let mut signals = Signals::new().attempt(|| "could not listen for signals")?;
        let stop = Self {
            graceful: CancellationToken::new(),
            hard: CancellationToken::new(),
        };
        let heard = stop.clone();
        tokio::spawn(async move {
            signals.next().await;
            heard.graceful.cancel();
            signals.next().await;
            heard.hard.cancel();
        });
        Ok(stop)
    }

    /// `work`, or `None` when the second signal came first.
    pub(crate) async fn unless_hard<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.hard.cancelled() => None,
        }
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
