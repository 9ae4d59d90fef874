//! What time drives: the ticks of schedules, by the leader alone.
//!
//! The loop sleeps until something is due, or something was committed that may have changed what is.
//! It may be woken early, late, or twice: what is due is read from the state each time, and each step is
//! decided only if the state still asks for it.

use std::collections::HashMap;
use std::time::Duration;

use arco_core::Timestamp;
use arco_core::event::{ErrorInfo, TickId};
use arco_flow::command::Command;
use arco_flow::schedule::{self, Evaluated, TickProposal};
use arco_flow::{Rejection, State};
use bytes::Bytes;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::evaluations::lacks_answers;
use crate::{Engine, EngineError, config};

/// The longest sleep: a wall clock that was set is noticed within it.
const LOOK: Duration = Duration::from_secs(30);
/// The shortest sleep: when what is due was not fired, others are at work.
const SOON: Duration = Duration::from_millis(1);
/// How soon to look again while the wall clock is not believed, or after a failure.
const AGAIN: Duration = Duration::from_secs(1);
/// Schedules whose next steps are worked out together: what is planned is held in memory meanwhile.
const BATCH: usize = 1_000;
/// How long a tick waits for mappings that are being asked, before it fails for want of them. Milliseconds.
const MAPPINGS_MS: u64 = 60_000;
/// How soon to look again at a tick that waits for mappings; commits wake sooner.
const HELD: Duration = Duration::from_millis(250);

/// What one look at the timers did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimersFired {
    /// Steps decided: ticks, or missed instants that were recorded.
    pub steps: usize,
    /// When something is due next.
    pub next_due: Option<Timestamp>,
}

/// Fires what is due until told to stop.
pub(crate) async fn watch(engine: Engine, stop: CancellationToken) {
    let mut commits = engine.inner.commits.clone();
    loop {
        // Before the state is read: what is committed from here on wakes again.
        commits.look();
        let pause = match engine.fire_due().await {
            Ok(_) => pause(&engine),
            Err(error) => {
                tracing::warn!(%error, "what is due could not be fired; trying again");
                AGAIN
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            changed = commits.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn pause(engine: &Engine) -> Duration {
    if engine.clock_off_ms().is_some() {
        return AGAIN;
    }
    let view = engine.view();
    match schedule::next_declared(&view.state) {
        Some(due) if view.leads => match Duration::from_millis(due.ms_since(engine.now())) {
            Duration::ZERO if !view.state.mappings.is_empty() => HELD,
            pause => pause.clamp(SOON, LOOK),
        },
        _ => LOOK,
    }
}

impl Engine {
    /// Milliseconds by which the wall clock is ahead of the time that is believed (negative: behind);
    /// `None` while it is believed. Nothing that time drives is done meanwhile.
    #[must_use]
    pub fn clock_off_ms(&self) -> Option<i64> {
        self.inner.trusted.off_ms()
    }

    /// A wake-up without authority: reads what others wrote, then fires what is due, if this process
    /// leads and believes its clock. Early, late or repeated calls do no harm.
    ///
    /// # Errors
    /// [`EngineError`]; what was fired before stands.
    pub async fn fire_timers(&self) -> Result<TimersFired, EngineError> {
        self.catch_up().await?;
        let steps = self.fire_due().await?;
        self.ask_due().await;
        Ok(TimersFired {
            steps,
            next_due: self.next_due(),
        })
    }

    /// Fires what is due; says how many steps that took.
    pub(crate) async fn fire_due(&self) -> Result<usize, EngineError> {
        let mut steps = 0;
        loop {
            let view = self.view();
            if !view.leads || view.read_only.is_some() || self.clock_off_ms().is_some() {
                return Ok(steps);
            }
            let proposals = self.due_steps(view.state.clone(), self.now()).await?;
            if proposals.is_empty() {
                return Ok(steps);
            }
            let epoch = view.state.leadership.epoch;
            let decided = join_all(
                proposals
                    .into_iter()
                    .map(|step| self.decide_step(epoch, step)),
            );
            let before = steps;
            for decided in decided.await {
                steps += usize::from(decided?);
            }
            if steps == before {
                // Others were quicker, or definitions moved: the next look sees what they left.
                return Ok(steps);
            }
        }
    }

    async fn due_steps(
        &self,
        state: State,
        now: Timestamp,
    ) -> Result<Vec<TickProposal>, EngineError> {
        let Some(due) = schedule::next_due(&state).filter(|due| *due <= now) else {
            return Ok(Vec::new());
        };
        tracing::debug!(late_ms = now.ms_since(due), "something is due");
        if !self.inner.settings.offload {
            return Ok(steps(&state, now));
        }
        // Five hundred plans take longer than the loop may stand still.
        tokio::task::spawn_blocking(move || steps(&state, now))
            .await
            .map_err(|_| EngineError::Stopped)
    }

    /// Has one step decided; false when another one was quicker.
    pub(crate) async fn decide_step(
        &self,
        epoch: u64,
        mut step: TickProposal,
    ) -> Result<bool, EngineError> {
        let blobs = self.store_plans(&mut step).await?;
        let refused = match self.fire_step(epoch, &step, blobs).await {
            Err(EngineError::Rejected(rejection)) => rejection.into(),
            Err(error @ EngineError::Log(_)) if !error.retryable() => error,
            decided => return decided.map(|()| true),
        };
        if let EngineError::Rejected(Rejection::TickSuperseded(_) | Rejection::Replan) = refused {
            return Ok(false);
        }
        // What can never be committed must not be tried for ever: the tick fails, and says why.
        if let Some((_, evaluated)) = &mut step.tick {
            *evaluated = failed(&refused);
        }
        match self.fire_step(epoch, &step, HashMap::new()).await {
            Err(EngineError::Rejected(Rejection::TickSuperseded(_))) => Ok(false),
            decided => decided.map(|()| true),
        }
    }

    async fn fire_step(
        &self,
        epoch: u64,
        step: &TickProposal,
        blobs: HashMap<arco_core::Digest, Bytes>,
    ) -> Result<(), EngineError> {
        let cause = match &step.tick {
            Some((tick, _)) => format!("tick {tick}"),
            None => format!("missed {}", step.schedule),
        };
        let command = Command::AsLeader {
            epoch,
            command: Box::new(Command::FireSchedule(Box::new(step.clone()))),
        };
        let fired = self
            .propose("controller:schedules", &cause, command, blobs, None)
            .await;
        match fired {
            Ok(_) => {
                tell(step);
                Ok(())
            }
            // Another leads: it fires what is due.
            Err(EngineError::Rejected(Rejection::Led { .. })) => {
                Err(Rejection::TickSuperseded(step.schedule.clone()).into())
            }
            Err(error) => Err(error),
        }
    }

    /// Plans that are too big for their events, put where the events cite them.
    async fn store_plans(
        &self,
        step: &mut TickProposal,
    ) -> Result<HashMap<arco_core::Digest, Bytes>, EngineError> {
        let mut blobs = HashMap::new();
        match &mut step.tick {
            Some((_, Evaluated::Runs(runs))) => self.store_plans_of(runs, &mut blobs).await?,
            Some((_, Evaluated::Wants(wanted))) => {
                self.store_plans_of(&mut wanted.runs, &mut blobs).await?;
                self.store_targets(&mut wanted.backfills, &mut blobs)
                    .await?;
            }
            _ => {}
        }
        Ok(blobs)
    }

    /// What a schedule would run at an instant, without running it.
    ///
    /// # Errors
    /// `unknown_schedule`; `no_host` when it has a function and nobody can be asked.
    pub async fn try_schedule(
        &self,
        name: &str,
        instant: Timestamp,
    ) -> Result<Evaluated, EngineError> {
        if let Some(evaluated) = self.try_function(name, instant).await? {
            return Ok(evaluated);
        }
        let view = self.view();
        let now = self.now().max(instant);
        let name = name.to_owned();
        let evaluate = move || {
            let state = &view.state;
            let found = state
                .catalog
                .schedule(&name)
                .ok_or_else(|| arco_flow::decide::unknown_schedule(state, &name))?;
            let evaluated = schedule::evaluate(state, found, instant, now);
            Ok(checked(state, evaluated))
        };
        if !self.inner.settings.offload {
            return evaluate();
        }
        tokio::task::spawn_blocking(evaluate)
            .await
            .map_err(|_| EngineError::Stopped)?
    }
}

/// The next steps of what is due.
fn steps(state: &State, now: Timestamp) -> Vec<TickProposal> {
    schedule::due(state, now)
        .take(BATCH)
        .filter_map(|name| schedule::next_step(state, name, now))
        .filter(|step| !waits_for_mappings(step, now))
        .map(|mut step| {
            let tick = step.tick.take();
            step.tick = tick.map(|(tick, evaluated)| (tick, checked(state, evaluated)));
            step
        })
        .collect()
}

/// Whether a tick has the time to wait for mappings that are being asked.
fn waits_for_mappings(step: &TickProposal, now: Timestamp) -> bool {
    let tick = step.tick.as_ref();
    tick.is_some_and(|(tick, came)| lacks_answers(came) && now.ms_since(tick.instant) < MAPPINGS_MS)
}

/// A tick whose configuration does not fit the schemas fails as a whole.
fn checked(state: &State, evaluated: Evaluated) -> Evaluated {
    let Evaluated::Runs(runs) = &evaluated else {
        return evaluated;
    };
    let wrong = runs
        .iter()
        .find_map(|run| config::check(&state.catalog, &run.config).err());
    wrong.map_or(evaluated, |error| failed(&error))
}

fn failed(error: &EngineError) -> Evaluated {
    Evaluated::Failed(ErrorInfo {
        kind: error.code().into(),
        message: error.to_string(),
        traceback: String::new(),
    })
}

fn tell(step: &TickProposal) {
    for missed in &step.missed {
        tracing::warn!(
            schedule = step.schedule,
            count = missed.count,
            reason = missed.reason.in_words(),
            "instants missed"
        );
    }
    let Some((TickId { schedule, instant }, evaluated)) = &step.tick else {
        return;
    };
    let instant = instant.to_rfc3339_seconds();
    match evaluated {
        Evaluated::Runs(runs) => {
            tracing::info!(schedule, instant, runs = runs.len(), "tick");
        }
        Evaluated::Wants(wanted) => {
            let (runs, backfills) = (wanted.runs.len(), wanted.backfills.len());
            tracing::info!(schedule, instant, runs, backfills, "tick");
        }
        Evaluated::Skipped(reason) => tracing::info!(schedule, instant, reason, "tick skipped"),
        Evaluated::Failed(error) => {
            tracing::error!(schedule, instant, error = error.message, "tick failed");
        }
    }
}
