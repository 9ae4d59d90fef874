//! Reports count once: the last calls of each host, by their sequence number.
//!
//! The fold already makes the end of an attempt count once. What it cannot tell apart is a host that
//! materialized twice from a host that said it twice, because an answer was lost; the sequence number
//! can. The memory is this process's: after a restart the few reports whose answer was lost with
//! the old process may be said twice, which the end of their attempt then settles.
//!
//! A repeat learns what became of its reports, and only that. Leases and the sign of life must be of
//! now: a remembered answer would hand tasks to a host that was declared lost meanwhile, and on a
//! deposed leader it would stretch the host's deadline without the new leader knowing.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use arco_core::HostId;
use arco_wire::worker::Exchanged;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio_util::task::TaskTracker;

use crate::codes::Code;
use crate::problem::{Answer, Refusal};

/// Answers kept per host. A host repeats its last call, and has few at once.
const KEPT: usize = 8;

/// Hosts remembered. Those that leave are forgotten at once; these are the ones that died.
const HOSTS_MAX: usize = 10_000;

type Call = Shared<BoxFuture<'static, Answer<Exchanged>>>;

/// A call that was carried out.
#[derive(Debug)]
pub(crate) struct Done {
    /// What it answered when it was.
    pub(crate) answer: Exchanged,
    /// Whether an earlier caller had it carried out.
    pub(crate) repeated: bool,
}

/// Calls under way and their answers.
#[derive(Default)]
pub(crate) struct Replays {
    hosts: Mutex<HashMap<HostId, BTreeMap<u64, Call>>>,
}

impl Replays {
    /// Runs `call`, or joins the same call when it is under way or was answered. The call runs to
    /// its end on `tasks` even when nobody waits for it any more. A failed call is not kept: its
    /// repeat is tried again.
    pub(crate) async fn once(
        &self,
        tasks: &TaskTracker,
        host: HostId,
        seq: u64,
        call: impl Future<Output = Answer<Exchanged>> + Send + 'static,
    ) -> Answer<Done> {
        let (joined, repeated) = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            if hosts.len() >= HOSTS_MAX && !hosts.contains_key(&host) {
                hosts.clear();
            }
            let calls = hosts.entry(host).or_default();
            let repeated = calls.contains_key(&seq);
            let joined = calls
                .entry(seq)
                .or_insert_with(|| spawn(tasks, call))
                .clone();
            while calls.len() > KEPT {
                calls.pop_first();
            }
            (joined, repeated)
        };
        let answer = joined.clone().await;
        if answer.is_err() {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            // Only this call: its repeat may stand there already.
            if let Some(calls) = hosts.get_mut(&host)
                && calls.get(&seq).is_some_and(|call| call.ptr_eq(&joined))
            {
                calls.remove(&seq);
            }
        }
        answer.map(|answer| Done { answer, repeated })
    }

    /// A host that left says nothing again.
    pub(crate) fn forget(&self, host: HostId) {
        self.hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&host);
    }
}

fn spawn(
    tasks: &TaskTracker,
    call: impl Future<Output = Answer<Exchanged>> + Send + 'static,
) -> Call {
    let running = tasks.spawn(call);
    async move {
        running.await.unwrap_or_else(|_| {
            Err(Refusal::new(
                Code::Internal,
                "the exchange broke off; its repeat is safe",
            ))
        })
    }
    .boxed()
    .shared()
}
