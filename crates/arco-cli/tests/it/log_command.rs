//! `arco log` on a store that a test has written.

use std::path::{Path, PathBuf};

use arco_core::Timestamp;
use arco_core::event::{Cause, RawEvent};
use arco_log::{AppendOutcome, Draft, Head, Log, LogOptions, LogStore, ObjectPath, WorkspacePaths};
use bytes::Bytes;
use tempfile::TempDir;

use crate::assert_run;
use crate::support::{Answer, arco};

/// A log of three segments; the last cites a blob.
struct Prepared {
    folder: TempDir,
    blob: arco_core::Digest,
}

impl Prepared {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let blob = runtime.block_on(write(folder.path()));
        Self { folder, blob }
    }

    fn path(&self, object: &ObjectPath) -> PathBuf {
        self.folder.path().join(object.as_ref())
    }

    fn arco(&self, arguments: &[&str]) -> Answer {
        let store = format!("file:{}", self.folder.path().display());
        let mut all = arguments.to_vec();
        all.extend(["--store", &store]);
        arco(&all)
    }
}

fn paths() -> WorkspacePaths {
    WorkspacePaths::new("default", "default").unwrap()
}

async fn write(folder: &Path) -> arco_core::Digest {
    let store = LogStore::open(&folder.to_string_lossy()).unwrap();
    let options = LogOptions {
        writer: "test".into(),
        ..LogOptions::default()
    };
    let log = Log::open(store, paths(), options).await.unwrap();
    let blob = log
        .put_blob(Bytes::from_static(b"{\"location\":\"flights\"}"))
        .await
        .unwrap();
    let batches = [
        vec![
            event("lease.taken", 1, &[]),
            event("fold.activated", 1, &[]),
        ],
        vec![event("run.cancel_requested", 2, &[])],
        vec![event("definitions.deployed", 3, &[blob])],
    ];
    let mut after = Head::genesis();
    for (second, events) in (1..).zip(&batches) {
        let draft = Draft {
            after,
            time: at(second),
            epoch: None,
            fold: 1,
            events,
        };
        match log.append(draft).await.unwrap() {
            AppendOutcome::Committed(head) => after = head,
            other => panic!("{other:?}"),
        }
    }
    blob
}

fn at(second: i64) -> Timestamp {
    Timestamp(1_769_832_300_000 + second * 1_000)
}

fn event(kind: &str, second: i64, blobs: &[arco_core::Digest]) -> RawEvent {
    RawEvent {
        kind: kind.into(),
        version: 1,
        time: at(second),
        principal: "client:ana".into(),
        cause: Cause::Command("req_1".into()),
        epoch: None,
        definitions: None,
        ignorable: false,
        blobs: blobs.to_vec(),
        payload: serde_json::value::to_raw_value(&serde_json::json!({"n": second})).unwrap(),
    }
}

#[test]
fn show_prints_events_in_order() {
    let log = Prepared::new();
    assert_run!(log.arco(&["log", "show"]), @r#"
    exit code: 0
    ── stdout
    1.0      [TIME.............]  lease.taken               client:ana  {"n":1}
    1.1      [TIME.............]  fold.activated            client:ana  {"n":1}
    2.0      [TIME.............]  run.cancel_requested      client:ana  {"n":2}
    3.0      [TIME.............]  definitions.deployed      client:ana  {"n":3}
    ── stderr
    "#);
}

#[test]
fn show_starts_and_stops_where_it_is_told() {
    let log = Prepared::new();
    assert_run!(log.arco(&["log", "show", "--from", "1.1", "--limit", "2", "--json"]), @r#"
    exit code: 0
    ── stdout
    {"position":"1.1","kind":"fold.activated","version":1,"time":"[TIME.............]","principal":"client:ana","cause":{"command":"req_1"},"payload":{"n":1}}
    {"position":"2.0","kind":"run.cancel_requested","version":1,"time":"[TIME.............]","principal":"client:ana","cause":{"command":"req_1"},"payload":{"n":2}}
    ── stderr
    "#);
}

#[test]
fn show_filters_by_kind() {
    let log = Prepared::new();
    let answer = log
        .arco(&["log", "show", "--kind", "run.", "--json"])
        .good();
    assert_eq!(answer.stdout.lines().count(), 1, "{answer}");
}

#[test]
fn verify_counts_what_holds() {
    let log = Prepared::new();
    assert_run!(log.arco(&["log", "verify"]), @r"
    exit code: 0
    ── stdout
    the log is sound: 4 events in 3 segments (1 to 3), 1 blob, 0 snapshots read
    ── stderr
    ");
}

#[test]
fn verify_names_a_corrupt_segment() {
    let log = Prepared::new();
    let segment = log.path(&paths().segment(2));
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&segment, bytes).unwrap();
    let answer = log.arco(&["log", "verify"]);
    assert!(
        answer.stdout.contains(paths().segment(2).as_ref()),
        "{answer}"
    );
    assert_run!(answer, @r"
    exit code: 1
    ── stdout
    damaged: default/default/log/0000000000000000/00000000000000000002: its zstd frame does not unpack: Restored data doesn't match checksum; put this object back from a backup or from the bucket's older versions, then run `arco log verify`
    1 damaged object in the log: 3 events in 2 segments (1 to 3), 1 blob, 0 snapshots read
    ── stderr
    ");
    assert_run!(log.arco(&["log", "show"]), @r#"
    exit code: 2
    ── stdout
    1.0      [TIME.............]  lease.taken               client:ana  {"n":1}
    1.1      [TIME.............]  fold.activated            client:ana  {"n":1}
    ── stderr
    error: object `default/default/log/0000000000000000/00000000000000000002` is corrupt: its zstd frame does not unpack: Restored data doesn't match checksum; put this object back from a backup or from the bucket's older versions, then run `arco log verify`
    hint: `arco log verify` reports everything that is damaged
    "#);
}

#[test]
fn verify_names_a_missing_blob() {
    let log = Prepared::new();
    std::fs::remove_file(log.path(&paths().blob(&log.blob))).unwrap();
    let answer = log.arco(&["log", "verify"]);
    assert!(answer.stdout.contains(&log.blob.to_string()), "{answer}");
    assert_run!(answer, @r"
    exit code: 1
    ── stdout
    damaged: default/default/blob/1f/[DIGEST]: it is missing and an event of the log needs it; put this object back from a backup or from the bucket's older versions, then run `arco log verify`
    1 damaged object in the log: 3 events in 2 segments (1 to 3), 0 blobs, 0 snapshots read
    ── stderr
    ");
}

#[test]
fn verify_names_a_missing_segment() {
    let log = Prepared::new();
    std::fs::remove_file(log.path(&paths().segment(2))).unwrap();
    let answer = log.arco(&["log", "verify", "--json"]);
    assert_eq!(answer.code, 1, "{answer}");
    let report = answer.json();
    assert_eq!(report["sound"], false);
    assert_eq!(
        report["findings"][0]["object"],
        paths().segment(2).as_ref(),
        "{answer}"
    );
}

#[test]
fn folder_without_a_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("nothing");
    assert_run!(arco(&["log", "show", "--dir", &place.to_string_lossy()]), @r"
    exit code: 2
    ── stdout

    ── stderr
    error: could not open the log in `file:[FOLDER]/nothing/store`
      caused by: there is no folder `[FOLDER]/nothing/store`; name the folder that holds the state, such as `./.arco`
    hint: `--dir FOLDER` names the folder of an `arco dev`, `--store URL` a store
    ");
    assert!(!place.exists(), "reading makes nothing");
}
