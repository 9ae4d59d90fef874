//! A segment once written reads for ever, and what is written today is what was written yesterday.

use arco_core::event::{Cause, Position, RawEvent};
use arco_core::{Digest, Timestamp};
use arco_log::{Draft, Head, LogStore, ObjectPath, SnapshotAt};
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::support::{open, paths};

const SEGMENT: &[u8] = include_bytes!("../golden/segment-1.zst");
const SEGMENT_TEXT: &str = include_str!("../golden/segment-1.jsonl");
const SNAPSHOT: &[u8] = include_bytes!("../golden/snapshot-1.zst");
const SNAPSHOT_DIGEST: &str = "087c77334c2e68f32279bb0870a8966e4bf6f7fa5424d3e66723e599602ca36a";

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
        .encode_snapshot(state, b"{\"state\":\"golden\"}")
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
    assert_eq!(String::from_utf8(text).unwrap(), SEGMENT_TEXT);
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
    assert_eq!(snapshot.state, "{\"state\":\"golden\"}");
    assert_eq!(snapshot.head, Head::genesis());
}
