//! Recovery, and the snapshots that keep it short.

use std::sync::Arc;
use std::time::Duration;

use arco_core::Timestamp;
use arco_core::event::{Position, RawEvent};
use arco_flow::State;
use arco_flow::state::FOLD_VERSION;
use arco_log::{Head, Log, SnapshotAt};
use tokio_util::sync::CancellationToken;

use crate::committer::fold_segment;
use crate::{Engine, EngineError, View};

/// What recovery found.
pub(crate) struct Recovered {
    pub(crate) state: State,
    pub(crate) head: Head,
    pub(crate) recent: imbl::Vector<(Position, Arc<RawEvent>)>,
    /// Segment of the snapshot it started from.
    pub(crate) snapshot_at: u64,
    /// When the store took the last segment.
    pub(crate) last_stored: Option<Timestamp>,
}

impl Recovered {
    pub(crate) fn view(&self) -> View {
        View {
            state: self.state.clone(),
            head: self.head,
            recent: self.recent.clone(),
            leads: false,
            read_only: None,
        }
    }
}

/// Events a recovering process keeps for readers that follow the log.
const RECENT: usize = 1_000;

/// After a snapshot of a big state, so many times as long without one: what a busy workspace spends on them
/// stays below a twentieth of a core.
const PAUSE: u32 = 20;

/// Snapshot, then every segment after it.
pub(crate) async fn recover(log: &Log) -> Result<Recovered, EngineError> {
    loop {
        match try_recover(log).await {
            Err(EngineError::Log(error)) if matches!(*error, arco_log::LogError::Reload { .. }) => {
            }
            other => return other,
        }
    }
}

async fn try_recover(log: &Log) -> Result<Recovered, EngineError> {
    let mut state = State::default();
    let mut accept = |snapshot: &arco_log::Snapshot| {
        if snapshot.fold > FOLD_VERSION {
            return false;
        }
        let why = match snapshot.read(|text| State::read(text)) {
            Ok(Ok(read)) => {
                state = read;
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(why, segment = snapshot.head.segment, "snapshot ignored");
        false
    };
    let mut recovery = log.recover(&mut accept).await?;
    let mut out = Recovered {
        state,
        head: recovery.start(),
        recent: imbl::Vector::new(),
        snapshot_at: recovery.start().segment,
        last_stored: None,
    };
    while let Some(segment) = recovery.next().await? {
        fold_segment(&mut out.state, &segment).map_err(EngineError::ReadOnly)?;
        out.head = segment.head();
        out.last_stored = Some(segment.stored_at);
        for (at, event) in segment.positions() {
            out.recent.push_back((at, Arc::new(event.clone())));
        }
        while out.recent.len() > RECENT {
            out.recent.pop_front();
        }
    }
    Ok(out)
}

/// Writes snapshots as the log grows, moves ended runs and old ticks to history first, and refreshes the hint.
pub(crate) async fn keep(engine: Engine, mut last: u64, stop: CancellationToken) {
    let mut commits = engine.inner.commits.clone();
    let mut events = 0;
    let mut seen = engine.view().position();
    let mut not_before = Duration::ZERO;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => {
                finish(&engine, last).await;
                return;
            }
            changed = commits.changed() => if changed.is_err() { return },
        }
        commits.look();
        let view = engine.view();
        engine.inner.log.refresh_hint(view.head).await;
        events += view
            .recent
            .iter()
            .rev()
            .take_while(|(at, _)| *at > seen)
            .count() as u64;
        seen = view.position();
        let settings = &engine.inner.settings;
        let due = view.head.segment.saturating_sub(last) >= settings.snapshot_segments
            || events >= settings.snapshot_events;
        if due && view.leads && engine.inner.clock.now() >= not_before {
            let began = engine.inner.clock.now();
            if let Err(error) = engine.pack_history().await {
                tracing::warn!(%error, "history was not packed; trying again with the next snapshot");
            }
            if let Err(error) = engine.pack_ticks().await {
                tracing::warn!(%error, "ticks were not packed; trying again with the next snapshot");
            }
            if let Err(error) = engine.pack_evaluations().await {
                tracing::warn!(%error, "evaluations were not packed; trying again with the next snapshot");
            }
            if let Some(at) = write(&engine).await {
                last = at;
                events = 0;
                let now = engine.inner.clock.now();
                not_before = now + now.saturating_sub(began) * PAUSE;
            }
        }
    }
}

/// On a graceful stop a long tail is worth a snapshot: the next start is then quick.
async fn finish(engine: &Engine, last: u64) {
    const WORTH_IT: u64 = 200;
    if engine.view().head.segment.saturating_sub(last) > WORTH_IT {
        write(engine).await;
    }
}

/// Writes one snapshot of the committed state; says its segment. A snapshot that fails is no harm.
async fn write(engine: &Engine) -> Option<u64> {
    let view = engine.view();
    let log = engine.inner.log.clone();
    let head = view.head;
    let encode = move || {
        let at = SnapshotAt {
            head: view.head,
            fold: FOLD_VERSION,
        };
        log.encode_snapshot(at, |out| view.state.write(out))
    };
    let encoded = if engine.inner.settings.offload {
        tokio::task::spawn_blocking(encode).await.ok()?
    } else {
        encode()
    };
    let put = async { engine.inner.log.put_snapshot(encoded?).await };
    match tokio::time::timeout(Duration::from_secs(60), put).await {
        Ok(Ok(_)) => Some(head.segment),
        Ok(Err(error)) => {
            tracing::warn!(%error, "snapshot not written; the log is whole, the next start is longer");
            None
        }
        Err(_) => None,
    }
}
