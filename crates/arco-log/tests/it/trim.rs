//! Old blocks go, and no stalled reader or writer is fooled by the empty slots.

use std::time::Duration;

use arco_core::Timestamp;
use arco_log::{AppendOutcome, BLOCK, Log, LogError, LogStore};
use bytes::Bytes;

use crate::support::{State, append, grow, open, paths, recover, snapshot};

const A_DAY: Duration = Duration::from_secs(25 * 3600);

/// A log past its first block, with two snapshots, and that block declared dead. What is returned
/// recovers from any of its parts.
async fn trimmed(store: &LogStore) -> (Log, State) {
    let log = open(store, "main").await;
    let mut state = State::new();
    let mut snapshots = Vec::new();
    while state.head.segment < BLOCK + 30 {
        let next = grow(&log, state.head, 1).await;
        let segment = log.follow(next.segment, state.head.digest).await.unwrap();
        state.apply(&segment.unwrap());
        // Notes would make each state as long as the log.
        state.notes.clear();
        if [50, BLOCK + 10, BLOCK + 20].contains(&state.head.segment) {
            snapshots.push(snapshot(&log, &state, 1).await);
        }
    }
    log.tombstone(0, &snapshots[1]).await.unwrap();
    (log, state)
}

fn far() -> Timestamp {
    Timestamp(i64::MAX / 2)
}

async fn summary(log: &Log) -> Result<(u64, arco_core::Digest), LogError> {
    recover(log)
        .await
        .map(|state| (state.head.segment, state.sum))
}

fn is_reload<T: std::fmt::Debug>(result: &Result<T, LogError>) -> bool {
    matches!(result, Err(LogError::Reload { block: 0 }))
}

#[tokio::test(start_paused = true)]
async fn whoever_stalled_before_a_trim_reloads_and_loses_nothing() {
    let store = LogStore::memory();
    let stalled: Vec<Log> = futures::future::join_all(
        ["writer", "reader", "orphan reader"].map(|name| open(&store, name)),
    )
    .await;
    let mut at = State::new();
    {
        let log = open(&store, "early").await;
        for _ in 0..5 {
            let next = grow(&log, at.head, 1).await;
            at.apply(
                &log.follow(next.segment, at.head.digest)
                    .await
                    .unwrap()
                    .unwrap(),
            );
        }
    }
    for log in &stalled {
        assert_eq!(recover(log).await.unwrap().head, at.head);
    }
    let main = open(&store, "main").await;
    let mut head = grow(&main, at.head, BLOCK + 20).await;
    let state = recover(&main).await.unwrap();
    let keep = snapshot(&main, &state, 1).await;
    let early = main.tombstone(0, &keep).await.unwrap_err().to_string();
    assert!(
        early.contains("no segment of the log names a snapshot"),
        "{early}"
    );
    head = grow(&main, head, 1).await;
    main.tombstone(0, &keep).await.unwrap();
    tokio::time::advance(A_DAY).await;
    assert_eq!(main.delete_block(0, far()).await.unwrap(), BLOCK - 1);

    // The writer's create succeeds in a slot that was deleted, and is not believed.
    let outcome = append(&stalled[0], at.head, "late").await;
    assert!(is_reload(&outcome), "{outcome:?}");
    assert!(store.head(&paths().segment(6)).await.unwrap().is_some());
    // A reader that finds the orphan does not believe it, nor the empty slot after it.
    let found = stalled[1].follow(6, at.head.digest).await;
    assert!(is_reload(&found), "{found:?}");
    let found = stalled[2].follow(7, at.head.digest).await;
    assert!(is_reload(&found), "{found:?}");
    // All of them find the log again, and the writer's event is not in it.
    for log in &stalled {
        let state = recover(log).await.unwrap();
        assert_eq!(state.head, head);
        assert!(!state.notes.iter().any(|note| note == "late"));
    }
    let outcome = append(&stalled[0], head, "late").await.unwrap();
    let AppendOutcome::Committed(next) = outcome else {
        panic!("{outcome:?}");
    };
    head = next;
    assert_eq!(recover(&main).await.unwrap().head, head);
}

#[tokio::test]
async fn recovery_finds_a_trimmed_log_whatever_the_hint_says() {
    let store = LogStore::memory();
    let (log, state) = trimmed(&store).await;
    let expected = (state.head.segment, state.sum);
    let all = store.list(&paths().log()).await.unwrap();
    let old_snapshot = store.list(&paths().root().join("snap")).await.unwrap();
    let old = old_snapshot[0]
        .filename()
        .unwrap()
        .split_once('-')
        .unwrap()
        .1
        .to_owned();
    let stale = format!(r#"{{"segment":60,"snapshots":[{{"segment":50,"digest":"{old}"}}]}}"#);
    let hints = [
        None,
        Some("{".to_owned()),
        Some(stale),
        Some(r#"{"segment":9999}"#.into()),
    ];
    // Deleting goes from the last segment of the block to the first, and may stop anywhere.
    for left in [BLOCK - 1, BLOCK - 2, 61, 60, 55, 51, 50, 1, 0] {
        for path in all.iter().filter(|path| {
            let n = log.paths().segment_number(path).unwrap();
            n > left && n < BLOCK
        }) {
            store.delete(path).await.unwrap();
        }
        for hint in &hints {
            store.delete(&paths().hint()).await.unwrap();
            if let Some(text) = hint {
                store
                    .overwrite(&paths().hint(), Bytes::from(text.clone()))
                    .await
                    .unwrap();
            }
            let log = open(&store, &format!("r{left}")).await;
            assert_eq!(summary(&log).await.unwrap(), expected, "{left} {hint:?}");
        }
    }
    let report = log.verify().await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(
        (report.first, report.last, report.segments),
        (BLOCK, BLOCK + 30, 31)
    );

    // Without any snapshot there is no way back, and that is said.
    for path in store.list(&paths().root().join("snap")).await.unwrap() {
        store.delete(&path).await.unwrap();
    }
    let error = summary(&open(&store, "r").await).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no snapshot of what came before"),
        "{error}"
    );
}

#[tokio::test]
async fn trimming_too_much_or_too_early_is_refused() {
    let store = LogStore::memory();
    let (log, state) = trimmed(&store).await;
    let newest = log.newest_snapshot().unwrap();
    let rows = [
        (log.tombstone(1, &newest).await, "not wholly below snapshot"),
        (
            log.tombstone(
                0,
                &arco_log::SnapshotRef {
                    segment: BLOCK * 3,
                    digest: state.sum,
                },
            )
            .await,
            "no segment of the log names",
        ),
        (
            log.delete_block(0, Timestamp(0)).await.map(|_| ()),
            "a day old",
        ),
        (log.delete_block(1, far()).await.map(|_| ()), "a day old"),
    ];
    for (result, expected) in rows {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    log.tombstone(0, &newest).await.unwrap();
}
