//! What every store has to do, memory and folder alike.

use std::collections::BTreeSet;

use arco_log::{AppendOutcome, LogError, LogStore, ObjectPath};
use bytes::Bytes;

use crate::support::{State, append, open, recover, snapshot};

/// Runs `check` over each kind of store.
macro_rules! on_all_stores {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(arco_log::LogStore::memory()).await;
            })*
        }
        mod folder {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("file:{}", folder.path().display());
                super::$name(arco_log::LogStore::open(&url).unwrap()).await;
            })*
        }
    };
}

on_all_stores![
    create_makes_an_object_once,
    of_many_creators_exactly_one_wins,
    reads_answer_what_is_there_and_none_for_what_is_not,
    the_same_object_again_is_success_and_another_is_a_conflict,
    many_writers_lose_nothing_and_repeat_nothing,
    a_log_outlives_its_handles,
];

fn path(text: &str) -> ObjectPath {
    ObjectPath::from(text)
}

async fn create_makes_an_object_once(store: LogStore) {
    let at = path("a/b");
    store.create(&at, Bytes::from_static(b"1")).await.unwrap();
    let unsure = store.create(&at, Bytes::from_static(b"2")).await;
    assert!(unsure.unwrap_err().claims_existing());
    assert_eq!(store.get(&at).await.unwrap().unwrap(), "1");
}

async fn of_many_creators_exactly_one_wins(store: LogStore) {
    for round in 0..15 {
        let at = path(&format!("race/{round}"));
        let racers = (0..8).map(|racer| {
            let (store, at) = (store.clone(), at.clone());
            tokio::spawn(async move {
                let won = store
                    .create(&at, Bytes::from(format!("racer {racer}")))
                    .await;
                won.is_ok().then_some(racer)
            })
        });
        let mut winners = Vec::new();
        for answer in futures::future::join_all(racers).await {
            winners.extend(answer.unwrap());
        }
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let found = store.get(&at).await.unwrap().unwrap();
        assert_eq!(found, format!("racer {}", winners[0]));
    }
}

async fn reads_answer_what_is_there_and_none_for_what_is_not(store: LogStore) {
    let at = path("x/y");
    assert_eq!(store.get(&at).await.unwrap(), None);
    assert_eq!(store.get_range(&at, 0..2).await.unwrap(), None);
    assert_eq!(store.head(&at).await.unwrap(), None);
    store.delete(&at).await.unwrap();
    store
        .overwrite(&at, Bytes::from_static(b"old"))
        .await
        .unwrap();
    store
        .overwrite(&at, Bytes::from_static(b"newer"))
        .await
        .unwrap();
    assert_eq!(store.get(&at).await.unwrap().unwrap(), "newer");
    assert_eq!(store.get_range(&at, 1..3).await.unwrap().unwrap(), "ew");
    let info = store.head(&at).await.unwrap().unwrap();
    assert!(info.size == 5 && info.modified.0 > 1_700_000_000_000);
    store.create(&path("x/a"), Bytes::new()).await.unwrap();
    store.create(&path("z"), Bytes::new()).await.unwrap();
    assert_eq!(
        store.list(&path("x")).await.unwrap(),
        [path("x/a"), path("x/y")]
    );
    store.delete(&at).await.unwrap();
    assert_eq!(store.head(&at).await.unwrap(), None);
}

async fn the_same_object_again_is_success_and_another_is_a_conflict(store: LogStore) {
    let at = path("once");
    for _ in 0..2 {
        store
            .create_once(&at, Bytes::from_static(b"same"))
            .await
            .unwrap();
    }
    let error = store.create_once(&at, Bytes::from_static(b"other")).await;
    assert!(matches!(error, Err(LogError::Conflict { .. })), "{error:?}");
}

async fn many_writers_lose_nothing_and_repeat_nothing(store: LogStore) {
    let writers = (0..4).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            let log = open(&store, &format!("w{writer}")).await;
            let mut state = recover(&log).await.unwrap();
            let mut lost = 0;
            for n in 0..10 {
                let text = format!("{writer}:{n}");
                loop {
                    // Between knowing the head and putting after it: here the others come in, even
                    // on one core with a store that never waits.
                    tokio::task::yield_now().await;
                    match append(&log, state.head, &text).await.unwrap() {
                        AppendOutcome::Committed(head) => {
                            // What was committed is read back like anybody's.
                            let own = log.follow(head.segment, state.head.digest).await;
                            state.apply(&own.unwrap().unwrap());
                            assert_eq!(state.head, head);
                            break;
                        }
                        AppendOutcome::Lost { winner, ours } => {
                            assert!(!ours);
                            state.apply(&winner);
                            lost += 1;
                        }
                        AppendOutcome::Unknown { cause } => panic!("{cause}"),
                    }
                }
            }
            lost
        })
    });
    let mut lost = 0;
    for writer in futures::future::join_all(writers).await {
        lost += writer.unwrap();
    }
    let log = open(&store, "reader").await;
    let state = recover(&log).await.unwrap();
    assert_eq!(state.head.segment, 40);
    let distinct: BTreeSet<_> = state.notes.iter().collect();
    assert_eq!(distinct.len(), 40);
    assert!(lost > 0, "the writers never met");
    assert!(log.verify().await.unwrap().is_sound());
}

async fn a_log_outlives_its_handles(store: LogStore) {
    let mut state = State::new();
    for round in 0..4 {
        let log = open(&store, &format!("w{round}")).await;
        assert_eq!(recover(&log).await.unwrap(), state);
        let blob = log
            .put_blob(Bytes::from(format!("blob {round}")))
            .await
            .unwrap();
        let mut citing = crate::support::event(&format!("round {round}"));
        citing.blobs = vec![blob];
        let outcome = log
            .append(crate::support::draft(state.head, &[citing]))
            .await;
        assert!(
            matches!(outcome, Ok(AppendOutcome::Committed(_))),
            "{outcome:?}"
        );
        let segment = log.follow(state.head.segment + 1, state.head.digest).await;
        let segment = segment.unwrap().unwrap();
        assert_eq!(segment.blobs.get(&blob).unwrap(), &format!("blob {round}"));
        state.apply(&segment);
        assert!(
            log.follow(state.head.segment + 1, state.head.digest)
                .await
                .unwrap()
                .is_none()
        );
        snapshot(&log, &state, 1).await;
        log.refresh_hint(state.head).await;
    }
}
