//! Questions to user code: taken by a long poll of their own, answered by children of their own.
//!
//! They share nothing with tasks but the zygote. They take no slot, their call does not hold up the
//! exchange, and one that hangs holds one child. What is lost on the way (a question with an answer that
//! was broken off, an answer with a call that failed) is asked or said again: the control plane counts an
//! answer once.

use std::collections::{BTreeMap, VecDeque};

use arco_core::HostId;
use arco_wire::evaluation::{
    EvaluationAnswer, EvaluationQuestion, Evaluations, EvaluationsGiven, Said,
};
use arco_wire::worker::ErrorInfo;
use serde_json::Value;
use tokio::task::{AbortHandle, JoinSet};

use super::Wake;
use super::turn::Loop;
use crate::child::{ChildId, Stop};
use crate::client::{Call, CallError};
use crate::clock::Boottime;

#[cfg(test)]
mod tests;

/// Evaluations at once (ADR 0019): as many sensors may hang before another waits.
pub(super) const EVALUATORS_MAX: usize = 32;
/// An evaluator that had nothing to do for so long leaves: twice the usual interval of a sensor.
const IDLE_MS: u64 = 60_000;
const BACKOFF_MS: [u64; 6] = [50, 100, 200, 400, 800, 1_000];
/// A control plane that gives nothing and does not wait either is asked at most this often.
const EMPTY_POLL_MS: u64 = 50;

/// An answer of the control plane, and the call it belongs to.
#[derive(Debug)]
pub(crate) struct Answer {
    host: HostId,
    call: u64,
    sent: Boottime,
    given: Call<Option<EvaluationsGiven>>,
}

#[derive(Debug)]
struct Flight {
    call: u64,
    /// It waits for questions and may be broken off.
    waits: bool,
    /// So many of the answers are with it, from the front.
    answers: usize,
    abort: AbortHandle,
}

/// The evaluations in this host's hands, and the call about them.
#[derive(Debug, Default)]
pub(super) struct Evaluating {
    waiting: VecDeque<EvaluationQuestion>,
    running: BTreeMap<ChildId, String>,
    answers: VecDeque<EvaluationAnswer>,
    /// So many answers go one by one: one of them is not to the control plane's liking.
    one_by_one: usize,
    /// The control plane has no such call.
    unserved: bool,
    calls: u64,
    flight: Option<Flight>,
    failures: usize,
    not_before: Option<Boottime>,
    shrink_at: Option<Boottime>,
    tasks: JoinSet<()>,
}

impl Evaluating {
    /// A child has answered. It may have been let go of meanwhile.
    pub(super) fn answered(&mut self, child: ChildId, answer: Option<Box<EvaluationAnswer>>) {
        if self.running.remove(&child).is_some()
            && let Some(answer) = answer
        {
            self.answers.push_back(*answer);
        }
    }

    /// What was not begun is given back.
    pub(super) fn not_asked(&mut self) {
        for question in self.waiting.drain(..) {
            self.answers.push_back(not_asked(question.id));
        }
    }

    /// Everything is given back; the children are to be killed.
    pub(super) fn stop(&mut self) -> Vec<ChildId> {
        self.not_asked();
        let running = std::mem::take(&mut self.running);
        let (children, ids): (Vec<_>, Vec<_>) = running.into_iter().unzip();
        self.answers.extend(ids.into_iter().map(not_asked));
        children
    }

    /// The children were killed: what they would have said does not count, and is asked again.
    pub(super) fn let_go(&mut self) {
        self.waiting.clear();
        self.running.clear();
    }

    /// This host is another one now.
    pub(super) fn start_over(&mut self) {
        *self = Self {
            calls: self.calls,
            shrink_at: self.shrink_at,
            ..Self::default()
        };
    }

    /// The control plane may be another one, which has the call.
    pub(super) fn registered(&mut self) {
        self.unserved = false;
    }

    /// Whether nobody waits for an answer of this host.
    pub(super) fn is_delivered(&self) -> bool {
        self.unserved || (self.answers.is_empty() && self.running.is_empty())
    }

    fn busy(&self) -> Vec<String> {
        let waiting = self.waiting.iter().map(|question| question.id.clone());
        self.running.values().cloned().chain(waiting).collect()
    }

    fn room(&self) -> usize {
        EVALUATORS_MAX.saturating_sub(self.running.len() + self.waiting.len())
    }

    /// Takes a question, unless it is here.
    fn take(&mut self, question: EvaluationQuestion) {
        let here = self.running.values().any(|id| *id == question.id)
            || self.waiting.iter().any(|one| one.id == question.id)
            || self.answers.iter().any(|one| one.id == question.id);
        if !here {
            self.waiting.push_back(question);
        }
    }

    /// Nobody waits for this one any more. The child that is about it is to be killed.
    fn drop_one(&mut self, id: &str) -> Option<ChildId> {
        self.waiting.retain(|question| question.id != id);
        let child = self.running.iter().find(|(_, busy)| *busy == id);
        let child = child.map(|(child, _)| *child)?;
        self.running.remove(&child);
        Some(child)
    }

    fn failed(&mut self, now: Boottime) {
        let pause = BACKOFF_MS[self.failures.min(BACKOFF_MS.len() - 1)];
        self.failures += 1;
        self.not_before = Some(now.plus_ms(pause));
    }
}

impl Loop {
    /// When evaluations have something to do though nothing has happened.
    pub(super) fn evaluations_moment(&self) -> Option<Boottime> {
        let may = self.link.registered && !self.evaluating.unserved;
        let call = self
            .evaluating
            .not_before
            .filter(|_| may && self.evaluating.flight.is_none());
        [call, self.evaluating.shrink_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Gives questions to children, and makes the next call.
    pub(super) fn evaluate(&mut self, now: Boottime) {
        self.evaluating.shrink_at = self.children.shrink_evaluators(IDLE_MS, now);
        if self.stopping.is_none() {
            self.hand_out_questions();
        }
        self.call_for_questions(now);
    }

    fn hand_out_questions(&mut self) {
        let current = self.loading.current;
        let Some(zygote) = current.and_then(|id| self.zygotes.get_mut(&id)) else {
            return;
        };
        if zygote.loaded.is_none() || zygote.draining {
            return;
        }
        while !self.evaluating.waiting.is_empty() {
            let Some(child) = self.children.free_evaluator(zygote) else {
                break;
            };
            if let Some(question) = self.evaluating.waiting.pop_front() {
                self.evaluating.running.insert(child, question.id.clone());
                self.children.evaluate(child, question);
            }
        }
        let waiting = self.evaluating.waiting.len();
        self.children
            .make_evaluators(zygote, waiting, EVALUATORS_MAX);
    }

    fn call_for_questions(&mut self, now: Boottime) {
        if !self.link.registered || self.evaluating.unserved {
            return;
        }
        let deliver = !self.evaluating.answers.is_empty();
        if let Some(flight) = &self.evaluating.flight {
            // What is to be said does not wait for what is to be asked.
            if !flight.waits || !(deliver || self.stopping.is_some()) {
                return;
            }
            flight.abort.abort();
            self.evaluating.flight = None;
        }
        if self.evaluating.not_before.is_some_and(|at| now < at) {
            return;
        }
        self.evaluating.not_before = None;
        let want = if self.stopping.is_none() && self.has_functions() {
            self.evaluating.room()
        } else {
            0
        };
        if !deliver && want == 0 {
            return;
        }
        let at_once = match self.evaluating.one_by_one {
            0 => usize::MAX,
            _ => 1,
        };
        let body = Evaluations {
            answers: self
                .evaluating
                .answers
                .iter()
                .take(at_once)
                .cloned()
                .collect(),
            want: u32::try_from(want).unwrap_or(u32::MAX),
            wait_ms: if deliver { 0 } else { self.settings.wait_ms },
            busy: self.evaluating.busy(),
        };
        self.fly_for_questions(body, now);
    }

    fn fly_for_questions(&mut self, body: Evaluations, now: Boottime) {
        let evaluating = &mut self.evaluating;
        evaluating.calls += 1;
        while evaluating.tasks.try_join_next().is_some() {}
        let call = evaluating.calls;
        let (client, host, wakes) = (self.client.clone(), self.host, self.shared.wakes.clone());
        let (waits, answers) = (body.wait_ms > 0, body.answers.len());
        let abort = evaluating.tasks.spawn(async move {
            let given = client.evaluations(host, &body).await;
            let answer = Answer {
                host,
                call,
                sent: now,
                given,
            };
            let _ = wakes.send(Wake::Evaluations(answer)).await;
        });
        evaluating.flight = Some(Flight {
            call,
            waits,
            answers,
            abort,
        });
    }

    /// Whether there is anything to be asked of the code that serves.
    fn has_functions(&self) -> bool {
        let current = self.loading.current;
        let loaded = current
            .and_then(|id| self.zygotes.get(&id))
            .and_then(|zygote| zygote.loaded.as_ref());
        loaded.is_some_and(|loaded| has_functions(&loaded.manifest))
    }

    pub(super) fn evaluations_answered(&mut self, answer: Answer, now: Boottime) {
        let mine = |flight: &mut Flight| flight.call == answer.call;
        let Some(flight) = self.evaluating.flight.take_if(mine) else {
            return;
        };
        if answer.host != self.host {
            return;
        }
        match answer.given {
            Ok(Some(given)) => {
                self.evaluating.failures = 0;
                self.evaluating.answers.drain(..flight.answers);
                self.evaluating.one_by_one =
                    self.evaluating.one_by_one.saturating_sub(flight.answers);
                let idle = given.questions.is_empty() && flight.answers == 0;
                let hasty = idle && now < answer.sent.plus_ms(EMPTY_POLL_MS);
                self.evaluating.not_before = hasty.then(|| now.plus_ms(EMPTY_POLL_MS));
                self.questions_given(given);
            }
            Ok(None) => {
                tracing::debug!(
                    "the control plane asks no questions of functions; it is an older one"
                );
                self.evaluating.unserved = true;
                self.evaluating.answers.clear();
            }
            Err(CallError::Refused(detail)) if flight.answers > 0 => {
                tracing::error!(detail, "the control plane refused what functions said");
                self.answers_refused(flight.answers, &detail);
                self.evaluating.failed(now);
            }
            // That this host is unknown or fenced is for the exchange to find out.
            Err(error) => {
                tracing::debug!(%error, "no answer to a call for evaluations");
                self.evaluating.failed(now);
            }
        }
    }

    fn questions_given(&mut self, given: EvaluationsGiven) {
        for id in given.dropped {
            if let Some(child) = self.evaluating.drop_one(&id) {
                self.children.stop(child, Stop::Kill);
            }
        }
        for question in given.questions {
            self.evaluating.take(question);
        }
        if self.stopping.is_some() {
            self.evaluating.not_asked();
        }
    }

    /// One answer is not to the control plane's liking: which, is found by sending them one by one. Its
    /// refusal is said in its place; when that is refused too, nothing is.
    fn answers_refused(&mut self, count: usize, detail: &str) {
        let evaluating = &mut self.evaluating;
        if count > 1 {
            evaluating.one_by_one = count;
            return;
        }
        evaluating.one_by_one = evaluating.one_by_one.saturating_sub(1);
        let Some(answer) = evaluating.answers.pop_front() else {
            return;
        };
        let kind = "AnswerRefused";
        if matches!(&answer.said, Said::Raised { error, .. } if error.kind == kind) {
            return;
        }
        let message = format!("the control plane refused what the function asked for: {detail}");
        let error = ErrorInfo {
            kind: kind.into(),
            message,
            traceback: String::new(),
        };
        let said = Said::Raised {
            error,
            before: None,
        };
        evaluating
            .answers
            .push_back(EvaluationAnswer { said, ..answer });
    }
}

/// Whether a manifest has sensors, schedules whose functions are asked, or mappings that are code.
fn has_functions(manifest: &Value) -> bool {
    let some = |name: &str| manifest.get(name).and_then(Value::as_array);
    let sensors = some("sensors").is_some_and(|sensors| !sensors.is_empty());
    let asked = |schedule: &Value| schedule.get("function") == Some(&Value::Bool(true));
    let is_code = |dep: &Value| {
        dep.pointer("/mapping/kind")
            .is_some_and(|kind| kind == "custom")
    };
    let reads_by_code = |asset: &Value| {
        let deps = asset.get("deps").and_then(Value::as_array);
        deps.is_some_and(|deps| deps.iter().any(is_code))
    };
    sensors
        || some("schedules").is_some_and(|schedules| schedules.iter().any(asked))
        || some("assets").is_some_and(|assets| assets.iter().any(reads_by_code))
}

fn not_asked(id: String) -> EvaluationAnswer {
    EvaluationAnswer {
        id,
        said: Said::NotAsked,
        log: Vec::new(),
        took_ms: 0,
    }
}
