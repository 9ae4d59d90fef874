//! Figures of the log on this machine: `cargo run --release -p arco-log --example throughput [FOLDER]`.
//!
//! Encode and decode are on one core; commits go into a fresh folder with fsync, so they show the disk.

use std::time::Duration;

use arco_core::Timestamp;
use arco_core::event::{Cause, RawEvent};
use arco_log::{
    AppendOutcome, BootClock, Draft, Head, Log, LogOptions, LogStore, SystemBootClock,
    WorkspacePaths,
};
use serde_json::value::RawValue;

type Failure = Box<dyn std::error::Error>;

fn event(n: usize) -> Result<RawEvent, Failure> {
    let payload = format!(
        r#"{{"attempt":"run_01j{n:010}.{}.1","outcome":{{"ok":true}},"host":"host_7","bytes":{}}}"#,
        n % 40,
        n * 37
    );
    Ok(RawEvent {
        kind: ["attempt.leased", "attempt.started", "attempt.finished"][n % 3].into(),
        version: 1,
        time: Timestamp(1_767_225_600_000 + i64::try_from(n)?),
        principal: "worker:flights".into(),
        cause: Cause::Command(format!("req_{n}")),
        epoch: None,
        definitions: None,
        ignorable: false,
        blobs: Vec::new(),
        payload: RawValue::from_string(payload)?,
    })
}

async fn commit(log: &Log, after: Head, events: &[RawEvent]) -> Result<Head, Failure> {
    let draft = Draft {
        after,
        time: Timestamp(0),
        epoch: None,
        fold: 1,
        events,
    };
    match log.append(draft).await? {
        AppendOutcome::Committed(head) => Ok(head),
        other => Err(format!("{other:?}").into()),
    }
}

async fn open(store: &LogStore, workspace: &str) -> Result<Log, Failure> {
    let paths = WorkspacePaths::new("default", workspace)?;
    Ok(Log::open(store.clone(), paths, LogOptions::default()).await?)
}

fn rate(n: usize, took: Duration) -> String {
    format!("{:>9.0}/s", n as f64 / took.as_secs_f64())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let clock = SystemBootClock;
    let folder = std::env::args()
        .nth(1)
        .unwrap_or("target/throughput".into());
    let events: Vec<RawEvent> = (0..200_000).map(event).collect::<Result<_, _>>()?;

    let memory = LogStore::memory();
    let log = open(&memory, "w1000").await?;
    let draft = |events| Draft {
        after: Head::genesis(),
        time: Timestamp(0),
        epoch: None,
        fold: 1,
        events,
    };
    let start = clock.now();
    let mut bytes = 0;
    for batch in events.chunks(1000) {
        bytes += log.encode(draft(batch))?.bytes().len();
    }
    let each = bytes as f64 / events.len() as f64;
    println!(
        "encode, 1,000 a segment   {} events, {each:.1} B each",
        rate(events.len(), clock.now() - start)
    );

    for (workspace, size) in [("w1000", 1000), ("w10", 10)] {
        let log = open(&memory, workspace).await?;
        let mut head = Head::genesis();
        let start = clock.now();
        for batch in events.chunks(size) {
            head = commit(&log, head, batch).await?;
        }
        println!(
            "memory, {size} a segment     {} events",
            rate(events.len(), clock.now() - start)
        );
        let start = clock.now();
        let mut recovery = open(&memory, workspace)
            .await?
            .recover(&mut |_| false)
            .await?;
        let mut n = 0;
        while let Some(segment) = recovery.next().await? {
            n += segment.events.len();
        }
        println!(
            "recover, {size} a segment    {} events",
            rate(n, clock.now() - start)
        );
    }

    let disk = LogStore::open(&folder)?;
    let log = open(&disk, &format!("t{}", std::process::id())).await?;
    let mut head = Head::genesis();
    let start = clock.now();
    let commits = 200;
    for batch in events.chunks(10).take(commits) {
        head = commit(&log, head, batch).await?;
    }
    println!(
        "folder with fsync         {} commits",
        rate(commits, clock.now() - start)
    );
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
