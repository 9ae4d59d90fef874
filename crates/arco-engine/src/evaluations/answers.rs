//! From what user code said to what is decided.

use std::collections::{BTreeSet, HashMap};

use arco_core::event::{Asked, ErrorInfo};
use arco_core::{Digest, HostId};
use arco_flow::command::{BackfillRequest, Command, RunRequest};
use arco_flow::evaluation::Said;
use arco_flow::schedule::{self, TickQuestion};
use arco_flow::sensor::{self, EvaluationProposal, Found, SensorQuestion};
use arco_flow::{Rejection, State};
use bytes::Bytes;
use serde_json::Value;

use super::broker::{Given, Question, Subject, Tried};
use super::mappings::{lacks_answers, lacks_answers_of};
use super::{HostAnswer, SharedView, counts};
use crate::runs::REPLANS_MAX;
use crate::{Engine, EngineError, config};

/// Plans of one evaluation that stand in its events together; a segment holds four times as much.
const INLINE: usize = 1 << 20;

impl Engine {
    /// Takes what a host answers; each answer is worked out on its own. Says which questions those were.
    pub(super) fn take_answers(&self, host: HostId, answers: Vec<HostAnswer>) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        for answer in answers {
            ids.insert(answer.id.clone());
            let given = self.inner.asking.broker().answered(host, &answer.id);
            let Some(given) = given else {
                // It was given up, or said before.
                tracing::debug!(%host, question = answer.id, "an answer that nobody waits for");
                continue;
            };
            let engine = self.clone();
            self.inner.duties.spawn(async move {
                engine.settle(given, answer).await;
                engine.inner.asking.ring();
            });
        }
        ids
    }

    async fn settle(&self, given: Given, answer: HostAnswer) {
        let Some(said) = answer.said else {
            let now = self.inner.clock.now();
            let mut broker = self.inner.asking.broker();
            broker.return_subject(given, Some(now));
            return;
        };
        let asked = Asked {
            started: given.started,
            took_ms: answer.took_ms,
            log: answer.log,
        };
        let decided = match (&given.subject, &given.question) {
            (Subject::Trial(number), _) => {
                let tried = Tried {
                    said,
                    started: asked.started,
                    took_ms: asked.took_ms,
                    log: asked.log,
                };
                self.inner.asking.broker().tried(*number, tried);
                return;
            }
            (_, Question::Tick(question)) => {
                self.settle_tick(given.epoch, question, &said, &asked).await
            }
            (_, Question::Sensor(question)) => {
                self.settle_sensor(given.epoch, question, &said, &asked)
                    .await
            }
            (subject, Question::Mapping(question)) => {
                self.settle_mapping(given.epoch, subject, question, &said)
                    .await
            }
        };
        let failed_at = decided.is_err().then(|| self.inner.clock.now());
        if let Err(error) = decided {
            tracing::warn!(subject = ?given.subject, %error, "an evaluation was not decided; it is asked again");
        }
        self.inner.asking.broker().settled(&given, failed_at);
    }

    async fn settle_tick(
        &self,
        epoch: u64,
        question: &TickQuestion,
        said: &Said,
        asked: &Asked,
    ) -> Result<(), EngineError> {
        let mut answers = self.mapping_answers();
        let mut tries = 0;
        while tries <= REPLANS_MAX {
            answers.look();
            let view = self.view();
            let subject = Subject::Schedule(question.tick.schedule.clone());
            if !counts(&view.state, &Question::Tick(question.clone()), &subject) {
                return Ok(());
            }
            let (question, said, asked) = (question.clone(), said.clone(), asked.clone());
            let worked_out = self.off_loop(view, move |view, now| {
                let state = &view.state;
                schedule::answered(state, &question, &said, &asked, now, &checks(state))
            });
            let Some(step) = worked_out.await? else {
                return Ok(());
            };
            if step
                .tick
                .as_ref()
                .is_some_and(|(_, came)| lacks_answers(came))
                && answers.come().await
            {
                continue;
            }
            tries += 1;
            if self.decide_step(epoch, step).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn settle_sensor(
        &self,
        epoch: u64,
        question: &SensorQuestion,
        said: &Said,
        asked: &Asked,
    ) -> Result<(), EngineError> {
        let mut answers = self.mapping_answers();
        let mut tries = 0;
        loop {
            answers.look();
            let view = self.view();
            let proposal = self.propose_evaluation(view.clone(), question, said, asked);
            let mut proposal = proposal.await?;
            if proposal
                .parts
                .iter()
                .any(|part| lacks_answers_of(&part.found))
            {
                self.add_wanted_partitions(epoch, said).await?;
                if answers.come().await {
                    continue;
                }
            }
            if self.counted_as_idle(&view, &proposal) {
                return Ok(());
            }
            proposal.idle = self
                .inner
                .asking
                .broker()
                .take_idle(&proposal.sensor, proposal.state_version);
            let refused = match self.decide_evaluation(epoch, proposal.clone()).await {
                Err(EngineError::Rejected(rejection)) => rejection.into(),
                Err(error @ EngineError::Log(_)) if !error.retryable() => error,
                decided => return decided,
            };
            match refused {
                EngineError::Rejected(Rejection::EvaluationSuperseded(_)) => {
                    tracing::debug!(sensor = question.sensor, "an evaluation came too late");
                    return Ok(());
                }
                EngineError::Rejected(Rejection::Replan) if tries < REPLANS_MAX => tries += 1,
                // What can never be committed must not be tried for ever: it fails, and says why.
                error => {
                    fail(&mut proposal, &error);
                    return match self.decide_evaluation(epoch, proposal).await {
                        Err(EngineError::Rejected(Rejection::EvaluationSuperseded(_))) => Ok(()),
                        decided => decided,
                    };
                }
            }
        }
    }

    async fn propose_evaluation(
        &self,
        view: SharedView,
        question: &SensorQuestion,
        said: &Said,
        asked: &Asked,
    ) -> Result<EvaluationProposal, EngineError> {
        let (question, said, asked) = (question.clone(), said.clone(), asked.clone());
        self.off_loop(view, move |view, now| {
            let state = &view.state;
            sensor::propose(state, &question, &said, &asked, now, &checks(state))
        })
        .await
    }

    /// A look that found nothing is counted here, and written with others of its kind: but for the first,
    /// so that people see that the sensor looks.
    fn counted_as_idle(&self, view: &SharedView, proposal: &EvaluationProposal) -> bool {
        let state = &view.state;
        let row = state.sensors.get(&proposal.sensor);
        let is_first = row.is_none_or(|row| row.last_evaluated.is_none_or(|at| at < row.since));
        if is_first || !sensor::is_idle(state, proposal) {
            return false;
        }
        let Some((started, reason)) = looked(proposal) else {
            return false;
        };
        let mut broker = self.inner.asking.broker();
        broker.idle(
            &proposal.sensor,
            proposal.state_version,
            started,
            reason,
            self.inner.clock.now(),
        );
        true
    }

    async fn decide_evaluation(
        &self,
        epoch: u64,
        mut proposal: EvaluationProposal,
    ) -> Result<(), EngineError> {
        let mut blobs = HashMap::new();
        for part in &mut proposal.parts {
            if let Found::Wants(wanted) = &mut part.found {
                self.store_plans_of(&mut wanted.runs, &mut blobs).await?;
                self.store_targets(&mut wanted.backfills, &mut blobs)
                    .await?;
            }
        }
        let cause = format!("evaluation of {}", proposal.sensor);
        let told = proposal.clone();
        let command = Command::AsLeader {
            epoch,
            command: Box::new(Command::Evaluate(Box::new(proposal))),
        };
        let decided = self
            .propose("controller:sensors", &cause, command, blobs, None)
            .await;
        match decided {
            Ok(_) => {
                tell(&told);
                Ok(())
            }
            // Another leads: it asks again.
            Err(EngineError::Rejected(Rejection::Led { .. })) => {
                Err(Rejection::EvaluationSuperseded(told.sensor).into())
            }
            Err(error) => Err(error),
        }
    }

    /// Plans that are too big for their events, put where the events cite them.
    pub(crate) async fn store_plans_of(
        &self,
        runs: &mut [RunRequest],
        blobs: &mut HashMap<Digest, Bytes>,
    ) -> Result<(), EngineError> {
        let max = (INLINE / runs.len().max(1)).min(self.inner.settings.inline_plan_max);
        for request in runs {
            let plan = serde_json::to_vec(&*request.plan)
                .expect("plans serialise: lists of text and numbers");
            if plan.len() > max {
                let bytes = Bytes::from(plan);
                let digest = self.inner.log.put_blob(bytes.clone()).await?;
                blobs.insert(digest, bytes);
                request.plan_blob = Some(digest);
            }
        }
        Ok(())
    }

    /// As [`Engine::store_plans_of`], of the targets of backfills.
    pub(crate) async fn store_targets(
        &self,
        backfills: &mut [BackfillRequest],
        blobs: &mut HashMap<Digest, Bytes>,
    ) -> Result<(), EngineError> {
        for request in backfills {
            let target = serde_json::to_vec(&*request.target)
                .expect("targets serialise: lists of text and numbers");
            if target.len() > self.inner.settings.inline_plan_max {
                let bytes = Bytes::from(target);
                let digest = self.inner.log.put_blob(bytes.clone()).await?;
                blobs.insert(digest, bytes);
                request.target_blob = Some(digest);
            }
        }
        Ok(())
    }
}

/// Judges configurations by the schemas of the definitions.
pub(super) fn checks(state: &State) -> impl Fn(&Value) -> Result<(), ErrorInfo> + '_ {
    |value| config::check(&state.catalog, value).map_err(|error| as_info(&error))
}

fn as_info(error: &EngineError) -> ErrorInfo {
    ErrorInfo {
        kind: error.code().into(),
        message: error.to_string(),
        traceback: String::new(),
    }
}

/// The whole proposal fails: about the first thing of a queue, so that the rest is asked again.
fn fail(proposal: &mut EvaluationProposal, error: &EngineError) {
    proposal.parts.truncate(1);
    for part in &mut proposal.parts {
        part.of.keep_first();
        part.cursor = None;
        part.found = Found::Failed(as_info(error));
    }
}

fn looked(proposal: &EvaluationProposal) -> Option<(arco_core::Timestamp, Option<String>)> {
    let part = proposal.parts.first()?;
    let Found::Wants(wanted) = &part.found else {
        return None;
    };
    Some((part.asked.started, wanted.skip_reason.clone()))
}

fn tell(proposal: &EvaluationProposal) {
    let sensor = &proposal.sensor;
    for part in &proposal.parts {
        match &part.found {
            Found::Wants(wanted) => {
                let (runs, backfills) = (wanted.runs.len(), wanted.backfills.len());
                tracing::info!(sensor, runs, backfills, "evaluation");
            }
            Found::Failed(error) => {
                tracing::error!(sensor, error = error.message, "evaluation failed");
            }
        }
    }
}
