//! A segment once written reads for ever, and what is written today is what was written yesterday.

use arco_core::event::{Cause, Position, RawEvent};
use arco_core::{Digest, Timestamp};
use arco_log::{Draft, Head, LogStore, ObjectPath, SnapshotAt};
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::support::{open, paths, text};

const SEGMENT: &[u8] = include_bytes!("../golden/segment-1.zst");
const SEGMENT_TEXT: &str = include_str!("../golden/segment-1.jsonl");
const SNAPSHOT: &[u8] = include_bytes!("../golden/snapshot-1.zst");
const SNAPSHOT_DIGEST: &str = "087c77334c2e68f32279bb0870a8966e4bf6f7fa5424d3e66723e599602ca36a";
/// The same state in format 2.
const SNAPSHOT_2_DIGEST: &str = "6b0923c5a9acc1547746299f61ae45ede4820c3e2e9c8518faaecd2fb4fa083d";

fn events() -> Vec<RawEvent> {
    let event = |kind: &str, payload: &str| RawEvent {
        kind: kind.into(),
        version: 1,
        time: Timestamp(1_767_225_600_000),
        principal: "client:ada".into(),
        cause: Cause::Command("req_01".into()),
        epoch: None,
        definitions: None,
        ignorable: false,
        blobs: Vec::new(),
        payload: RawValue::from_string(payload.into()).unwrap(),
    };
    vec![
        event("run.requested", r#"{"run":"run_1","note":"naïve ✓"}"#),
        RawEvent {
            principal: "controller:dispatch".into(),
            cause: Cause::Event(Position {
                segment: 1,
                index: 0,
            }),
            epoch: Some(7),
            definitions: Some(("flights".into(), Digest::of(b"definitions"))),
            ignorable: true,
            blobs: vec![Digest::of(b"blob")],
            version: 2,
            ..event("attempt.leased", r#"{"attempt":"run_1.0.1"}"#)
        },
    ]
}

async fn written() -> (LogStore, Bytes) {
    let store = LogStore::memory();
    let log = open(&store, "w_golden").await;
    let state = SnapshotAt {
        head: Head::genesis(),
        fold: 1,
    };
    let snapshot = log
        .encode_snapshot(state, |out| out.write_all(b"{\"state\":\"golden\"}"))
        .unwrap();
    log.put_snapshot(snapshot).await.unwrap();
    let events = events();
    let draft = Draft {
        after: Head::genesis(),
        time: Timestamp(1_767_225_600_005),
        epoch: Some(7),
        fold: 1,
        events: &events,
    };
    let encoded = log.encode(draft).unwrap();
    (store, encoded.bytes().clone())
}

#[tokio::test]
async fn the_text_of_a_segment_does_not_change() {
    let (_, bytes) = written().await;
    let text = zstd::decode_all(bytes.as_ref()).unwrap();
    let text = String::from_utf8(text).unwrap();
    // It names a snapshot, which has format 2 by now; the digest in the footer follows from that.
    let golden = SEGMENT_TEXT.replace(SNAPSHOT_DIGEST, SNAPSHOT_2_DIGEST);
    let lines = |text: &str| text.lines().take(3).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&text), lines(&golden));
    assert!(
        text.lines()
            .nth(3)
            .unwrap()
            .starts_with("{\"count\":2,\"digest\":")
    );
}

#[tokio::test]
async fn a_segment_written_by_version_1_reads() {
    assert_eq!(zstd::decode_all(SEGMENT).unwrap(), SEGMENT_TEXT.as_bytes());
    let store = LogStore::memory();
    let log = open(&store, "r").await;
    log.put_blob(Bytes::from_static(b"blob")).await.unwrap();
    let path = paths().segment(1);
    store
        .create_once(&path, Bytes::from_static(SEGMENT))
        .await
        .unwrap();
    let segment = log
        .follow(1, Head::genesis().digest)
        .await
        .unwrap()
        .unwrap();
    let read = serde_json::to_string(&segment.events).unwrap();
    assert_eq!(read, serde_json::to_string(&events()).unwrap());
    assert_eq!(segment.header.epoch, Some(7));
    assert_eq!(segment.blobs.iter().count(), 1);
}

#[tokio::test]
async fn a_snapshot_written_by_version_1_reads() {
    let store = LogStore::memory();
    let log = open(&store, "r").await;
    let digest = Digest::parse(SNAPSHOT_DIGEST).unwrap();
    let reference = arco_log::SnapshotRef { segment: 0, digest };
    let path: ObjectPath = paths().snapshot(&reference);
    store
        .create_once(&path, Bytes::from_static(SNAPSHOT))
        .await
        .unwrap();
    let snapshot = log.get_snapshot(&reference).await.unwrap();
    assert_eq!(text(&snapshot), b"{\"state\":\"golden\"}");
    assert_eq!(snapshot.head, Head::genesis());
}
