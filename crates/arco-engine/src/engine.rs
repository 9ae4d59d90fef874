//! The handle: what the API and the tests hold. Cheap to clone; channels stay private.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arco_core::event::{Cause, Position};
use arco_core::{Digest, Timestamp};
use arco_flow::Rejection;
use arco_flow::command::{Answer, Command};
use arco_log::{Log, LogOptions, LogStore, WorkspacePaths};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::commits::{Announcer, Commits};
use crate::committer::{Committer, Heard, Proposal, Stands, Wake};
use crate::evaluations::{self, Asking};
use crate::hosts::HostsHeard;
use crate::ids::Ids;
use crate::trusted_clock::TrustedClock;
use crate::{EngineError, EngineSettings, View, backfills, leader, schedules, snapshots};

/// The parts an engine is made of.
#[derive(Debug)]
pub struct EngineOptions {
    /// Where the log is.
    pub store: LogStore,
    /// Tenant, `default`.
    pub tenant: String,
    /// Workspace, `default`.
    pub workspace: String,
    /// Where others reach this process.
    pub url: String,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub ids: Arc<dyn Ids>,
    /// Behaviour.
    pub settings: EngineSettings,
}

/// A committed command.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The answer.
    pub answer: Answer,
    /// The state's position after it: reads at this position see its effect.
    pub position: Position,
}

/// An engine on one workspace.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) log: Log,
    pub(crate) clock: Arc<dyn Clock>,
    /// The same clock, for whether it is believed.
    pub(crate) trusted: Arc<TrustedClock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) settings: EngineSettings,
    pub(crate) url: String,
    pub(crate) views: watch::Receiver<Arc<View>>,
    pub(crate) commits: Commits,
    pub(crate) heard: watch::Receiver<Heard>,
    pub(crate) hosts: Mutex<HostsHeard>,
    pub(crate) sought: Mutex<leader::Sought>,
    /// When the newest segment was stored, by the store's clock, at start.
    pub(crate) last_stored: Option<Timestamp>,
    pub(crate) asking: Asking,
    wakes: Mutex<Option<mpsc::Sender<Wake>>>,
    /// What a leader does unasked; over before the lead is released.
    pub(crate) duties: TaskTracker,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Engine {
    /// Opens the log, recovers, and starts the loop. When this returns, reads answer.
    ///
    /// # Errors
    /// When the store is refused, the log is corrupt, or it needs a newer program.
    pub async fn start(options: EngineOptions) -> Result<Self, EngineError> {
        let writer = format!("{:032x}", options.ids.random());
        let trusted = Arc::new(TrustedClock::new(options.clock));
        let engine_clock: Arc<dyn Clock> = trusted.clone();
        let clock: Arc<dyn arco_log::BootClock> = trusted.clone();
        let log_options = LogOptions {
            writer,
            clock,
            ..LogOptions::default()
        };
        let paths = WorkspacePaths::new(&options.tenant, &options.workspace)?;
        let log = Log::open(options.store, paths, log_options).await?;
        let recovered = snapshots::recover(&log).await?;
        let view = Arc::new(recovered.view());
        let (views, views_rx) = watch::channel(view);
        let announcer = Announcer::default();
        let commits = announcer.commits();
        let (heard, heard_rx) = watch::channel(Heard {
            holder: engine_clock.now(),
            own: Duration::ZERO,
        });
        let (wakes, wakes_rx) = mpsc::channel(options.settings.queue_max);
        let committer = Committer {
            log: log.clone(),
            clock: Arc::clone(&engine_clock),
            settings: options.settings.clone(),
            state: recovered.state,
            head: recovered.head,
            recent: recovered.recent,
            read_only: None,
            views,
            announcer,
            last_heard: heard,
        };
        let stop = CancellationToken::new();
        let engine = Self {
            inner: Arc::new(Inner {
                log,
                clock: engine_clock,
                trusted,
                ids: options.ids,
                settings: options.settings,
                url: options.url,
                views: views_rx,
                commits,
                heard: heard_rx,
                hosts: Mutex::default(),
                sought: Mutex::default(),
                last_stored: recovered.last_stored,
                asking: Asking::default(),
                wakes: Mutex::new(Some(wakes)),
                duties: TaskTracker::new(),
                tasks: TaskTracker::new(),
                stop: stop.clone(),
            }),
        };
        engine.inner.tasks.spawn(committer.run(wakes_rx));
        if !engine.inner.settings.hesitates {
            leader::at_start(&engine, recovered.last_stored).await?;
        }
        engine
            .inner
            .duties
            .spawn(leader::watch(engine.clone(), stop.clone()));
        let carried_on = backfills::watch(engine.clone(), stop.clone());
        engine.inner.duties.spawn(carried_on);
        engine
            .inner
            .duties
            .spawn(schedules::watch(engine.clone(), stop.clone()));
        engine
            .inner
            .duties
            .spawn(evaluations::watch(engine.clone(), stop.clone()));
        engine
            .inner
            .tasks
            .spawn(snapshots::keep(engine.clone(), recovered.snapshot_at, stop));
        Ok(engine)
    }

    /// Committed state. Never waits.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.inner.views.borrow())
    }

    /// Wall time by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.wall()
    }

    /// Wakes whenever something is committed.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<Arc<View>> {
        self.inner.views.clone()
    }

    /// Settings, for what the API tells hosts.
    #[must_use]
    pub fn settings(&self) -> &EngineSettings {
        &self.inner.settings
    }

    /// The log, for reads that go past memory.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.inner.log
    }

    /// Whether this process leads.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.view().leads
    }

    /// Decides and commits one command.
    ///
    /// # Errors
    /// [`EngineError`]; `Rejected` changed nothing, `Unknown` may have.
    pub async fn submit(
        &self,
        principal: &str,
        request_id: &str,
        command: Command,
    ) -> Result<Committed, EngineError> {
        self.submit_with(principal, request_id, command, HashMap::new())
            .await
    }

    /// Decides a command only while this process leads in `epoch`.
    pub(crate) async fn submit_as_leader(
        &self,
        principal: &str,
        request_id: &str,
        epoch: u64,
        command: Command,
    ) -> Result<Committed, EngineError> {
        self.submit_while(principal, request_id, epoch, command, None)
            .await
    }

    /// As [`Engine::submit_as_leader`], and only while what it was judged by stands.
    pub(crate) async fn submit_while(
        &self,
        principal: &str,
        request_id: &str,
        epoch: u64,
        command: Command,
        stands: Option<Stands>,
    ) -> Result<Committed, EngineError> {
        let command = Command::AsLeader {
            epoch,
            command: Box::new(command),
        };
        let blobs = HashMap::new();
        match self
            .propose(principal, request_id, command, blobs, stands)
            .await
        {
            Err(EngineError::Rejected(Rejection::Led { .. })) => Err(self.not_leader()),
            other => other,
        }
    }

    pub(crate) async fn submit_with(
        &self,
        principal: &str,
        request_id: &str,
        command: Command,
        blobs: HashMap<Digest, Bytes>,
    ) -> Result<Committed, EngineError> {
        self.propose(principal, request_id, command, blobs, None)
            .await
    }

    pub(crate) async fn propose(
        &self,
        principal: &str,
        request_id: &str,
        command: Command,
        blobs: HashMap<Digest, Bytes>,
        stands: Option<Stands>,
    ) -> Result<Committed, EngineError> {
        let (reply, answer) = oneshot::channel();
        let proposal = Proposal {
            command,
            principal: principal.to_owned(),
            cause: Cause::Command(request_id.to_owned()),
            blobs,
            stands,
            reply,
        };
        self.wake(Wake::Propose(Box::new(proposal))).await?;
        answer.await.map_err(|_| EngineError::Stopped)?
    }

    /// Reads what other replicas have written, now.
    ///
    /// # Errors
    /// [`EngineError::Stopped`].
    pub async fn catch_up(&self) -> Result<(), EngineError> {
        let (reply, done) = oneshot::channel();
        self.wake(Wake::Follow(reply)).await?;
        done.await.map_err(|_| EngineError::Stopped)
    }

    async fn wake(&self, wake: Wake) -> Result<(), EngineError> {
        let sender = self
            .inner
            .wakes
            .lock()
            .expect("no panic holds this lock")
            .clone();
        let sender = sender.ok_or(EngineError::Stopped)?;
        sender.send(wake).await.map_err(|_| EngineError::Stopped)
    }

    /// Waits until the committed state is at `position`; false when it is not after `at_most`.
    pub async fn wait_for(&self, position: Position, at_most: Duration) -> bool {
        let mut commits = self.inner.commits.clone();
        let reached = async {
            loop {
                commits.look();
                if self.view().position() >= position {
                    return true;
                }
                if commits.changed().await.is_err() {
                    return false;
                }
            }
        };
        tokio::time::timeout(at_most, reached)
            .await
            .unwrap_or(false)
    }

    /// Stands down and stops; what was accepted is committed and answered first.
    pub async fn shutdown(&self) {
        self.inner.stop.cancel();
        // First the duties: they would take a lead that nobody holds.
        self.inner.duties.close();
        self.inner.duties.wait().await;
        let view = self.view();
        if view.leads
            && let Err(error) = self
                .submit_as_leader(
                    "system",
                    "shutdown",
                    view.state.leadership.epoch,
                    Command::ReleaseLead,
                )
                .await
        {
            tracing::warn!(%error, "the lead was not released; another replica waits for its end");
        }
        drop(
            self.inner
                .wakes
                .lock()
                .expect("no panic holds this lock")
                .take(),
        );
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}
