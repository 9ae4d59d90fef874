//! Who leads, judged by each process's own boot-time clock (storage-design §5.5).
//!
//! Safety never rests on this: every decision is a put on the whole state. What rests on it is that
//! heartbeats of hosts are judged by one process at a time, so that no task is leased again while a
//! host that another process still answers may be running it.

use std::time::Duration;

use arco_core::Timestamp;
use arco_flow::command::Command;
use tokio::sync::watch;

use crate::{Engine, EngineError, View};

/// Room for slow puts, clock rates and the time it takes a kernel to kill.
pub(crate) const MARGIN: Duration = Duration::from_millis(1_000);

/// Clocks of different machines may differ by this much: a segment older than the lease and this is
/// old by anyone's clock.
const SKEW_MS: u64 = 30_000;

/// Takes the lead at start when nobody can hold it.
pub(crate) async fn at_start(
    engine: &Engine,
    last_stored: Option<Timestamp>,
) -> Result<(), EngineError> {
    let view = engine.view();
    let leadership = &view.state.leadership;
    let settings = &engine.inner.settings;
    let old =
        last_stored.is_none_or(|at| engine.now().ms_since(at) > settings.leader_ttl_ms + SKEW_MS);
    if settings.sole || leadership.holder.is_none() || old {
        take(engine).await?;
    }
    Ok(())
}

/// Takes the lead, unless someone else did first.
pub(crate) async fn take(engine: &Engine) -> Result<(), EngineError> {
    let epoch = engine.view().state.leadership.epoch;
    let command = Command::TakeLead {
        after: epoch,
        holder: engine.inner.log.writer().to_owned(),
        url: engine.inner.url.clone(),
        ttl_ms: engine.inner.settings.leader_ttl_ms,
    };
    match engine.submit("system", "lead", command).await {
        Ok(_) => {
            engine.host_grace();
            tracing::info!(epoch = epoch + 1, "this process leads");
            Ok(())
        }
        Err(EngineError::Rejected(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Keeps, takes and uses the lead until told to stop.
pub(crate) async fn watch(engine: Engine, mut stopped: watch::Receiver<bool>) {
    let beat = Duration::from_millis(engine.inner.settings.host_heartbeat_ms.clamp(50, 1_000) / 2);
    let mut tick = tokio::time::interval(beat);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = tick.tick() => {
                if let Err(error) = once(&engine).await {
                    tracing::warn!(%error, "a leader's round failed; trying again");
                }
            }
        }
    }
}

async fn once(engine: &Engine) -> Result<(), EngineError> {
    let view = engine.view();
    if view.read_only.is_some() {
        return Ok(());
    }
    if view.leads {
        keep(engine, &view).await?;
        engine.give_up_silent_hosts().await
    } else if may_take(engine, &view) {
        take(engine).await
    } else {
        Ok(())
    }
}

/// A leader with something to lead writes at least every third of its lease; an idle one is silent.
async fn keep(engine: &Engine, view: &View) -> Result<(), EngineError> {
    let ttl = Duration::from_millis(engine.inner.settings.leader_ttl_ms);
    if !view.state.active_runs.is_empty() && own_silence(engine) > ttl / 3 {
        engine.submit("system", "lead", Command::KeepLead).await?;
    }
    Ok(())
}

fn own_silence(engine: &Engine) -> Duration {
    engine
        .inner
        .clock
        .now()
        .saturating_sub(engine.inner.heard.borrow().own)
}

/// Whether the holder is gone by our own clock, and there is something to lead.
fn may_take(engine: &Engine, view: &View) -> bool {
    if view.state.leadership.holder.is_none() {
        return true;
    }
    let silence = engine
        .inner
        .clock
        .now()
        .saturating_sub(engine.inner.heard.borrow().holder);
    let ttl = Duration::from_millis(view.state.leadership.ttl_ms);
    !view.state.active_runs.is_empty() && silence > ttl + MARGIN
}

impl Engine {
    /// Whether this process may tell a host that it may go on: it leads, and wrote so recently that
    /// nobody else can lead yet. An idle leader proves it by writing.
    pub(crate) async fn prove_lead(&self) -> Result<(), EngineError> {
        let view = self.view();
        if !view.leads {
            return Err(match &view.state.leadership.holder {
                Some(_) => EngineError::NotLeader {
                    url: view.state.leadership.url.clone(),
                },
                None => EngineError::LeadInDoubt,
            });
        }
        let ttl = Duration::from_millis(self.inner.settings.leader_ttl_ms);
        let holds_nothing = view
            .state
            .hosts
            .values()
            .all(|host| host.attempts.is_empty());
        if self.inner.settings.sole || holds_nothing || own_silence(self) + MARGIN < ttl {
            return Ok(());
        }
        self.submit("system", "lead", Command::KeepLead)
            .await
            .map(|_| ())
    }
}
