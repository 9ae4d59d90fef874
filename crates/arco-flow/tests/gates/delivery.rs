//! Commands decided again, on any state of a life.

use arco_core::event::{Cause, Position};
use arco_core::{AttemptId, HostId, Timestamp};

use super::life::{Life, Said, held};
use crate::command::{Command, Context, HostExchange, Reported};
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

/// FIXME: whether the verdict of a live attempt was followed by another run's verdict on the same. The
/// state keeps the last verdict alone, so the first attempt's repeat is taken for a new one;
/// `a_verdict_repeated_after_another_runs_verdict_counts_again` shows it.
pub(crate) fn overtaken(state: &State, said: &Said) -> bool {
    let by_other = |(id, reported): &(AttemptId, Reported)| {
        let Reported::Checked { asset, check, .. } = reported else {
            return false;
        };
        let run = state.run(id.run).and_then(|run| run.planned(id.task));
        let facts = state.assets.get(asset);
        let last = run.zip(facts).and_then(|(planned, facts)| {
            let ordinal = facts.ordinal(&planned.partitions.first().cloned())?;
            facts.checks.get(check)?.get(&ordinal)
        });
        held(state, said.host).contains(id) && last.is_some_and(|row| row.attempt != *id)
    };
    said.reports.iter().any(by_other)
}
