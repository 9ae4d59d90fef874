//! Several writers on a store on a bad day, seed by seed: what was acknowledged is there, once, where
//! it was said to be.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_log::{AppendOutcome, Head, Log, LogError, LogStore};
use object_store::memory::InMemory;

use crate::store::{FaultRates, FaultStore};
use crate::support::{State, append, options, paths, recover};

const WRITERS: usize = 3;
const EACH: usize = 12;

/// Opens and recovers, as often as it takes.
async fn start(store: &LogStore, writer: &str) -> (Log, State) {
    for incarnation in 0.. {
        let options = options(&format!("{writer}.{incarnation}"));
        let opened = async {
            let log = Log::open(store.clone(), paths(), options).await?;
            let state = recover(&log).await?;
            Ok::<_, LogError>((log, state))
        };
        match opened.await {
            Ok(started) => return started,
            Err(error) => assert!(excused(&error), "{error}"),
        }
    }
    unreachable!("the loop above has no end")
}

/// A body cut short twice in a row is rare but looks like damage; anything else must be an outage.
fn excused(error: &LogError) -> bool {
    error.retryable() || matches!(error, LogError::Corrupt { .. })
}

/// Commits `EACH` notes, deciding again after each loss, and says where each was acknowledged.
async fn write(store: LogStore, name: String) -> BTreeMap<String, Option<Head>> {
    let (log, mut state) = start(&store, &name).await;
    let mut acknowledged = BTreeMap::new();
    for n in 0..EACH {
        let note = format!("{name}:{n}");
        // The decision: at most once.
        while !state.notes.contains(&note) {
            match append(&log, state.head, &note).await {
                Ok(AppendOutcome::Committed(head)) => {
                    acknowledged.insert(note.clone(), Some(head));
                    catch_up(&log, &mut state, head.segment).await;
                }
                Ok(AppendOutcome::Lost { winner, .. }) => state.apply(&winner),
                Ok(AppendOutcome::Unknown { .. }) => {}
                Err(error) => assert!(excused(&error), "{error}"),
            }
        }
        acknowledged.entry(note).or_insert(None);
        log.refresh_hint(state.head).await;
    }
    acknowledged
}

async fn catch_up(log: &Log, state: &mut State, to: u64) {
    while state.head.segment < to {
        match log.follow(state.head.segment + 1, state.head.digest).await {
            Ok(Some(segment)) => state.apply(&segment),
            Ok(None) => panic!("a committed segment is not there"),
            Err(error) => assert!(excused(&error), "{error}"),
        }
    }
}

/// One run; returns the head it came to and the faults it met.
fn run(seed: u64) -> (State, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = FaultStore::new(Arc::new(InMemory::new()), seed, FaultRates::rough());
        let logs = LogStore::new(store.clone());
        let writers = (0..WRITERS).map(|w| tokio::spawn(write(logs.clone(), format!("w{w}"))));
        let answers = futures::future::join_all(writers).await;
        let faults = store.faults();
        store.set_rates(FaultRates::default());
        store.settle().await;

        let (log, state) = start(&logs, "auditor").await;
        let mut heads = BTreeMap::from([(0, Head::genesis())]);
        let mut follow = Head::genesis();
        while let Some(segment) = log.follow(follow.segment + 1, follow.digest).await.unwrap() {
            follow = segment.head();
            heads.insert(follow.segment, follow);
        }
        for answer in answers {
            for (note, acknowledged) in answer.unwrap() {
                let times = state.notes.iter().filter(|found| **found == note).count();
                assert_eq!(times, 1, "seed {seed}: {note} is in the log {times} times");
                if let Some(head) = acknowledged {
                    assert_eq!(heads.get(&head.segment), Some(&head), "seed {seed}: {note}");
                }
            }
        }
        assert_eq!(state.notes.len(), WRITERS * EACH, "seed {seed}");
        let report = log.verify().await.unwrap();
        assert!(report.is_sound(), "seed {seed}: {report:?}");
        (state, faults)
    })
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_written_twice() {
    let mut faults = 0;
    for seed in 0..40 {
        faults += run(seed).1;
    }
    assert!(
        faults > 2_000,
        "only {faults} faults: the store was too kind"
    );
}

#[test]
fn the_same_seed_gives_the_same_log() {
    for seed in [3, 17] {
        assert_eq!(run(seed), run(seed));
    }
    assert_ne!(run(3).0, run(17).0);
}
