//! User code is asked what to run (`docs/adr/0019-evaluations-and-sensors.md`).
//!
//! The watch finds who is due; a host takes questions by a long poll and answers by the same call; an answer is
//! worked out off the loop and proposed. Each is on its own: one that hangs holds its child and nothing else.

mod answers;
mod ask;
mod broker;
mod mappings;
mod messages;
mod trial;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arco_core::HostId;
use arco_core::event::Stored;
use arco_flow::evaluation::Said;
use arco_flow::state::{HostStatus, QueuedWhat, State};
use arco_flow::{Rejection, mapping, schedule, sensor};
use serde_json::Value;

use self::broker::{Broker, Given, Question, Subject};
use crate::commits::{Announcer, Commits};
use crate::{Engine, EngineError, View};

pub(crate) use self::ask::watch;
pub use self::broker::UnderWay;
pub(crate) use self::mappings::lacks_answers;
pub use self::messages::{MessageAsk, MessageMade};
pub use self::trial::{SensorTrial, TrialOutcome};

/// The leader's questions, and a bell for those who wait for some.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    broker: Mutex<Broker>,
    bell: Announcer,
}

impl Asking {
    fn broker(&self) -> std::sync::MutexGuard<'_, Broker> {
        self.broker.lock().expect("no panic holds this lock")
    }

    fn bell(&self) -> Commits {
        self.bell.commits()
    }

    fn ring(&self) {
        self.bell.announce();
    }
}

/// A call of a host about evaluations.
#[derive(Debug, Clone, Default)]
pub struct EvaluationsCall {
    /// What it found out.
    pub answers: Vec<HostAnswer>,
    /// Questions wanted, at most.
    pub want: usize,
    /// Questions it works on.
    pub busy: Vec<String>,
}

/// What user code said to a question.
#[derive(Debug, Clone)]
pub struct HostAnswer {
    /// The question.
    pub id: String,
    /// What it said; `None` when it was not asked.
    pub said: Option<Said>,
    /// What the function logged.
    pub log: Vec<String>,
    /// How long it took. Milliseconds.
    pub took_ms: u64,
}

/// What such a call brings back.
#[derive(Debug, Clone, Default)]
pub struct EvaluationsWork {
    /// Questions.
    pub questions: Vec<HostQuestion>,
    /// Of what it works on: nobody waits for it any more.
    pub dropped: Vec<String>,
}

/// A question for a host.
#[derive(Debug, Clone)]
pub struct HostQuestion {
    /// Names it between host and control plane.
    pub id: String,
    /// Longest time the function may take. Milliseconds.
    pub timeout_ms: u64,
    /// What is asked.
    pub ask: HostAsk,
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum HostAsk {
    /// What a schedule runs at an instant.
    Tick(schedule::TickQuestion),
    /// What a sensor runs now.
    Sensor {
        /// What it is asked with.
        question: sensor::SensorQuestion,
        /// What the messages of its queue say, in order; null for what is no message.
        data: Vec<Value>,
    },
    /// Which partitions some partitions need.
    Mapping(mapping::MappingQuestion),
}

impl Engine {
    /// Takes a host's answers and gives it questions; waits up to `wait` for some when it brings no answers.
    ///
    /// Answers are decided after the call: their effect is in the state once it is committed. This may be
    /// dropped at any time.
    ///
    /// # Errors
    /// `unknown_host`: register again. `fenced`: kill everything and start over. `not_leader`.
    pub async fn evaluations(
        &self,
        host: HostId,
        call: EvaluationsCall,
        wait: Duration,
    ) -> Result<EvaluationsWork, EngineError> {
        let epoch = self.prove_lead().await?;
        self.heard(host);
        let mut bell = self.inner.asking.bell();
        let view = self.view();
        location_of(&view.state, host)?;
        let answers_at_once = !call.answers.is_empty();
        let taken: BTreeSet<String> = self.take_answers(host, call.answers);
        let (number, dropped, freed) = {
            let mut broker = self.inner.asking.broker();
            broker.enter(epoch);
            let busy: BTreeSet<&str> = call.busy.iter().map(String::as_str).collect();
            let given = broker.given_to(host);
            let number = broker.begin_call(host, &busy);
            let dropped = drop_outdated(&mut broker, &view, host, &call.busy);
            (number, dropped, broker.given_to(host) < given)
        };
        if freed {
            // Whoever finds who is due looks again.
            self.inner.asking.ring();
        }
        let dropped: Vec<String> = dropped
            .into_iter()
            .filter(|id| !taken.contains(id))
            .collect();
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            bell.look();
            let view = self.view();
            if !view.leads {
                return Err(self.not_leader());
            }
            let location = location_of(&view.state, host)?.to_owned();
            let questions = self.hand_out(host, number, &location, call.want).await;
            let now = tokio::time::Instant::now();
            if !questions.is_empty() || !dropped.is_empty() || answers_at_once || now >= deadline {
                self.prove_lead().await?;
                self.heard(host);
                return Ok(EvaluationsWork { questions, dropped });
            }
            if !self.inner.asking.broker().is_latest(host, number) {
                // The host has gone on without waiting for this.
                return Ok(EvaluationsWork::default());
            }
            tokio::select! {
                biased;
                changed = bell.changed() => changed.map_err(|_| EngineError::Stopped)?,
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
    }

    /// Gives a host up to `want` questions of its location.
    async fn hand_out(
        &self,
        host: HostId,
        call: u64,
        location: &str,
        want: usize,
    ) -> Vec<HostQuestion> {
        let mut out = Vec::new();
        while out.len() < want {
            let given = {
                let mut broker = self.inner.asking.broker();
                if !broker.is_latest(host, call) {
                    break;
                }
                let view = self.view();
                let Some(subject) = broker.next_waiting(location) else {
                    break;
                };
                let Some(question) = self.question(&broker, &view, &subject) else {
                    broker.free(&subject);
                    continue;
                };
                let epoch = broker.epoch();
                let id = broker.give(Given {
                    subject,
                    question: question.clone(),
                    host,
                    at: self.inner.clock.now(),
                    started: self.now(),
                    epoch,
                });
                (id, question)
            };
            let (id, question) = given;
            let timeout_ms = u64::try_from(question.timeout().as_millis()).unwrap_or(u64::MAX);
            match self.with_data(question).await {
                Ok(ask) => out.push(HostQuestion {
                    id,
                    timeout_ms,
                    ask,
                }),
                Err(error) => {
                    tracing::warn!(%error, "a message could not be read; trying again");
                    let now = self.inner.clock.now();
                    self.inner.asking.broker().take_back(&id, Some(now));
                }
            }
        }
        out
    }

    /// What a subject is asked with now; `None` when there is nothing to ask any more.
    fn question(&self, broker: &Broker, view: &View, subject: &Subject) -> Option<Question> {
        let state = &view.state;
        match subject {
            Subject::Schedule(name) => {
                schedule::next_question(state, name, self.now()).map(Question::Tick)
            }
            Subject::Sensor(name) => sensor::question(state, name).map(Question::Sensor),
            Subject::Mapping(edge) => {
                let version = state.mappings.get(edge)?.version;
                let (held, most) = broker.held(subject, version, self.inner.clock.now());
                let question = mapping::question(state, edge, self.now(), &held, most);
                question.map(Question::Mapping)
            }
            Subject::Trial(number) => broker.trial(*number).cloned(),
        }
    }

    /// The question with what its messages say, which may stand in blobs.
    async fn with_data(&self, question: Question) -> Result<HostAsk, EngineError> {
        let question = match question {
            Question::Tick(question) => return Ok(HostAsk::Tick(question)),
            Question::Mapping(question) => return Ok(HostAsk::Mapping(question)),
            Question::Sensor(question) => question,
        };
        let mut data = Vec::with_capacity(question.items.len());
        for item in &question.items {
            data.push(match &item.what {
                QueuedWhat::Message {
                    data: Stored::Inline(value),
                    ..
                } => value.clone(),
                QueuedWhat::Message {
                    data: Stored::Blob(digest),
                    ..
                } => {
                    let bytes = self.inner.log.get_blob(digest).await?;
                    serde_json::from_slice(&bytes).map_err(|error| {
                        EngineError::ReadOnly(format!("blob {digest} is no JSON: {error}"))
                    })?
                }
                _ => Value::Null,
            });
        }
        Ok(HostAsk::Sensor { question, data })
    }

    /// Whether a sensor is being asked, and by whom; `None` when it is not. Known to the leader alone.
    #[must_use]
    pub fn sensor_under_way(&self, sensor: &str) -> Option<UnderWay> {
        let subject = Subject::Sensor(sensor.to_owned());
        self.inner.asking.broker().under_way(&subject)
    }

    /// As [`Engine::sensor_under_way`], of the function of a schedule.
    #[must_use]
    pub fn schedule_under_way(&self, schedule: &str) -> Option<UnderWay> {
        let subject = Subject::Schedule(schedule.to_owned());
        self.inner.asking.broker().under_way(&subject)
    }
}

/// Questions of a host that do not count any more, or that nobody knows.
fn drop_outdated(broker: &mut Broker, view: &View, host: HostId, busy: &[String]) -> Vec<String> {
    let outdated: Vec<String> = broker
        .of_host(host)
        .filter(|(_, given)| !counts(&view.state, &given.question, &given.subject))
        .map(|(id, _)| id.clone())
        .collect();
    for id in &outdated {
        broker.drop_question(id);
    }
    let unknown = busy.iter().filter(|id| !broker.is_given(id));
    unknown.cloned().collect()
}

/// Whether an answer to a question could still count.
fn counts(state: &State, question: &Question, subject: &Subject) -> bool {
    if matches!(subject, Subject::Trial(_)) {
        return true;
    }
    match question {
        Question::Tick(question) => {
            let row = state.schedules.get(&question.tick.schedule);
            row.is_some_and(|row| {
                row.is_running()
                    && row.version == question.version
                    && row.settled < question.tick.instant
            })
        }
        Question::Mapping(question) => mapping::is_asked(state, question),
        Question::Sensor(question) => {
            let row = state.sensors.get(&question.sensor);
            row.is_some_and(|row| {
                row.is_running()
                    && row.version == question.version
                    && row.state_version == question.state_version
            })
        }
    }
}

fn location_of(state: &State, host: HostId) -> Result<&str, EngineError> {
    match state.hosts.get(&host) {
        None => Err(Rejection::UnknownHost(host).into()),
        Some(known) if known.status == HostStatus::Lost => Err(Rejection::Fenced(host).into()),
        Some(known) => Ok(&known.location),
    }
}

/// Whether some host of a location may be asked.
fn is_served(state: &State, location: &str) -> bool {
    let mut hosts = state.hosts.values();
    hosts.any(|host| host.status == HostStatus::Alive && host.location == location)
}

type SharedView = Arc<View>;
