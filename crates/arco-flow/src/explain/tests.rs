//! One story a question. Each answer is kept in `golden/explanations`, from where the command line
//! proves what people read.

mod assets;
mod runs;
mod tasks;

use arco_core::event::{FailureClass, Severity};
use arco_core::explanation::{Explanation, Reason, Unknown, Why};
use arco_core::{AssetKey, AttemptId, HostId, RunId};

use super::{Explainer, Missing, Past};
use crate::command::{Answer, Command, Reported};
use crate::planner::PartitionsAsked;
use crate::state::{Slot, State};
use crate::testing::{World, failed, judged, made, manifest};

/// Compares an answer with its golden file; `ARCO_UPDATE=1` writes it. Both the state and its replay
/// answer alike: nothing comes from anywhere but the log.
fn check(world: &World, question: &str, ask: impl Fn(&Explainer<'_>) -> Option<Explanation>) {
    let past = Past::default();
    let answer = ask(&Explainer::new(&world.state, world.now, &past)).expect("there is an answer");
    let replayed = world.replayed();
    let again = ask(&Explainer::new(&replayed, world.now, &past));
    assert_eq!(again.as_ref(), Some(&answer), "{question}");
    let snapshot = State::from_bytes(&world.state.to_bytes()).expect("a snapshot reads");
    let again = ask(&Explainer::new(&snapshot, world.now, &past));
    assert_eq!(again.as_ref(), Some(&answer), "{question}, from a snapshot");
    let mut text = serde_json::to_string_pretty(&answer).expect("answers serialise");
    text.push('\n');
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../golden/explanations")
        .join(format!("{question}.json"));
    if std::env::var_os("ARCO_UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{question}.json is missing; ARCO_UPDATE=1 writes it"));
    assert_eq!(text, golden, "{question}");
    let read: Explanation = serde_json::from_str(&golden).expect("answers read");
    assert_eq!(read, answer);
}

fn check_run(world: &World, question: &str, run: RunId) {
    check(world, question, |e| Some(e.run(world.state_of(run))));
}

fn check_task(world: &World, question: &str, run: RunId, task: u32) {
    check(world, question, |e| e.task(world.state_of(run), task));
}

fn check_asset(world: &World, question: &str, asset: &str, slot: &Slot) {
    let key = AssetKey::parse(asset).unwrap();
    check(world, question, |e| e.asset(&key, slot));
}

fn slot(world: &World, asset: &str, key: &str) -> Slot {
    let key_of = AssetKey::parse(asset).unwrap();
    let def = world.state.catalog.asset(&key_of).unwrap();
    let def = def.asset.partitions.as_ref().unwrap();
    Some(def.parse_key(key).unwrap())
}

fn pass(world: &mut World, ms: u64) {
    world.now = world.now.plus_ms(ms);
}

fn succeed(world: &mut World, asset: &str) {
    let id = world.lease(1)[0];
    world.report(id, vec![Reported::Started]);
    pass(world, 1_500);
    world.report(id, vec![made(asset), Reported::Succeeded]);
}

fn run_of(world: &mut World, assets: &str, keys: &[&str]) -> RunId {
    let asked = PartitionsAsked::Keys(keys.iter().map(|key| (*key).to_owned()).collect());
    let request = world.request(assets, &asked).expect("a good request");
    match world.ask(request) {
        Ok(Answer::Run { run, .. }) => run,
        other => panic!("expected a run, got {other:?}"),
    }
}

/// Puts all ended runs into history, as the leader does; gives back what it packed.
fn pack(world: &mut World) -> Past {
    let mut past = Past::default();
    let ended: Vec<RunId> = world.state.ended_runs.iter().map(|(_, run)| *run).collect();
    for id in &ended {
        past.runs.insert(*id, world.state.runs[id].clone());
    }
    let command = Command::PackHistory {
        reference: serde_json::Value::Null,
        runs: ended,
    };
    world.run_command(&command).unwrap();
    past
}
