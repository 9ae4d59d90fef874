//! Any head, any hint, any snapshot: the same state.

use arco_core::Digest;
use arco_log::{Head, LogError, LogStore, SnapshotRef};
use bytes::Bytes;
use proptest::prelude::*;

use crate::store::{Fault, FaultStore, Op};
use crate::support::{State, grow, open, paths, recover, snapshot};

/// A log of `n` segments with snapshots of fold 1 after those named, read back.
async fn build(store: &LogStore, n: u64, snapshots: &[(u64, u32)]) -> State {
    let log = open(store, "builder").await;
    let mut state = State::new();
    for _ in 0..n {
        grow(&log, state.head, 1).await;
        let next = log.follow(state.head.segment + 1, state.head.digest).await;
        state.apply(&next.unwrap().unwrap());
        for (_, fold) in snapshots.iter().filter(|(at, _)| *at == state.head.segment) {
            snapshot(&log, &state, *fold).await;
        }
    }
    state
}

async fn put_hint(store: &LogStore, text: String) {
    store
        .overwrite(&paths().hint(), Bytes::from(text))
        .await
        .unwrap();
}

#[derive(Debug, Clone)]
enum HintKind {
    Lost,
    Garbage,
    At(u64),
    /// A segment that does not exist, and a snapshot that does not either.
    Wrong,
}

fn hints() -> impl Strategy<Value = HintKind> {
    prop_oneof![
        Just(HintKind::Lost),
        Just(HintKind::Garbage),
        (0_u64..120).prop_map(HintKind::At),
        Just(HintKind::Wrong),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_way_in_leads_to_the_same_state(
        n in 0_u64..120,
        snapshots in prop::collection::vec((1_u64..120, 1_u32..3), 0..4),
        hint in hints(),
        broken in any::<Option<bool>>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let store = LogStore::memory();
            let expected = build(&store, n, &snapshots).await;
            match hint {
                HintKind::Lost => {}
                HintKind::Garbage => put_hint(&store, "{".into()).await,
                HintKind::At(at) => put_hint(&store, format!("{{\"segment\":{at}}}")).await,
                HintKind::Wrong => {
                    let digest = Digest::of(b"nothing");
                    put_hint(&store, format!(
                        r#"{{"segment":99999,"snapshots":[{{"segment":3,"digest":"{digest}"}}]}}"#
                    )).await;
                }
            }
            if let Some(missing) = broken {
                // The newest snapshot is gone, or garbage: an older one or the log makes up for it.
                let listed = store.list(&paths().root().join("snap")).await.unwrap();
                if let Some(newest) = listed.last() {
                    store.delete(newest).await.unwrap();
                    if !missing {
                        store.create_once(newest, Bytes::from_static(b"junk")).await.unwrap();
                    }
                }
            }
            let log = open(&store, "reader").await;
            assert_eq!(recover(&log).await.unwrap(), expected);
            // And it may go on from there.
            grow(&log, expected.head, 2).await;
        });
    }
}

#[tokio::test]
async fn recovery_never_lists_and_with_a_hint_asks_little() {
    let store = FaultStore::memory();
    let logs = LogStore::new(store.clone());
    let state = build(&logs, 200, &[(150, 1), (195, 1)]).await;
    let log = open(&logs, "w").await;
    let before = store.counts();
    assert_eq!(recover(&log).await.unwrap(), state);
    log.refresh_hint(state.head).await;
    let after = store.counts();
    // The one list is that of the log's beginning.
    assert_eq!((before.list, after.list), (1, 1));
    // Without a hint: one step past 1, doubling to 256, then halving. 195's snapshot, five segments.
    assert!(after.head - before.head <= 20, "{before:?} {after:?}");
    assert_eq!(after.get - before.get, 1 + 1 + 1 + 5);

    let log = open(&logs, "x").await;
    let before = store.counts();
    assert_eq!(recover(&log).await.unwrap(), state);
    let after = store.counts();
    assert_eq!((after.get - before.get, after.head - before.head), (8, 3));
    assert_eq!(after.list, 1);
}

#[tokio::test(start_paused = true)]
async fn the_hint_is_written_at_most_every_ten_seconds_and_only_with_news() {
    let store = FaultStore::memory();
    let log = open(&LogStore::new(store.clone()), "w").await;
    let mut head = Head::genesis();
    for _ in 0..50 {
        head = grow(&log, head, 1).await;
        log.refresh_hint(head).await;
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
    }
    assert_eq!(store.counts().overwrite, 5);
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    for written in [6, 6] {
        log.refresh_hint(head).await;
        assert_eq!(store.counts().overwrite, written);
    }
    store.script(Op::Overwrite, Fault::ErrorBefore);
    head = grow(&log, head, 1).await;
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    log.refresh_hint(head).await;
}

#[tokio::test]
async fn segments_name_the_newest_snapshot_and_readers_hand_it_on() {
    let store = LogStore::memory();
    let state = build(&store, 10, &[(4, 1)]).await;
    let log = open(&store, "w").await;
    recover(&log).await.unwrap();
    assert_eq!(log.newest_snapshot().map(|s| s.segment), Some(4));
    let head = grow(&log, state.head, 1).await;
    let segment = log
        .follow(head.segment, state.head.digest)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(segment.header.snapshot, log.newest_snapshot());
}

#[tokio::test]
async fn the_same_state_makes_the_same_snapshot() {
    let store = LogStore::memory();
    let state = build(&store, 3, &[]).await;
    let mut names: Vec<SnapshotRef> = Vec::new();
    for writer in ["a", "b"] {
        let log = open(&store, writer).await;
        names.push(snapshot(&log, &state, 1).await);
    }
    assert_eq!(names[0], names[1]);
    let log = open(&store, "c").await;
    let read = log.get_snapshot(&names[0]).await.unwrap();
    assert_eq!((read.head, read.fold), (state.head, 1));
    assert_eq!(crate::support::text(&read), state.to_bytes());
}

#[tokio::test]
async fn a_missing_segment_or_blob_is_named() {
    let store = LogStore::memory();
    let state = build(&store, 20, &[]).await;
    let log = open(&store, "w").await;
    let blob = log.put_blob(Bytes::from_static(b"manifest")).await.unwrap();
    let mut citing = crate::support::event("citing");
    citing.blobs = vec![blob];
    log.append(crate::support::draft(state.head, &[citing]))
        .await
        .unwrap();
    let blob = log.paths().blob(&blob);
    for gone in [log.paths().segment(7), blob.clone()] {
        let content = store.get(&gone).await.unwrap().unwrap();
        store.delete(&gone).await.unwrap();
        let error = recover(&open(&store, "r").await).await.unwrap_err();
        assert!(
            matches!(&error, LogError::Corrupt { object, .. } if *object == gone.to_string()),
            "{error}"
        );
        store.create_once(&gone, content).await.unwrap();
    }
    store.delete(&blob).await.unwrap();
    store
        .create_once(&blob, Bytes::from_static(b"manifesto"))
        .await
        .unwrap();
    let error = recover(&log).await.unwrap_err().to_string();
    assert!(
        error.contains("its content is not what its name says"),
        "{error}"
    );
}

#[tokio::test]
async fn a_tail_that_was_deleted_below_a_snapshot_is_noticed() {
    let store = LogStore::memory();
    build(&store, 12, &[(9, 1)]).await;
    let log = open(&store, "w").await;
    let state = recover(&log).await.unwrap();
    log.refresh_hint(state.head).await;
    for segment in 6..=12 {
        store.delete(&log.paths().segment(segment)).await.unwrap();
    }
    let error = recover(&open(&store, "r").await).await.unwrap_err();
    assert!(
        matches!(&error, LogError::Corrupt { object, .. } if *object == log.paths().segment(6).to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn a_segment_swapped_for_another_breaks_the_chain() {
    let store = LogStore::memory();
    let state = build(&store, 4, &[]).await;
    // The same events written by another hand: whole in itself, but not what segment 3 follows.
    let other = LogStore::memory();
    let log = open(&other, "forger").await;
    grow(&log, Head::genesis(), 2).await;
    let path = log.paths().segment(2);
    let forged = other.get(&path).await.unwrap().unwrap();
    store.delete(&path).await.unwrap();
    store.create_once(&path, forged).await.unwrap();
    let error = recover(&open(&store, "r").await)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("it follows a segment with digest"),
        "{error}"
    );
    assert_eq!(state.head.segment, 4);
}

#[tokio::test(start_paused = true)]
async fn a_body_cut_short_once_is_read_again() {
    let store = FaultStore::memory();
    let logs = LogStore::new(store.clone());
    let state = build(&logs, 6, &[]).await;
    let log = open(&logs, "w").await;
    for _ in 0..4 {
        store.script(Op::Get, Fault::Truncate);
        store.script(Op::Get, Fault::ErrorBefore);
        store.script_well(Op::Get);
    }
    assert_eq!(recover(&log).await.unwrap(), state);
    for _ in 0..10 {
        store.script(Op::Get, Fault::Flip);
    }
    let error = log.follow(6, Head::genesis().digest).await.unwrap_err();
    assert!(matches!(error, LogError::Corrupt { .. }), "{error}");
}
