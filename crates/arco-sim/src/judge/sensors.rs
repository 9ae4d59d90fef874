//! Sensors: an evaluation follows the one before it, a cursor never goes back, a message is one run.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::RunId;
use arco_core::event::{
    EvaluationFinished, EvaluationOf, EvaluationOutcome, Event, Fact, Position, RunRequested,
};

use crate::host::evaluations::{COUNTER, INBOX, MESSAGE_TAG};

/// What was heard of sensors so far.
#[derive(Debug, Default)]
pub(super) struct Sensors {
    numbers: BTreeMap<String, u64>,
    count: u64,
    /// Messages in the order of their acceptance.
    pub(super) accepted: Vec<String>,
    known: BTreeSet<String>,
    /// How many of them were evaluated.
    evaluated: usize,
    /// Message and place of the runs of messages.
    runs: BTreeMap<RunId, (String, Position)>,
    of_message: BTreeSet<String>,
    pub(super) evaluations: u64,
    pub(super) tries: u64,
}

impl Sensors {
    pub(super) fn hear(&mut self, at: Position, event: &Event) -> Vec<String> {
        match &event.fact {
            Fact::MessageAccepted(e) => {
                self.accepted.push(e.id.clone());
                let twice = !self.known.insert(e.id.clone());
                said(twice, || format!("message `{}` is accepted twice", e.id))
            }
            Fact::RunRequested(e) => self.run(at, e),
            Fact::SensorIdled(e) => self.number(&e.id.sensor, e.id.number),
            Fact::EvaluationFinished(e) => {
                self.evaluations += 1;
                let mut wrong = self.number(&e.id.sensor, e.id.number);
                match e.id.sensor.as_str() {
                    COUNTER => wrong.extend(self.counted(e)),
                    INBOX => wrong.extend(self.read(at, e)),
                    _ => {}
                }
                wrong
            }
            Fact::TickTried(_) => {
                self.tries += 1;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// What was accepted is evaluated in the end.
    pub(super) fn end(&self) -> Vec<String> {
        let waiting = self.accepted.len() - self.evaluated;
        said(waiting > 0, || {
            format!("{waiting} messages were accepted and never evaluated")
        })
    }

    fn run(&mut self, at: Position, e: &RunRequested) -> Vec<String> {
        let Some(message) = e.tags.get(MESSAGE_TAG) else {
            return Vec::new();
        };
        self.runs.insert(e.run, (message.clone(), at));
        let twice = !self.of_message.insert(message.clone());
        said(twice, || format!("message `{message}` has two runs"))
    }

    fn number(&mut self, sensor: &str, number: u64) -> Vec<String> {
        let before = self.numbers.insert(sensor.to_owned(), number).unwrap_or(0);
        said(number != before + 1, || {
            format!("evaluation {number} of `{sensor}` follows {before}")
        })
    }

    fn counted(&mut self, e: &EvaluationFinished) -> Vec<String> {
        let cursor = e.cursor.as_deref().and_then(|text| text.parse().ok());
        let (before, now) = (self.count, cursor.unwrap_or(0));
        self.count = now;
        let by = match e.outcome {
            EvaluationOutcome::Failed { .. } | EvaluationOutcome::Skipped { .. } => 0,
            EvaluationOutcome::Succeeded { .. } => 1,
        };
        said(now != before + by, || {
            format!("{} moves the cursor from {before} to {now}", e.id)
        })
    }

    /// In order, and a run for each, in the same segment.
    fn read(&mut self, at: Position, e: &EvaluationFinished) -> Vec<String> {
        let EvaluationOf::Messages { ids } = &e.of else {
            return vec![format!("{} is about {:?}", e.id, e.of)];
        };
        let next = self
            .accepted
            .get(self.evaluated..self.evaluated + ids.len());
        let mut wrong = said(next != Some(ids.as_slice()), || {
            format!("{} is about {ids:?}, and {next:?} are next", e.id)
        });
        let runs: &[RunId] = match &e.outcome {
            EvaluationOutcome::Failed {
                passed_over: false, ..
            } => return wrong,
            EvaluationOutcome::Succeeded { runs, .. } => runs,
            _ => &[],
        };
        self.evaluated += ids.len();
        let of_here = runs.iter().filter_map(|run| self.runs.get(run));
        let here: Vec<&String> = of_here
            .filter(|(_, asked)| asked.segment == at.segment)
            .map(|(message, _)| message)
            .collect();
        if here != ids.iter().collect::<Vec<_>>() {
            wrong.push(format!(
                "{} is about {ids:?}, and has runs of {here:?}",
                e.id
            ));
        }
        wrong
    }
}

fn said(wrong: bool, what: impl FnOnce() -> String) -> Vec<String> {
    if wrong { vec![what()] } else { Vec::new() }
}
