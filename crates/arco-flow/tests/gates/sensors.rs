//! Sensors under everything that happens to them, and what must hold of their log by itself.

use std::collections::BTreeSet;

use arco_core::event::{
    Asked, ErrorInfo, EvaluationOf, EvaluationOutcome, Event, Fact, Position, Stored,
};
use arco_flow::evaluation::{RunAsked, Said, Wanted};
use arco_flow::sensor::{SensorQuestion, propose, question};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use crate::command::{Command, Message};
use crate::state::{QueuedWhat, State};
use crate::testing::{World, manifest};

/// The tag that says which message a run is of.
const MESSAGE: &str = "message";

/// What happens to the sensor that counts, or to the one that is pushed to.
#[derive(Debug, Clone)]
pub(crate) enum Happens {
    Passes(u32),
    /// A host is asked, and remembers what.
    Asks(bool),
    /// One that was asked answers, now or late, once or twice: good, or failing.
    Answers {
        which: usize,
        times: u8,
        fails: bool,
        taken: usize,
    },
    /// A message, perhaps one that was sent before.
    Sends(u8),
    Starts(bool),
    Stops(bool),
    SetsCursor,
    Deploys(bool),
    Restarts,
}

pub(crate) fn story() -> impl Strategy<Value = Vec<Happens>> {
    let one = prop_oneof![
        2 => (1_u32..100).prop_map(Happens::Passes),
        5 => any::<bool>().prop_map(Happens::Asks),
        7 => (0_usize..12, 1_u8..3, any::<bool>(), 1_usize..4).prop_map(|(which, times, fails, taken)| {
            Happens::Answers { which, times, fails, taken }
        }),
        4 => (0_u8..30).prop_map(Happens::Sends),
        1 => any::<bool>().prop_map(Happens::Starts),
        1 => any::<bool>().prop_map(Happens::Stops),
        1 => Just(Happens::SetsCursor),
        1 => any::<bool>().prop_map(Happens::Deploys),
        1 => Just(Happens::Restarts),
    ];
    prop::collection::vec(one, 1..60)
}

fn definitions(other: bool) -> Value {
    let mut manifest = manifest("a");
    let timeout = if other { 30 } else { 60 };
    manifest["sensors"] = json!([
        {"name": "counter", "kind": "poll", "selection": ["a"], "default_status": "running",
         "timeout_seconds": timeout},
        {"name": "inbox", "kind": "push", "selection": ["a"], "default_status": "running",
         "timeout_seconds": timeout, "max_attempts": 100},
    ]);
    manifest
}

/// Lives through a story.
pub(crate) fn live(story: &[Happens]) -> World {
    let mut world = World::new("a");
    world.deploy(&definitions(false)).expect("they stand");
    let mut questions: Vec<SensorQuestion> = Vec::new();
    for happens in story {
        step(&mut world, happens, &mut questions);
    }
    world
}

fn name(pushed: bool) -> String {
    if pushed { "inbox" } else { "counter" }.to_owned()
}

fn step(world: &mut World, happens: &Happens, questions: &mut Vec<SensorQuestion>) {
    let mut tell = |command: &Command| drop(world.run_command(command).expect("it is known"));
    match happens {
        Happens::Passes(seconds) => world.now = world.now.plus_ms(u64::from(*seconds) * 1000),
        Happens::Asks(pushed) => questions.extend(question(&world.state, &name(*pushed))),
        Happens::Answers {
            which,
            times,
            fails,
            taken,
        } => {
            let Some(question) = questions.get(which % questions.len().max(1)).cloned() else {
                return;
            };
            answer(world, &question, *times, *fails, *taken);
        }
        Happens::Sends(id) => {
            // A stopped sensor takes none.
            let _ = world.run_command(&Command::AcceptMessage(Box::new(Message {
                sensor: name(true),
                id: id.to_string(),
                data: Stored::Inline(json!(id)),
                attributes: [].into(),
            })));
        }
        Happens::Starts(pushed) => tell(&Command::StartSensor(name(*pushed))),
        Happens::Stops(pushed) => tell(&Command::StopSensor(name(*pushed))),
        Happens::SetsCursor => {
            let cursor = &world.state.sensors["counter"].cursor;
            let number: u64 = cursor
                .as_deref()
                .map_or(0, |text| text.parse().expect("a number"));
            let set = Command::SetCursor {
                sensor: name(false),
                cursor: Some((number + 100).to_string()),
                state_version: None,
            };
            world.run_command(&set).expect("it is known");
        }
        Happens::Deploys(other) => drop(world.deploy(&definitions(*other)).expect("they stand")),
        Happens::Restarts => {
            let bytes = world.state.to_bytes();
            world.state = State::from_bytes(&bytes).expect("our own snapshot");
        }
    }
}

/// What user code says to a question, decided so many times over.
fn answer(world: &mut World, question: &SensorQuestion, times: u8, fails: bool, taken: usize) {
    let error = ErrorInfo {
        kind: "ValueError".into(),
        message: "no".into(),
        traceback: String::new(),
    };
    let wanted = match question.items.len() {
        0 => count(question),
        many => read(question, taken.min(many)),
    };
    let said = match (fails, question.items.len()) {
        (false, _) => Said::Returned(wanted),
        (true, many) => Said::Raised {
            error,
            before: (many > taken).then_some(wanted),
        },
    };
    let asked = Asked {
        started: world.now,
        took_ms: 1,
        log: Vec::new(),
    };
    let proposal = propose(
        &world.state,
        question,
        &said,
        &asked,
        world.now,
        &|_| Ok(()),
    );
    for _ in 0..times {
        let _ = world.run_command(&Command::Evaluate(Box::new(proposal.clone())));
    }
}

fn count(question: &SensorQuestion) -> Wanted {
    let number: u64 = question
        .cursor
        .as_deref()
        .map_or(0, |text| text.parse().expect("a number"));
    Wanted {
        runs: vec![RunAsked {
            run_key: Some((number / 2).to_string()),
            ..RunAsked::default()
        }],
        cursor: Some((number + 1).to_string()),
        ..Wanted::default()
    }
}

fn read(question: &SensorQuestion, taken: usize) -> Wanted {
    let items = question.items.iter().take(taken).enumerate();
    let runs = items.map(|(at, item)| {
        let QueuedWhat::Message { id, .. } = &item.what else {
            panic!("only messages are pushed")
        };
        RunAsked {
            answers: Some(at),
            tags: [(MESSAGE.to_owned(), id.clone())].into(),
            ..RunAsked::default()
        }
    });
    Wanted {
        runs: runs.collect(),
        taken,
        ..Wanted::default()
    }
}

/// What must hold of a log, without the fold.
pub(crate) fn judge(log: &[(Position, Event)]) -> Result<(), TestCaseError> {
    let (mut cursor, mut keys) = (0_u64, BTreeSet::new());
    let (mut accepted, mut taken, mut of_message) = (Vec::new(), 0, BTreeSet::new());
    let mut numbers = [0_u64; 2];
    for (at, event) in log {
        match &event.fact {
            Fact::MessageAccepted(e) => {
                prop_assert!(!accepted.contains(&e.id), "message {} twice", e.id);
                accepted.push(e.id.clone());
            }
            Fact::CursorSet(_) => cursor += 100,
            Fact::RunRequested(e) => {
                if let Some(key) = &e.run_key {
                    prop_assert!(keys.insert((e.scope.clone(), key.clone())), "{} twice", key);
                }
                if let Some(message) = e.tags.get(MESSAGE) {
                    prop_assert!(of_message.insert(message.clone()), "{} twice", message);
                }
                let of = e
                    .evaluation
                    .as_ref()
                    .expect("only evaluations ask for runs here");
                let decided = log.iter().find_map(|(at, event)| match &event.fact {
                    Fact::EvaluationFinished(e) if e.id == *of => Some(at.segment),
                    _ => None,
                });
                prop_assert_eq!(decided, Some(at.segment), "a run without its evaluation");
            }
            Fact::EvaluationFinished(e) => {
                let number = &mut numbers[usize::from(e.id.sensor == "inbox")];
                prop_assert_eq!(e.id.number, *number + 1);
                *number += 1;
                let good = !matches!(e.outcome, EvaluationOutcome::Failed { .. });
                if let EvaluationOf::Messages { ids } = &e.of {
                    prop_assert_eq!(Some(ids.as_slice()), accepted.get(taken..taken + ids.len()));
                    taken += if good { ids.len() } else { 0 };
                } else {
                    cursor += u64::from(good);
                    let stands = e
                        .cursor
                        .as_deref()
                        .map_or(0, |text| text.parse().expect("a number"));
                    prop_assert_eq!(stands, cursor, "the cursor of {}", e.id);
                }
            }
            _ => {}
        }
    }
    let evaluated: BTreeSet<String> = accepted[..taken].iter().cloned().collect();
    prop_assert_eq!(
        of_message,
        evaluated,
        "each message that was taken has its run"
    );
    Ok(())
}
