//! Questions to user code, beside the exchanges: taken, answered after a while, sometimes badly, sometimes
//! twice, and never in order.

use std::time::Duration;

use arco_core::HostId;
use arco_core::event::ErrorInfo;
use arco_engine::{EvaluationsCall, HostAnswer, HostAsk, HostQuestion};
use arco_flow::evaluation::{RunAsked, Said, Wanted};
use arco_flow::sensor::SensorQuestion;
use arco_flow::state::QueuedWhat;
use arco_testkit::random::Random;
use tokio::time::Instant;

use super::gate::Gate;
use super::{Parts, Shared};
use crate::planted::Planted;

/// A sensor that polls: its cursor counts up to here, then it finds nothing any more.
pub(crate) const COUNTS_TO: u64 = 25;
/// The sensor that counts.
pub(crate) const COUNTER: &str = "counter";
/// The sensor that is pushed to.
pub(crate) const INBOX: &str = "inbox";
/// The tag that says which message a run is of.
pub(crate) const MESSAGE_TAG: &str = "message";

const WAIT: Duration = Duration::from_secs(3);

struct Evaluator {
    parts: Parts,
    random: Random,
    /// Whose they are.
    host: HostId,
    working: Vec<(Instant, HostQuestion)>,
    answers: Vec<HostAnswer>,
}

/// Answers questions for as long as the host lives.
pub(super) async fn evaluate(parts: Parts, random: Random, shared: Shared, gate: Gate) {
    let mut evaluator = Evaluator {
        parts,
        random,
        host: shared.now().id,
        working: Vec::new(),
        answers: Vec::new(),
    };
    loop {
        gate.pass().await;
        let now = shared.now();
        if now.id != evaluator.host {
            // Its children died with the host that it was.
            evaluator.host = now.id;
            evaluator.working.clear();
            evaluator.answers.clear();
        }
        let went_well = now.registered && evaluator.call(&now.url).await;
        let pause = if went_well {
            1
        } else {
            evaluator.random.between(200, 800)
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

impl Evaluator {
    async fn call(&mut self, url: &str) -> bool {
        self.finish();
        let answers = self.answers.clone();
        let call = EvaluationsCall {
            answers: answers.clone(),
            want: 4,
            busy: self.working.iter().map(|(_, q)| q.id.clone()).collect(),
        };
        let next = self.working.iter().map(|(at, _)| *at).min();
        let wait = next.map_or(WAIT, |at| at.saturating_duration_since(Instant::now()));
        let host = self.host;
        let asked = self
            .parts
            .network
            .call(&self.parts.name, url, |engine| async move {
                engine.evaluations(host, call, wait.min(WAIT)).await
            });
        match asked.await {
            Ok(work) => {
                // Now and then what was said is said again, though it was heard.
                if !self.random.chance(100) {
                    self.answers.drain(..answers.len());
                }
                self.working.retain(|(_, q)| !work.dropped.contains(&q.id));
                for question in work.questions {
                    let takes = Duration::from_millis(self.random.between(0, 1_500));
                    self.working.push((Instant::now() + takes, question));
                }
                true
            }
            Err(error) => {
                self.parts.record.count(error.code());
                false
            }
        }
    }

    /// What is done by now is to be said.
    fn finish(&mut self) {
        let now = Instant::now();
        let done: Vec<HostQuestion> = self
            .working
            .extract_if(.., |(at, _)| *at <= now)
            .map(|(_, question)| question)
            .collect();
        for question in done {
            let said = self.said(&question);
            let answer = HostAnswer {
                id: question.id,
                said,
                log: Vec::new(),
                took_ms: 1,
            };
            // The last is said first.
            self.answers.insert(0, answer);
        }
    }

    fn said(&mut self, question: &HostQuestion) -> Option<Said> {
        if self.random.chance(30) {
            return None;
        }
        let fails = self.random.chance(80);
        match &question.ask {
            HostAsk::Mapping(_) => unreachable!("no definitions of it have mappings of their own"),
            HostAsk::Tick(_) if fails => Some(raised(None)),
            HostAsk::Tick(_) => Some(Said::Returned(Wanted {
                runs: vec![RunAsked::default()],
                ..Wanted::default()
            })),
            HostAsk::Sensor { question, .. } if question.sensor == COUNTER => Some(if fails {
                raised(None)
            } else {
                Said::Returned(self.count(question))
            }),
            HostAsk::Sensor { question, .. } => {
                let many = question.items.len() as u64;
                let taken = usize::try_from(self.random.between(1, many + 1)).unwrap_or(1);
                let wanted = self.read(question, taken.min(question.items.len()));
                Some(match fails && taken < question.items.len() {
                    true => raised(Some(wanted)),
                    false => Said::Returned(wanted),
                })
            }
        }
    }

    /// One more, with a run of every other number.
    fn count(&self, question: &SensorQuestion) -> Wanted {
        let cursor = question
            .cursor
            .as_deref()
            .and_then(|text| text.parse().ok());
        let number: u64 = cursor.unwrap_or(0);
        if number >= COUNTS_TO {
            return Wanted::default();
        }
        let goes_back = self.parts.planted == Planted::CursorGoesBack && number % 7 == 6;
        let next = if goes_back { number - 3 } else { number + 1 };
        Wanted {
            runs: vec![RunAsked {
                run_key: Some((number / 2).to_string()),
                ..RunAsked::default()
            }],
            cursor: Some(next.to_string()),
            ..Wanted::default()
        }
    }

    /// A run for each message.
    fn read(&self, question: &SensorQuestion, taken: usize) -> Wanted {
        let ids = question
            .items
            .iter()
            .take(taken)
            .map(|item| match &item.what {
                QueuedWhat::Message { id, .. } => id.clone(),
                other => unreachable!("only messages are pushed: {other:?}"),
            });
        let loses = self.parts.planted == Planted::MessagesAreLost;
        let runs = (0..)
            .zip(ids)
            .filter(|(_, id)| !(loses && id.ends_with('3')));
        Wanted {
            runs: runs
                .map(|(item, id)| RunAsked {
                    answers: Some(item),
                    tags: [(MESSAGE_TAG.to_owned(), id)].into(),
                    ..RunAsked::default()
                })
                .collect(),
            taken,
            ..Wanted::default()
        }
    }
}

fn raised(before: Option<Wanted>) -> Said {
    let error = ErrorInfo {
        kind: "ValueError".into(),
        message: "no".into(),
        traceback: String::new(),
    };
    Said::Raised { error, before }
}
