//! `verify` finds each kind of damage and goes on; `show` reads from anywhere.

use arco_core::Timestamp;
use arco_core::event::Position;
use arco_log::{AppendOutcome, Draft, Head, Log, LogStore};
use bytes::Bytes;

use crate::support::{event, grow, open};

async fn with_time(log: &Log, after: Head, header: i64, event_time: i64) -> Head {
    let mut late = event("timed");
    late.time = Timestamp(event_time);
    let events = [late];
    let draft = Draft {
        after,
        time: Timestamp(header),
        epoch: None,
        fold: 1,
        events: &events,
    };
    match log.append(draft).await.unwrap() {
        AppendOutcome::Committed(head) => head,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_sound_log_is_reported_with_its_sizes() {
    let store = LogStore::memory();
    let log = open(&store, "w").await;
    let blob = log.put_blob(Bytes::from_static(b"big")).await.unwrap();
    let mut citing = event("a");
    citing.blobs = vec![blob];
    let events = [citing.clone(), citing];
    log.append(crate::support::draft(Head::genesis(), &events))
        .await
        .unwrap();
    let mut report = log.verify().await.unwrap();
    assert!(report.digest.take().is_some());
    insta::assert_json_snapshot!(report, @r#"
    {
      "first": 1,
      "last": 1,
      "digest": null,
      "segments": 1,
      "events": 2,
      "blobs": 1,
      "snapshots": 0,
      "findings": []
    }
    "#);
}

#[tokio::test]
async fn every_damage_is_found_in_one_pass() {
    let store = LogStore::memory();
    let log = open(&store, "w").await;
    let mut head = grow(&log, Head::genesis(), 9).await;
    head = with_time(&log, head, 1_800_000_000_000, 1_800_000_000_000).await;
    head = with_time(&log, head, 1_700_000_000_000, 1_750_000_000_000).await;
    let path = |n| log.paths().segment(n);
    store.delete(&path(3)).await.unwrap();
    store.delete(&path(6)).await.unwrap();
    store
        .create_once(&path(6), Bytes::from_static(b"zeros"))
        .await
        .unwrap();
    let report = log.verify().await.unwrap();
    let found: Vec<String> = report
        .findings
        .iter()
        .map(|f| {
            let n = f.object.rsplit('/').next().unwrap().trim_start_matches('0');
            format!("{n}: {}", f.problem)
        })
        .collect();
    insta::assert_debug_snapshot!(found, @r#"
    [
        "3: it is missing and later ones are there",
        "6: it is not a zstd frame; put this object back from a backup or from the bucket's older versions, then run `arco log verify`",
        "11: its header goes back in time to 2023-11-14T22:13:20.000Z",
        "11: event 11.0 goes back in time to 2025-06-15T15:06:40.000Z",
    ]
    "#);
    assert_eq!((report.segments, report.last), (9, head.segment));
}

#[tokio::test]
async fn a_gap_is_one_finding_and_what_follows_it_is_judged_by_itself() {
    let store = LogStore::memory();
    let log = open(&store, "w").await;
    let mut head = grow(&log, Head::genesis(), 2).await;
    for n in 0..4 {
        head = with_time(&log, head, 1_900_000_000_000 + n, 1_900_000_000_000 + n).await;
    }
    with_time(&log, head, 1_800_000_000_000, 1_800_000_000_000).await;
    for n in 4..=6 {
        store.delete(&log.paths().segment(n)).await.unwrap();
    }
    let report = log.verify().await.unwrap();
    let found: Vec<&str> = report.findings.iter().map(|f| f.problem.as_str()).collect();
    assert_eq!(
        found,
        ["segments 4 to 6 are missing and later ones are there"]
    );
    assert_eq!(report.findings[0].object, log.paths().segment(4).as_ref());
}

#[tokio::test]
async fn show_starts_anywhere_and_goes_on_at_the_tail() {
    let store = LogStore::memory();
    let log = open(&store, "w").await;
    let mut head = Head::genesis();
    for _ in 0..4 {
        let events = [event("a"), event("b"), event("c")];
        match log
            .append(crate::support::draft(head, &events))
            .await
            .unwrap()
        {
            AppendOutcome::Committed(next) => head = next,
            other => panic!("{other:?}"),
        }
    }
    let rows = [
        ((0, 0), "1.0"),
        ((1, 2), "1.2"),
        ((2, 3), "3.0"),
        ((4, 1), "4.1"),
    ];
    for ((segment, index), first) in rows {
        let mut cursor = log.events_from(Position { segment, index });
        let (at, _) = cursor.next().await.unwrap().unwrap();
        assert_eq!(at.to_string(), first);
        let mut last = at;
        while let Some((at, _)) = cursor.next().await.unwrap() {
            assert!(at > last);
            last = at;
        }
        assert_eq!(last.to_string(), "4.2");
    }
    let mut cursor = log.events_from(Position {
        segment: 5,
        index: 0,
    });
    assert!(cursor.next().await.unwrap().is_none());
    grow(&log, head, 1).await;
    assert_eq!(cursor.next().await.unwrap().unwrap().0.to_string(), "5.0");
}
