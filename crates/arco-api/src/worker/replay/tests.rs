//! Lost answers, impatient callers, failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arco_core::HostId;
use arco_wire::worker::Exchanged;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use super::{KEPT, Replays};
use crate::codes::Code;
use crate::problem::{Answer, Refusal};

fn host(n: u128) -> HostId {
    HostId::from_parts(1, n)
}

#[derive(Clone, Default)]
struct Counter(Arc<AtomicU64>);

impl Counter {
    async fn call(self) -> Answer<Exchanged> {
        Ok(Exchanged {
            lease_ttl_ms: self.0.fetch_add(1, Ordering::SeqCst) + 1,
            ..Exchanged::default()
        })
    }

    fn calls(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn the_same_number_is_the_same_call() {
    let (replays, tasks, counter) = (Replays::default(), TaskTracker::new(), Counter::default());
    for (who, seq, answer, repeated) in [
        (1, 1, 1, false),
        (1, 1, 1, true),
        (1, 2, 2, false),
        (2, 1, 3, false),
        (1, 2, 2, true),
        (2, 1, 3, true),
    ] {
        let got = replays
            .once(&tasks, host(who), seq, counter.clone().call())
            .await
            .unwrap();
        let seen = (got.answer.lease_ttl_ms, got.repeated);
        assert_eq!(seen, (answer, repeated), "host {who}, seq {seq}");
    }
    assert_eq!(counter.calls(), 3);
}

#[tokio::test]
async fn a_call_ends_although_its_caller_hung_up() {
    let (replays, tasks, counter) = (Replays::default(), TaskTracker::new(), Counter::default());
    let go = Arc::new(Notify::new());
    let call = |counter: Counter| {
        let go = Arc::clone(&go);
        async move {
            go.notified().await;
            counter.call().await
        }
    };
    let first = replays.once(&tasks, host(1), 1, call(counter.clone()));
    assert!(
        futures::FutureExt::now_or_never(first).is_none(),
        "it waits, and is dropped here"
    );
    go.notify_one();
    let again = replays
        .once(&tasks, host(1), 1, call(counter.clone()))
        .await
        .unwrap();
    assert_eq!(again.answer.lease_ttl_ms, 1);
    assert_eq!(counter.calls(), 1);
}

#[tokio::test]
async fn a_failed_call_is_tried_again() {
    let (replays, tasks, counter) = (Replays::default(), TaskTracker::new(), Counter::default());
    let failing = async { Err(Refusal::new(Code::StoreUnavailable, "later")) };
    assert!(replays.once(&tasks, host(1), 1, failing).await.is_err());
    assert!(
        replays
            .once(&tasks, host(1), 1, counter.call())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn only_the_last_answers_are_kept() {
    let (replays, tasks, counter) = (Replays::default(), TaskTracker::new(), Counter::default());
    for seq in 0..100 {
        replays
            .once(&tasks, host(1), seq, counter.clone().call())
            .await
            .unwrap();
    }
    assert_eq!(replays.hosts.lock().unwrap()[&host(1)].len(), KEPT);
    replays.forget(host(1));
    assert!(replays.hosts.lock().unwrap().is_empty());
}
