//! Requests under run keys, and what may happen between two of them.

use arco_core::RunId;
use arco_core::event::FailureClass;
use serde_json::json;

use super::life::work_off;
use crate::command::{Command, RunRequest};
use crate::planner::PartitionsAsked;
use crate::state::State;
use crate::testing::{World, failed, manifest};

/// Requests that differ in what counts, and one that does not differ in it.
pub(crate) fn request(world: &mut World, body: u8, scope: &str, key: Option<&str>) -> RunRequest {
    let selected = if body == 1 { "a b" } else { "a" };
    let asked = world.request(selected, &PartitionsAsked::None);
    let mut request = asked.expect("a plan");
    match body {
        2 => request.config = json!({"ops": {"a": {"config": {"rows": 1}}}}),
        3 => drop(request.tags.insert("team".into(), "core".into())),
        4 => drop(
            request
                .tags
                .insert("arco/note".into(), "not the user's".into()),
        ),
        _ => {}
    }
    request.scope = scope.into();
    request.run_key = key.map(str::to_owned);
    request
}

/// Everything that may happen between two requests: work, cancels, runs that leave memory, a new
/// version of the code, an engine that starts over from its log or from a snapshot.
pub(crate) fn meanwhile(world: &mut World, what: u8, runs: &[RunId]) {
    match what % 7 {
        0 => drop(work_off(world)),
        1 => {
            for attempt in world.lease(1) {
                world.report(attempt, vec![failed(FailureClass::UserCode)]);
            }
        }
        2 => {
            if let Some(run) = runs.last().filter(|run| world.state.run(**run).is_some()) {
                world.run_command(&Command::CancelRun(*run)).expect("known");
            }
        }
        3 => {
            let ended = world.state.ended_runs.iter().map(|(_, run)| *run).collect();
            let reference = json!({"object": "history/1"});
            let pack = Command::PackHistory {
                reference,
                runs: ended,
            };
            world
                .run_command(&pack)
                .expect("ended runs may leave memory");
        }
        4 => {
            let next = format!("a v={}; b <- a", world.log.len());
            world.deploy(&manifest(&next)).expect("good definitions");
        }
        5 => world.state = world.replayed(),
        _ => {
            let snapshot = world.state.to_bytes();
            world.state = State::from_bytes(&snapshot).expect("a snapshot reads back");
        }
    }
}
