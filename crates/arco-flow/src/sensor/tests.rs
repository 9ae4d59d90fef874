//! Sensors: rows follow what happens, an evaluation counts once, and what waits is acknowledged once.

mod facts;
mod kept;
mod keys;
mod looks;
mod queues;

use arco_core::Timestamp;
use arco_core::event::{Asked, ErrorInfo};
use serde_json::{Value, json};

use super::{SensorQuestion, due, propose, question};
use crate::Rejection;
use crate::command::{Answer, Command, Message};
use crate::evaluation::{RunAsked, Said, Wanted};
use crate::state::{Evaluation, EvaluationRow, SensorState, State};
use crate::testing::{NOW, World, manifest};

/// 2026-02-01T00:00:00Z plus seconds.
fn after(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1000)
}

fn sensor(extra: &Value) -> Value {
    let mut value = json!({"name": "s", "kind": "poll", "selection": ["a"],
        "default_status": "running"});
    for (key, given) in extra.as_object().expect("a mapping") {
        value[key] = given.clone();
    }
    value
}

fn with(definitions: &str, sensors: &[Value]) -> Value {
    let mut manifest = manifest(definitions);
    manifest["sensors"] = json!(sensors);
    manifest
}

/// A workspace whose one location has these sensors from [`NOW`] on.
fn world(definitions: &str, sensors: &[Value]) -> World {
    let mut world = World::new(definitions);
    world
        .deploy(&with(definitions, sensors))
        .expect("the test's definitions hold together");
    world
}

fn ask(world: &World) -> SensorQuestion {
    question(&world.state, "s").expect("there is something to ask")
}

fn asked(world: &World) -> Asked {
    Asked {
        started: world.now,
        took_ms: 5,
        log: vec!["looked".into()],
    }
}

/// Decides what was said to a question, as the engine does.
fn say(world: &mut World, question: &SensorQuestion, said: &Said) -> Result<Answer, Rejection> {
    let asked = asked(world);
    let proposal = propose(&world.state, question, said, &asked, world.now, &|_| Ok(()));
    world.run_command(&Command::Evaluate(Box::new(proposal)))
}

/// Asks and decides.
fn look(world: &mut World, wanted: Wanted) {
    let question = ask(world);
    say(world, &question, &Said::Returned(wanted)).expect("nothing came in between");
}

fn run(key: Option<&str>) -> RunAsked {
    RunAsked {
        run_key: key.map(ToOwned::to_owned),
        ..RunAsked::default()
    }
}

fn runs(keys: &[&str]) -> Wanted {
    Wanted {
        runs: keys.iter().map(|key| run(Some(key))).collect(),
        ..Wanted::default()
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

fn send(world: &mut World, id: &str) -> Result<Answer, Rejection> {
    world.run_command(&Command::AcceptMessage(Box::new(Message {
        sensor: "s".into(),
        id: id.into(),
        data: arco_core::event::Stored::Inline(json!({"id": id})),
        attributes: [].into(),
    })))
}

fn row(world: &World) -> &SensorState {
    &world.state.sensors["s"]
}

fn is_superseded(answer: &Result<Answer, Rejection>) -> bool {
    matches!(answer, Err(Rejection::EvaluationSuperseded(_)))
}

/// `number what` per evaluation, oldest first.
fn evaluations(state: &State) -> Vec<String> {
    let told = |row: &Evaluation| {
        let number = row.id.number;
        match &row.outcome {
            EvaluationRow::Success { runs, kept, .. } => {
                format!("{number} runs {} kept {}", runs.len(), kept.len())
            }
            EvaluationRow::Skipped { reason } => format!("{number} skipped: {reason}"),
            EvaluationRow::Failure {
                error,
                attempt,
                passed_over,
            } => {
                let over = if *passed_over { " over" } else { "" };
                format!("{number} failed {attempt}{over}: {}", error.message)
            }
            EvaluationRow::Idle { count, .. } => format!("{number} idle {count}"),
        }
    };
    state.evaluations_of("s").map(told).collect()
}

/// Two states mean the same, and so do their indexes.
fn assert_same(a: &State, b: &State) {
    assert_eq!(a.hash(), b.hash());
    assert_eq!(a.timers, b.timers);
    assert_eq!(a.decided_evaluations, b.decided_evaluations);
    assert_eq!(a.subscriptions, b.subscriptions);
}

/// A replay and a snapshot give the state.
fn assert_kept(world: &World) {
    assert_same(&world.state, &world.replayed());
    let read = State::from_bytes(&world.state.to_bytes()).expect("our own snapshot");
    assert_same(&read, &world.state);
}

fn is_due(world: &World) -> bool {
    due(&world.state, world.now).any(|name| name == "s")
}
