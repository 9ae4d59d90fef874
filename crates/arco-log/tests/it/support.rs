//! Small events, a small fold, and logs opened for tests.

use std::sync::Arc;
use std::time::Duration;

use arco_core::event::{Cause, RawEvent};
use arco_core::{Digest, Timestamp};
use arco_log::{
    AppendOutcome, BootClock, Draft, Head, Log, LogError, LogOptions, LogStore, Segment, Snapshot,
    SnapshotAt, SnapshotRef, WorkspacePaths,
};
use serde_json::value::RawValue;

/// The machine's boot clock on tokio's time, so that paused time moves it.
#[derive(Debug)]
pub(crate) struct TokioBootClock(tokio::time::Instant);

impl Default for TokioBootClock {
    fn default() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl BootClock for TokioBootClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

pub(crate) fn paths() -> WorkspacePaths {
    WorkspacePaths::new("default", "main").unwrap()
}

pub(crate) fn options(writer: &str) -> LogOptions {
    LogOptions {
        writer: writer.into(),
        clock: Arc::new(TokioBootClock::default()),
        ..LogOptions::default()
    }
}

pub(crate) async fn open(store: &LogStore, writer: &str) -> Log {
    Log::open(store.clone(), paths(), options(writer))
        .await
        .unwrap()
}

pub(crate) fn event(text: &str) -> RawEvent {
    RawEvent {
        kind: "test.noted".into(),
        version: 1,
        time: Timestamp(1_767_225_600_000),
        principal: "client:test".into(),
        cause: Cause::Command("req".into()),
        epoch: None,
        definitions: None,
        ignorable: false,
        blobs: Vec::new(),
        payload: RawValue::from_string(format!("{{\"note\":\"{text}\"}}")).unwrap(),
    }
}

pub(crate) fn note(event: &RawEvent) -> String {
    let value: serde_json::Value = serde_json::from_str(event.payload.get()).unwrap();
    value["note"].as_str().unwrap().to_owned()
}

pub(crate) fn draft(after: Head, events: &[RawEvent]) -> Draft<'_> {
    Draft {
        after,
        time: Timestamp(1_767_225_600_000),
        epoch: None,
        fold: 1,
        events,
    }
}

pub(crate) async fn append(log: &Log, after: Head, text: &str) -> Result<AppendOutcome, LogError> {
    log.append(draft(after, &[event(text)])).await
}

/// Appends `n` segments that must commit.
pub(crate) async fn grow(log: &Log, mut head: Head, n: u64) -> Head {
    for _ in 0..n {
        let text = format!("event {}", head.segment + 1);
        match append(log, head, &text).await.unwrap() {
            AppendOutcome::Committed(next) => head = next,
            other => panic!("{other:?}"),
        }
    }
    head
}

/// The state: a digest of everything folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) head: Head,
    pub(crate) sum: Digest,
    pub(crate) notes: Vec<String>,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            head: Head::genesis(),
            sum: Digest::of(b""),
            notes: Vec::new(),
        }
    }

    pub(crate) fn apply(&mut self, segment: &Segment) {
        assert_eq!(segment.number(), self.head.segment + 1);
        for (position, event) in segment.positions() {
            let text = format!("{}{position}{}", self.sum, event.payload);
            self.sum = Digest::of(text.as_bytes());
            self.notes.push(note(event));
        }
        self.head = segment.head();
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&(self.sum, &self.notes)).unwrap()
    }

    pub(crate) fn from_bytes(head: Head, bytes: &[u8]) -> Option<Self> {
        let (sum, notes) = serde_json::from_slice(bytes).ok()?;
        Some(Self { head, sum, notes })
    }
}

/// The whole text of a snapshot's state.
pub(crate) fn text(snapshot: &Snapshot) -> Vec<u8> {
    let mut text = Vec::new();
    let read = snapshot.read(|from| from.read_to_end(&mut text).map(drop));
    read.unwrap().unwrap();
    text
}

/// Recovers as an engine would: fold version 1 is known, a reload starts again.
pub(crate) async fn recover(log: &Log) -> Result<State, LogError> {
    for _ in 0..3 {
        match recover_once(log).await {
            Err(LogError::Reload { .. }) => {}
            other => return other,
        }
    }
    panic!("three reloads in a row");
}

pub(crate) async fn recover_once(log: &Log) -> Result<State, LogError> {
    let mut state = State::new();
    let mut recovery = log
        .recover(&mut |snapshot| {
            let decoded = (snapshot.fold == 1)
                .then(|| State::from_bytes(snapshot.head, &text(snapshot)))
                .flatten();
            decoded.map(|decoded| state = decoded).is_some()
        })
        .await?;
    while let Some(segment) = recovery.next().await? {
        state.apply(&segment);
    }
    assert_eq!(recovery.head(), state.head);
    Ok(state)
}

pub(crate) async fn snapshot(log: &Log, state: &State, fold: u32) -> SnapshotRef {
    let at = SnapshotAt {
        head: state.head,
        fold,
    };
    let encoded = log
        .encode_snapshot(at, |out| out.write_all(&state.to_bytes()))
        .unwrap();
    log.put_snapshot(encoded).await.unwrap()
}
