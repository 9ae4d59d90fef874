//! Worker hosts at the engine: signs of life in memory, facts in the log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arco_core::definitions::StepDef;
use arco_core::event::ErrorInfo;
use arco_core::{AttemptId, HostId, Timestamp};
use arco_flow::command::{Answer, Command, HostExchange, HostHello};
use arco_flow::state::HostStatus;
use arco_flow::state::inputs::{self, TaskInput};
use arco_flow::state::op::{self, OpValues};
use arco_flow::{Rejection, State, pending};

use crate::committer::Stands;
use crate::engine::Committed;
use crate::{Engine, EngineError, leader};

/// When each host was last heard from, by the boot-time clock. Not in the log: an idle host would
/// fill it; a new leader grants everyone a whole lease instead.
#[derive(Debug, Default)]
pub(crate) struct HostsHeard {
    last: HashMap<HostId, Duration>,
    /// Every host counts as heard at this time, which may be to come.
    grace_from: Duration,
    /// The leadership all this belongs to. However this process came to lead (a put that landed
    /// late, a segment found to be its own), it has heard nobody yet in a new epoch.
    epoch: u64,
    /// An epoch that began before the leader before it was silent for its ttl: that one may go on
    /// answering hosts for so long.
    early: Option<(u64, Duration)>,
}

impl HostsHeard {
    /// A new leader has heard nobody yet: everyone gets a whole lease from now, or from when nobody
    /// else can answer hosts any more.
    fn enter(&mut self, epoch: u64, now: Duration) {
        if self.epoch != epoch {
            let early = self.early.filter(|(of, _)| *of == epoch);
            *self = Self {
                last: HashMap::new(),
                grace_from: now + early.map_or(Duration::ZERO, |(_, by)| by),
                epoch,
                early,
            };
        }
    }

    fn of(&self, host: HostId) -> Duration {
        let last = self.last.get(&host).copied().unwrap_or_default();
        last.max(self.grace_from)
    }

    /// `epoch` will begin although its predecessor may answer hosts for `by`.
    pub(crate) fn begins_early(&mut self, epoch: u64, by: Duration) {
        self.early = Some((epoch, by));
    }
}

/// What an exchange brings back to a host.
#[derive(Debug, Clone, Default)]
pub struct HostWork {
    /// Tasks to carry out.
    pub leases: Vec<LeasePlan>,
    /// Attempts to stop.
    pub cancels: Vec<AttemptId>,
    /// Reports that changed nothing, and why.
    pub refused: Vec<(AttemptId, &'static str)>,
}

/// What a heartbeat brings back to a host.
#[derive(Debug, Clone, Default)]
pub struct HeartbeatWork {
    /// Attempts to stop.
    pub cancels: Vec<AttemptId>,
    /// Attempts the host does not hold: kill them.
    pub unknown: Vec<AttemptId>,
}

/// Everything a host needs to carry out one attempt.
#[derive(Debug, Clone)]
pub struct LeasePlan {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its step, of the pinned definitions.
    pub step: StepDef,
    /// Partitions in Dagster's text; `None` for an unpartitioned task.
    pub partitions: Option<Vec<String>>,
    /// What it reads.
    pub inputs: Vec<TaskInput>,
    /// Of an op: what it takes from other ops of its graph.
    pub op_inputs: Vec<OpValues>,
    /// Its mapping key.
    pub mapping_key: Option<String>,
    /// Run configuration.
    pub config: Arc<serde_json::Value>,
    /// Tags of the run.
    pub tags: std::collections::BTreeMap<String, String>,
    /// Tries that failed before.
    pub retry_number: u32,
    /// When it was leased.
    pub leased: Timestamp,
}

impl Engine {
    /// Announces a host, or re-attaches one.
    ///
    /// # Errors
    /// `fenced` when it was given up; `not_leader` on another replica.
    pub async fn register_host(
        &self,
        principal: &str,
        request_id: &str,
        hello: HostHello,
    ) -> Result<Committed, EngineError> {
        let epoch = self.prove_lead().await?;
        let host = hello.host;
        // Before the commit too: a host that is known and was never heard would be given up.
        self.heard(host);
        let command = Command::RegisterHost(hello);
        let committed = self
            .submit_as_leader(principal, request_id, epoch, command)
            .await?;
        self.heard(host);
        Ok(committed)
    }

    /// Says that user code of a location did not load.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn load_failed(
        &self,
        principal: &str,
        request_id: &str,
        location: &str,
        error: ErrorInfo,
    ) -> Result<Committed, EngineError> {
        let command = Command::LoadFailed {
            location: location.to_owned(),
            error,
        };
        self.submit(principal, request_id, command).await
    }

    /// Takes a host's reports and gives it work; waits up to `wait` for work when it only asks.
    ///
    /// # Errors
    /// `unknown_host`: register again. `fenced`: kill everything and start over. `not_leader`.
    pub async fn exchange(
        &self,
        principal: &str,
        request_id: &str,
        exchange: HostExchange,
        wait: Duration,
    ) -> Result<HostWork, EngineError> {
        let epoch = self.prove_lead().await?;
        self.heard(exchange.host);
        if exchange.reports.is_empty() && !self.wait_for_work(&exchange, wait).await? {
            self.prove_lead().await?;
            self.heard(exchange.host);
            return Ok(HostWork::default());
        }
        let host = exchange.host;
        let command = Command::Exchange(exchange);
        let committed = self
            .submit_as_leader(principal, request_id, epoch, command)
            .await?;
        if let Answer::Fenced(host) = committed.answer {
            return Err(Rejection::Fenced(host).into());
        }
        self.heard(host);
        let view = self.view();
        let mut work = HostWork {
            cancels: pending::cancels(&view.state, host),
            ..HostWork::default()
        };
        if let Answer::Exchanged { leases, refused } = committed.answer {
            work.leases = leases
                .iter()
                .filter_map(|id| lease_plan(&view.state, *id))
                .collect();
            work.refused = refused;
        }
        Ok(work)
    }

    /// Waits until the host has work or something to be told; false when nothing came.
    async fn wait_for_work(
        &self,
        exchange: &HostExchange,
        wait: Duration,
    ) -> Result<bool, EngineError> {
        let mut commits = self.inner.commits.clone();
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            commits.look();
            let view = self.view();
            let state = &view.state;
            let host = alive(state, exchange.host)?;
            let now = self.now().max(state.time);
            let undelivered = host.attempts.iter().any(|id| !exchange.live.contains(id));
            let cancels = !pending::cancels(state, exchange.host).is_empty();
            let work = exchange.want > 0 && pending::has_work(state, &host.location, now);
            if undelivered || cancels || work {
                return Ok(true);
            }
            let due = pending::next_due(state, now)
                .map_or(wait, |at| Duration::from_millis(at.ms_since(now)));
            let wake =
                deadline.min(tokio::time::Instant::now() + due.max(Duration::from_millis(1)));
            tokio::select! {
                biased;
                changed = commits.changed() => changed.map_err(|_| EngineError::Stopped)?,
                () = tokio::time::sleep_until(wake) => {
                    if tokio::time::Instant::now() >= deadline {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// A sign of life.
    ///
    /// # Errors
    /// As [`Engine::exchange`].
    pub async fn heartbeat(
        &self,
        host: HostId,
        live: &[AttemptId],
    ) -> Result<HeartbeatWork, EngineError> {
        self.prove_lead().await?;
        let view = self.view();
        let known = alive(&view.state, host)?;
        self.heard(host);
        let unknown = live
            .iter()
            .copied()
            .filter(|id| !known.attempts.contains(id))
            .collect();
        Ok(HeartbeatWork {
            cancels: pending::cancels(&view.state, host),
            unknown,
        })
    }

    pub(crate) fn heard(&self, host: HostId) {
        let now = self.inner.clock.now();
        self.inner
            .hosts
            .lock()
            .expect("no panic holds this lock")
            .last
            .insert(host, now);
    }

    /// Declares hosts lost that were silent for their lease and a margin. By then they have killed
    /// their children by their own clock, which started before ours (worker-contract ADR).
    ///
    /// A host that is heard while that decision is on its way is not lost: it may have been given
    /// work in the same breath.
    pub(crate) async fn give_up_silent_hosts(&self, epoch: u64) -> Result<(), EngineError> {
        let ttl = Duration::from_millis(self.inner.settings.host_lease_ttl_ms);
        let now = self.inner.clock.now();
        let silent: Vec<(HostId, Duration)> = {
            let mut hosts = self.inner.hosts.lock().expect("no panic holds this lock");
            hosts.enter(epoch, now);
            let view = self.view();
            // One that is being registered is heard before it is known.
            let fresh = |last: &Duration| now.saturating_sub(*last) <= ttl;
            hosts
                .last
                .retain(|id, last| fresh(last) || view.state.hosts.contains_key(id));
            let known = view.state.hosts.iter();
            known
                .filter(|(_, host)| host.status == HostStatus::Alive)
                .map(|(id, _)| (*id, hosts.of(*id)))
                .filter(|(_, last)| now.saturating_sub(*last) > ttl + leader::MARGIN)
                .collect()
        };
        for (host, last) in silent {
            tracing::warn!(%host, "host lost: not heard from for its lease");
            let engine = self.clone();
            let stands: Stands = Box::new(move || {
                let hosts = engine.inner.hosts.lock().expect("no panic holds this lock");
                hosts.epoch == epoch && hosts.of(host) == last
            });
            let command = Command::HostLost(host);
            let given_up = self
                .submit_while(
                    "controller:hosts",
                    "host_lease",
                    epoch,
                    command,
                    Some(stands),
                )
                .await;
            match given_up {
                Ok(_) | Err(EngineError::LeadInDoubt) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn alive(state: &State, host: HostId) -> Result<&arco_flow::state::HostState, EngineError> {
    match state.hosts.get(&host) {
        None => Err(Rejection::UnknownHost(host).into()),
        Some(known) if known.status == HostStatus::Lost => Err(Rejection::Fenced(host).into()),
        Some(known) => Ok(known),
    }
}

/// What a host must know to carry out an attempt; `None` when the attempt is over by now.
fn lease_plan(state: &State, attempt: AttemptId) -> Option<LeasePlan> {
    let run = state.run(attempt.run)?;
    let task = run.task(attempt.task)?;
    let row = task.live().filter(|row| row.number == attempt.number)?;
    let planned = run.planned(attempt.task)?;
    let step = state.pinned(run, &planned.location)?.step(&planned.step)?;
    let keys = &planned.partitions;
    // Of its step, what this task makes and judges.
    let step = StepDef {
        outputs: planned.outputs(step).to_vec(),
        checks: planned.checks(step).cloned().collect(),
        ..step.clone()
    };
    Some(LeasePlan {
        attempt,
        step,
        partitions: (!keys.is_empty())
            .then(|| keys.iter().map(|key| key.display().into_owned()).collect()),
        inputs: inputs::of_task(state, run, attempt.task, run.requested.1),
        op_inputs: op::inputs(state, run, attempt.task),
        mapping_key: planned.mapping_key.clone(),
        config: Arc::clone(&run.config),
        tags: run.tags.clone(),
        retry_number: task.failures,
        leased: row.leased,
    })
}
