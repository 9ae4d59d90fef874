//! Who is asked what: the leader's memory of questions to user code.
//!
//! Nothing here is in the log. What is asked follows from the state and the clock; a leader that comes after
//! asks again. A subject (a schedule, a sensor, a trial) is in one place at a time: waiting for a host, with a
//! host, or being decided.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arco_core::{Digest, HostId, PartitionKey, Timestamp};
use arco_flow::evaluation::Said;
use arco_flow::mapping::{KEYS_MAX, MappingQuestion};
use arco_flow::schedule::TickQuestion;
use arco_flow::sensor::{Idle, SensorQuestion};
use arco_flow::state::Edge;
use tokio::sync::oneshot;

#[cfg(test)]
mod tests;

/// How long after its time limit an answer may be on its way: a host hands a queue over to the function call by
/// call, and needs a moment to kill.
const GRACE: Duration = Duration::from_secs(10);
/// How soon a subject is asked again that no host wanted.
const NOT_ASKED: Duration = Duration::from_secs(1);
/// How soon a subject is asked again whose answer could not be decided.
const NOT_DECIDED: Duration = Duration::from_secs(5);
/// How soon the code of a mapping is asked again about what it failed for; doubled each time, to the second.
const MAPPING_PAUSE: Duration = Duration::from_secs(5);
const MAPPING_PAUSE_MAX: Duration = Duration::from_secs(300);
/// An idle sensor is written so often.
pub(super) const IDLE_WRITTEN: Duration = Duration::from_secs(10 * 60);

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The next tick of a schedule.
    Schedule(String),
    /// The next evaluation of a sensor.
    Sensor(String),
    /// What the code of a mapping did not answer.
    Mapping(Edge),
    /// Someone wants to know what would come of it.
    Trial(u64),
}

/// What a host is asked, with everything that its answer is judged by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Question {
    Tick(TickQuestion),
    Sensor(SensorQuestion),
    Mapping(MappingQuestion),
}

impl Question {
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(match self {
            Self::Tick(question) => question.timeout_ms,
            Self::Sensor(question) => question.timeout_ms,
            Self::Mapping(question) => question.timeout_ms,
        })
    }

    pub(super) fn location(&self) -> &str {
        match self {
            Self::Tick(question) => &question.location,
            Self::Sensor(question) => &question.location,
            Self::Mapping(question) => &question.location,
        }
    }
}

/// A question that a host was given.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) subject: Subject,
    pub(super) question: Question,
    pub(super) host: HostId,
    /// When, by the boot-time clock.
    pub(super) at: Duration,
    /// When, by the wall clock.
    pub(super) started: Timestamp,
    /// The leadership that asked: what is answered is decided in it, or not at all.
    pub(super) epoch: u64,
}

/// Where a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Waiting,
    Given,
    Deciding,
}

/// What became of a trial.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) said: Said,
    pub(super) started: Timestamp,
    pub(super) took_ms: u64,
    pub(super) log: Vec<String>,
}

#[derive(Debug)]
struct Trial {
    question: Question,
    reply: oneshot::Sender<Tried>,
}

/// Looks of a sensor that found nothing.
#[derive(Debug, Clone)]
struct Looks {
    /// Of the row, all the while.
    state_version: u64,
    /// When it looked last.
    last: Timestamp,
    /// Those that are not written, and since when there are some.
    unwritten: Option<(Idle, Duration)>,
}

/// Partitions for which the code of a mapping failed, and when they may be asked about again.
#[derive(Debug)]
struct Held {
    /// Of the definitions; of others nothing is held.
    version: Digest,
    keys: BTreeSet<PartitionKey>,
    until: Duration,
    failures: u32,
    /// How often nothing came of a question as a whole: it hung, or its process died.
    wholly: u32,
}

/// What a subject was asked last by whom, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnderWay {
    /// The host that is asked; `None` while it waits for one.
    pub host: Option<HostId>,
    /// Since when the host is asked.
    pub since: Option<Timestamp>,
}

#[derive(Debug, Default)]
pub(super) struct Broker {
    /// The leadership all this belongs to.
    epoch: u64,
    serial: u64,
    places: BTreeMap<Subject, Place>,
    /// Who waits for a host, by location, in order.
    waiting: BTreeMap<String, BTreeMap<u64, Subject>>,
    given: BTreeMap<String, Given>,
    not_before: BTreeMap<Subject, Duration>,
    looks: BTreeMap<String, Looks>,
    trials: BTreeMap<u64, Trial>,
    held: BTreeMap<Subject, Held>,
    /// The latest call of each host: those before it give nothing any more.
    calls: BTreeMap<HostId, u64>,
}

impl Broker {
    /// What another leadership was asked is nobody's. Says whether that changed anything.
    pub(super) fn enter(&mut self, epoch: u64) -> bool {
        if self.epoch == epoch {
            return false;
        }
        *self = Self {
            epoch,
            serial: self.serial,
            calls: std::mem::take(&mut self.calls),
            ..Self::default()
        };
        true
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A subject is to be asked, unless it is already, or it is too early to ask it again. Says whether it
    /// waits now and did not before.
    pub(super) fn ask(&mut self, subject: Subject, location: &str, now: Duration) -> bool {
        if self.places.contains_key(&subject)
            || self.not_before.get(&subject).is_some_and(|at| *at > now)
        {
            return false;
        }
        self.not_before.remove(&subject);
        let number = self.next();
        self.places.insert(subject.clone(), Place::Waiting);
        self.waiting
            .entry(location.to_owned())
            .or_default()
            .insert(number, subject);
        true
    }

    /// A question that changes nothing, for someone who waits for `reply`.
    pub(super) fn try_out(&mut self, question: Question, reply: oneshot::Sender<Tried>) -> u64 {
        let number = self.next();
        let location = question.location().to_owned();
        self.trials.insert(number, Trial { question, reply });
        self.ask(Subject::Trial(number), &location, Duration::ZERO);
        number
    }

    /// Nobody waits for a trial any more.
    pub(super) fn give_up(&mut self, trial: u64) {
        self.trials.remove(&trial);
        let subject = Subject::Trial(trial);
        self.given.retain(|_, given| given.subject != subject);
        self.free(&subject);
    }

    pub(super) fn trial(&self, number: u64) -> Option<&Question> {
        self.trials.get(&number).map(|trial| &trial.question)
    }

    pub(super) fn tried(&mut self, number: u64, tried: Tried) {
        self.free(&Subject::Trial(number));
        if let Some(trial) = self.trials.remove(&number) {
            // Who asked may have gone.
            drop(trial.reply.send(tried));
        }
    }

    /// A call of a host begins: its number, and the questions that it was given and does not have. Calls of
    /// one host come one after the other, so what an earlier one gave is in its hands or lost.
    pub(super) fn begin_call(&mut self, host: HostId, busy: &BTreeSet<&str>) -> u64 {
        let call = self.next();
        self.calls.insert(host, call);
        let lost = |(id, given): (&String, &Given)| {
            (given.host == host && !busy.contains(id.as_str())).then(|| id.clone())
        };
        let lost: Vec<String> = self.given.iter().filter_map(lost).collect();
        for id in lost {
            self.take_back(&id, None);
        }
        call
    }

    pub(super) fn is_latest(&self, host: HostId, call: u64) -> bool {
        self.calls.get(&host) == Some(&call)
    }

    /// The next subject that waits for a host of `location`.
    pub(super) fn next_waiting(&mut self, location: &str) -> Option<Subject> {
        let waiting = self.waiting.get_mut(location)?;
        let (_, subject) = waiting.pop_first()?;
        if waiting.is_empty() {
            self.waiting.remove(location);
        }
        Some(subject)
    }

    /// A host is given a question; its id.
    pub(super) fn give(&mut self, given: Given) -> String {
        let number = self.next();
        // Epochs differ, so that a leader never takes an answer for one of its own.
        let id = format!("{}-{number}", self.epoch);
        self.places.insert(given.subject.clone(), Place::Given);
        self.given.insert(id.clone(), given);
        id
    }

    /// A host answers: the question, whose subject is being decided from here.
    pub(super) fn answered(&mut self, host: HostId, id: &str) -> Option<Given> {
        if self.given.get(id)?.host != host {
            return None;
        }
        let given = self.given.remove(id)?;
        self.places.insert(given.subject.clone(), Place::Deciding);
        Some(given)
    }

    /// What a host did not get to see, or cannot answer, is asked again.
    pub(super) fn take_back(&mut self, id: &str, not_asked_at: Option<Duration>) {
        let Some(given) = self.given.remove(id) else {
            return;
        };
        self.return_subject(given, not_asked_at);
    }

    /// As [`Self::take_back`], of a question that was taken out.
    pub(super) fn return_subject(&mut self, given: Given, not_asked_at: Option<Duration>) {
        self.free(&given.subject);
        match (&given.subject, not_asked_at) {
            // Nobody looks for trials but here.
            (Subject::Trial(number), _) if self.trials.contains_key(number) => {
                let location = given.question.location().to_owned();
                self.ask(given.subject, &location, Duration::ZERO);
            }
            (subject, Some(now)) => {
                self.not_before.insert(subject.clone(), now + NOT_ASKED);
            }
            _ => {}
        }
    }

    /// A subject may be asked again.
    pub(super) fn free(&mut self, subject: &Subject) {
        if self.places.remove(subject) == Some(Place::Waiting) {
            for waiting in self.waiting.values_mut() {
                waiting.retain(|_, other| other != subject);
            }
            self.waiting.retain(|_, waiting| !waiting.is_empty());
        }
    }

    /// What a host answered is decided. If that could not be, which `failed_at` tells, it is asked again after a
    /// moment: what hinders the decision may last, and each question runs user code.
    pub(super) fn settled(&mut self, given: &Given, failed_at: Option<Duration>) {
        // A subject of another leadership may be anywhere.
        if given.epoch != self.epoch {
            return;
        }
        self.free(&given.subject);
        if let Some(now) = failed_at {
            let again = now + NOT_DECIDED;
            self.not_before.insert(given.subject.clone(), again);
        }
    }

    /// The partitions that a mapping is not asked about now, and about how many it is asked at once.
    pub(super) fn held(
        &self,
        subject: &Subject,
        version: Digest,
        now: Duration,
    ) -> (BTreeSet<PartitionKey>, usize) {
        let held = self.held.get(subject);
        let Some(held) = held.filter(|held| held.version == version) else {
            return (BTreeSet::new(), KEYS_MAX);
        };
        // One partition may hang: in smaller questions the others get by.
        let most = (KEYS_MAX >> (3 * held.wholly).min(10)).max(1);
        match held.until > now {
            true => (held.keys.clone(), most),
            false => (BTreeSet::new(), most),
        }
    }

    /// The code of a mapping said something of `question`, and failed for some partitions: they are asked about
    /// again after a pause that grows.
    pub(super) fn mapped(
        &mut self,
        subject: &Subject,
        question: &MappingQuestion,
        failed: &BTreeSet<PartitionKey>,
        now: Duration,
    ) {
        let version = question.version;
        let wholly = failed.len() == question.keys.len();
        if failed.is_empty() {
            // Nothing fails any more, unless what failed is held back still.
            self.held.retain(|known, held| {
                known != subject || held.version == version && held.until > now
            });
            return;
        }
        let fresh = Held {
            version,
            keys: BTreeSet::new(),
            until: now,
            failures: 0,
            wholly: 0,
        };
        let held = self.held.entry(subject.clone()).or_insert(fresh);
        if held.version != version || held.until <= now && held.failures > 0 && !wholly {
            held.wholly = 0;
        }
        if held.version != version {
            (held.version, held.failures) = (version, 0);
            held.keys.clear();
        }
        held.keys.extend(failed.iter().cloned());
        let doubled = MAPPING_PAUSE.saturating_mul(1 << held.failures.min(10));
        held.until = now + doubled.min(MAPPING_PAUSE_MAX);
        held.failures += 1;
        held.wholly += u32::from(wholly);
    }

    /// Takes back what is with hosts that are gone, and what was not answered in time; forgets pauses that are
    /// over, since their subjects may never be due again.
    pub(super) fn expire(&mut self, now: Duration, is_there: impl Fn(HostId) -> bool) -> usize {
        let lost = |(id, given): (&String, &Given)| {
            (!is_there(given.host) || now >= given.deadline()).then(|| id.clone())
        };
        let lost: Vec<String> = self.given.iter().filter_map(lost).collect();
        for id in &lost {
            self.take_back(id, None);
        }
        self.calls.retain(|host, _| is_there(*host));
        self.not_before.retain(|_, at| *at > now);
        for held in self.held.values_mut().filter(|held| held.until <= now) {
            held.keys.clear();
            held.until = Duration::ZERO;
        }
        lost.len()
    }

    /// The questions with a host, to be judged whether they still count.
    pub(super) fn of_host(&self, host: HostId) -> impl Iterator<Item = (&String, &Given)> {
        self.given
            .iter()
            .filter(move |(_, given)| given.host == host)
    }

    /// How many questions a host has.
    pub(super) fn given_to(&self, host: HostId) -> usize {
        self.of_host(host).count()
    }

    pub(super) fn is_given(&self, id: &str) -> bool {
        self.given.contains_key(id)
    }

    /// Takes out a question that does not count any more.
    pub(super) fn drop_question(&mut self, id: &str) {
        if let Some(given) = self.given.remove(id) {
            self.free(&given.subject);
        }
    }

    /// When the next question is overdue, or a subject may be asked again.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let overdue = self.given.values().map(Given::deadline);
        let again = self.not_before.values().copied();
        let unwritten = self.looks.values().filter_map(|looks| {
            let (_, since) = looks.unwritten.as_ref()?;
            Some(*since + IDLE_WRITTEN)
        });
        let held = self.held.values().map(|held| held.until);
        let held = held.filter(|until| *until > Duration::ZERO);
        overdue.chain(again).chain(unwritten).chain(held).min()
    }

    /// When a sensor looked last and found nothing, if nothing was decided of it since.
    pub(super) fn looked(&self, sensor: &str, state_version: u64) -> Option<Timestamp> {
        let looks = self.looks.get(sensor)?;
        (looks.state_version == state_version).then_some(looks.last)
    }

    /// A sensor looked and found nothing.
    pub(super) fn idle(
        &mut self,
        sensor: &str,
        state_version: u64,
        at: Timestamp,
        reason: Option<String>,
        now: Duration,
    ) {
        let before = self.looks.remove(sensor);
        let before = before.filter(|looks| looks.state_version == state_version);
        let (idle, since) = match before.and_then(|looks| looks.unwritten) {
            Some((idle, since)) => (Some(idle), since),
            None => (None, now),
        };
        let looks = Looks {
            state_version,
            last: at,
            unwritten: Some((Idle::and(idle, at, reason), since)),
        };
        self.looks.insert(sensor.to_owned(), looks);
    }

    /// The looks of a sensor that are not written; they are the caller's from here.
    pub(super) fn take_idle(&mut self, sensor: &str, state_version: u64) -> Option<Idle> {
        let looks = self.looks.get_mut(sensor)?;
        if looks.state_version != state_version {
            return None;
        }
        looks.unwritten.take().map(|(idle, _)| idle)
    }

    /// The looks that are to be written now: of each sensor, with its `state_version`.
    pub(super) fn take_old_idle(&mut self, now: Duration) -> Vec<(String, u64, Idle)> {
        let mut out = Vec::new();
        for (sensor, looks) in &mut self.looks {
            let old = looks
                .unwritten
                .as_ref()
                .is_some_and(|(_, since)| now >= *since + IDLE_WRITTEN);
            if old && let Some((idle, _)) = looks.unwritten.take() {
                out.push((sensor.clone(), looks.state_version, idle));
            }
        }
        out
    }

    /// Where a subject is.
    pub(super) fn under_way(&self, subject: &Subject) -> Option<UnderWay> {
        let place = self.places.get(subject)?;
        let given = self.given.values().find(|given| given.subject == *subject);
        Some(match (place, given) {
            (Place::Waiting, _) | (_, None) => UnderWay {
                host: None,
                since: None,
            },
            (_, Some(given)) => UnderWay {
                host: Some(given.host),
                since: Some(given.started),
            },
        })
    }
}

impl Given {
    fn deadline(&self) -> Duration {
        self.at + self.question.timeout() * 2 + GRACE
    }
}
