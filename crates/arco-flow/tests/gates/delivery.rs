//! Commands decided again, on any state of a life.

use arco_core::event::{Cause, Position};
use arco_core::{HostId, Timestamp};

use super::life::{Life, Said, held};
use crate::command::{Command, Context, HostExchange};
use crate::state::State;
use crate::testing::World;
use crate::{Rejection, decide};

/// Decides on a state, as a replica would that has seen the log so far.
pub(crate) fn decided(
    world: &World,
    on: &State,
    now: Timestamp,
    command: &Command,
) -> Result<decide::Decided, Rejection> {
    let context = Context {
        now,
        principal: "worker:loc".into(),
        cause: Cause::Command("again".into()),
    };
    let segment = on.position.segment + 1;
    let next = Position { segment, index: 0 };
    decide(on, command, &context, next, &world.blobs)
}

/// What a repeated delivery of `said` by `host` does to a state: nothing, or this.
pub(crate) fn effect(
    life: &Life,
    said: &Said,
    host: HostId,
    on: &(State, Timestamp),
) -> Option<String> {
    let (state, now) = on;
    let command = Command::Exchange(HostExchange {
        host,
        reports: said.reports.clone(),
        want: 0,
        live: held(state, host),
    });
    match decided(&life.world, state, *now, &command) {
        Err(Rejection::Fenced(_) | Rejection::UnknownHost(_)) => None,
        Err(other) => Some(format!("refused with {other}")),
        Ok(decided) if decided.events.is_empty() => {
            (decided.state.hash() != state.hash()).then(|| "no event, another state".to_owned())
        }
        Ok(decided) => {
            let kinds = decided.events.iter().map(|event| event.fact.kind());
            Some(kinds.collect::<Vec<_>>().join(" "))
        }
    }
}
