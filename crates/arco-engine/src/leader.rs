//! Who leads, judged by each process's own boot-time clock (storage-design §5.5).
//!
//! Safety never rests on this: every decision is a put on the whole state. What rests on it is that
//! heartbeats of hosts are judged by one process at a time, so that no task is leased again while a
//! host that another process still answers may be running it.

use std::collections::HashMap;
use std::time::Duration;

use arco_core::Timestamp;
use arco_flow::command::Command;
use tokio_util::sync::CancellationToken;

use crate::committer::Stands;
use crate::{Engine, EngineError, View, deadlines};

/// Room for slow puts, clock rates and the time it takes a kernel to kill.
pub(crate) const MARGIN: Duration = Duration::from_millis(1_000);

/// Clocks of different machines may differ by this much: a segment older than the lease and this is
/// old by anyone's clock.
const SKEW_MS: u64 = 30_000;

/// Who finds nobody where it was sent keeps calling here. After this long it has shown that
/// there is a lead to take; one call gone astray shows nothing.
const SOUGHT_FOR: Duration = Duration::from_secs(3);

/// Calls further apart than this are not of one search.
const SOUGHT_PAUSE: Duration = Duration::from_secs(10);

/// First and last call of hosts that took this process for the leader, and of who else needs one, by the
/// boot-time clock.
#[derive(Debug, Default)]
pub(crate) struct Sought(Option<(Duration, Duration)>);

impl Sought {
    fn call(&mut self, now: Duration) {
        self.0 = match self.0 {
            Some((first, last)) if now.saturating_sub(last) < SOUGHT_PAUSE => Some((first, now)),
            _ => Some((now, now)),
        };
    }

    fn persists(&self, now: Duration) -> bool {
        self.0.is_some_and(|(first, last)| {
            now.saturating_sub(last) < SOUGHT_PAUSE && last.saturating_sub(first) >= SOUGHT_FOR
        })
    }
}

/// Takes the lead at start when nobody can hold it, or when its holder was reached where this process
/// is reached now: then that one is gone, as far as anyone can tell, and the hosts that look for it
/// here must not wait for its ttl, which is longer than their lease. Should it live after all (behind
/// one name for two processes), it may answer hosts until its ttl, and none is given up before.
pub(crate) async fn at_start(
    engine: &Engine,
    last_stored: Option<Timestamp>,
) -> Result<(), EngineError> {
    let heard = engine.inner.heard.borrow().holder;
    let view = engine.view();
    let settings = &engine.inner.settings;
    // Without a segment to tell its age by (all is under the snapshot) the log may be fresh.
    let old =
        last_stored.is_some_and(|at| engine.now().ms_since(at) > settings.leader_ttl_ms + SKEW_MS);
    let leadership = &view.state.leadership;
    let successor = leadership.url == engine.inner.url;
    if settings.sole || old || successor || leadership.holder.is_none() {
        if successor && !settings.sole {
            let by = Duration::from_millis(leadership.ttl_ms);
            let hosts = engine.inner.hosts.lock();
            let mut hosts = hosts.expect("no panic holds this lock");
            hosts.begins_early(leadership.epoch + 1, by);
        }
        take(engine, &view, heard).await?;
    }
    Ok(())
}

/// Takes the lead, unless someone else did first, or its holder was heard from after `judged`: that
/// it was silent may be why.
async fn take(engine: &Engine, view: &View, judged: Duration) -> Result<(), EngineError> {
    let leadership = &view.state.leadership;
    let command = Command::TakeLead {
        after: leadership.epoch,
        holder: engine.inner.log.writer().to_owned(),
        url: engine.inner.url.clone(),
        ttl_ms: engine.inner.settings.leader_ttl_ms,
    };
    let rests_on_silence = leadership.holder.is_some() && !engine.inner.settings.sole;
    let stands = rests_on_silence.then(|| {
        let heard = engine.inner.heard.clone();
        Box::new(move || heard.borrow().holder == judged) as Stands
    });
    let taken = engine
        .propose("system", "lead", command, HashMap::new(), stands)
        .await;
    match taken {
        Ok(_) => {
            tracing::info!(epoch = leadership.epoch + 1, "this process leads");
            Ok(())
        }
        Err(EngineError::Rejected(_) | EngineError::LeadInDoubt) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Keeps, takes and uses the lead until told to stop.
pub(crate) async fn watch(engine: Engine, stop: CancellationToken) {
    let beat = Duration::from_millis(engine.inner.settings.host_heartbeat_ms.clamp(50, 1_000) / 2);
    let mut tick = tokio::time::interval(beat);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = tick.tick() => {
                if let Err(error) = once(&engine).await {
                    tracing::warn!(%error, "a leader's round failed; trying again");
                }
            }
        }
    }
}

async fn once(engine: &Engine) -> Result<(), EngineError> {
    // Read before the view: what is accepted in between makes the judgement fall, not stand.
    let heard = engine.inner.heard.borrow().holder;
    let view = engine.view();
    if view.read_only.is_some() {
        return Ok(());
    }
    if view.leads {
        keep(engine, &view).await?;
        let epoch = view.state.leadership.epoch;
        engine.give_up_silent_hosts(epoch).await?;
        deadlines::enforce(engine, &view).await?;
        engine.make_retries(epoch).await
    } else if may_take(engine, &view, heard) {
        take(engine, &view, heard).await
    } else {
        Ok(())
    }
}

/// A leader with something to lead writes at least every third of its lease; an idle one is silent.
async fn keep(engine: &Engine, view: &View) -> Result<(), EngineError> {
    let ttl = Duration::from_millis(engine.inner.settings.leader_ttl_ms);
    if !view.state.active_runs.is_empty() && own_silence(engine) > ttl / 3 {
        write_keep(engine, view.state.leadership.epoch).await?;
    }
    Ok(())
}

async fn write_keep(engine: &Engine, epoch: u64) -> Result<(), EngineError> {
    let kept = engine.submit_as_leader("system", "lead", epoch, Command::KeepLead);
    kept.await.map(|_| ())
}

fn own_silence(engine: &Engine) -> Duration {
    engine
        .inner
        .clock
        .now()
        .saturating_sub(engine.inner.heard.borrow().own)
}

/// Whether something is due that a leader would have done long ago. An idle leader is silent, and fires
/// within milliseconds: it must not lose its lead at every tick. What user code is asked about waits for hosts,
/// and these look for a leader by themselves ([`Sought`]).
fn is_overdue(engine: &Engine, view: &View, ttl: Duration) -> bool {
    engine.clock_off_ms().is_none()
        && arco_flow::schedule::next_declared(&view.state)
            .is_some_and(|due| Duration::from_millis(engine.now().ms_since(due)) > ttl + MARGIN)
}

/// Whether the holder is gone by our own clock, and there is something to lead.
fn may_take(engine: &Engine, view: &View, heard: Duration) -> bool {
    if view.state.leadership.holder.is_none() {
        return true;
    }
    let now = engine.inner.clock.now();
    let silence = now.saturating_sub(heard);
    let ttl = Duration::from_millis(view.state.leadership.ttl_ms);
    silence > ttl + MARGIN
        && (!view.state.active_runs.is_empty()
            || is_sought(engine, now)
            || is_overdue(engine, view, ttl))
}

fn is_sought(engine: &Engine, now: Duration) -> bool {
    let sought = engine.inner.sought.lock();
    sought.expect("no panic holds this lock").persists(now)
}

impl Engine {
    /// Takes the lead when nobody has it, or its holder has been silent for so long that nobody can. Of
    /// no use to a process that does not hesitate (`EngineSettings::hesitates`): it did so at start.
    ///
    /// # Errors
    /// [`EngineError`]; that another one leads is none.
    pub async fn lead_if_free(&self) -> Result<(), EngineError> {
        match self.view().leads {
            true => Ok(()),
            false => at_start(self, self.inner.last_stored).await,
        }
    }

    /// Someone needs a leader and found none. When that goes on for a while and the holder is silent for so long
    /// that it may be dead, this process takes the lead though nothing is due but what user code is asked.
    pub fn seek_lead(&self) {
        let now = self.inner.clock.now();
        let sought = self.inner.sought.lock();
        sought.expect("no panic holds this lock").call(now);
    }

    /// Whether this process may tell a host that it may go on: it leads, and wrote so recently that
    /// nobody else can lead yet. An idle leader proves it by writing. Gives the epoch.
    pub(crate) async fn prove_lead(&self) -> Result<u64, EngineError> {
        let view = self.view();
        if !view.leads {
            self.seek_lead();
            return Err(self.not_leader());
        }
        let epoch = view.state.leadership.epoch;
        let ttl = Duration::from_millis(self.inner.settings.leader_ttl_ms);
        let holds_nothing = view
            .state
            .hosts
            .values()
            .all(|host| host.attempts.is_empty());
        if !self.inner.settings.sole && !holds_nothing && own_silence(self) + MARGIN >= ttl {
            write_keep(self, epoch).await?;
        }
        Ok(epoch)
    }

    /// Where a caller that needs the leader should go.
    pub(crate) fn not_leader(&self) -> EngineError {
        let view = self.view();
        let leadership = &view.state.leadership;
        match &leadership.holder {
            Some(_) if !view.leads => EngineError::NotLeader {
                url: leadership.url.clone(),
            },
            _ => EngineError::LeadInDoubt,
        }
    }
}
