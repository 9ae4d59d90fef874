//! Sensors: set going, stopped, left to the code; their cursors, messages and evaluations.
//!
//! An evaluation, its changes of dynamic partitions, its requests, its cursor and what it acknowledges are one
//! decision, made only if the state still says what user code was asked with: so an evaluation counts once,
//! however often it was asked.

use arco_core::definitions::{RunKeyPolicy, SensorDef};
use arco_core::event::{
    CursorSet, EvaluationFinished, EvaluationId, EvaluationOf, EvaluationOutcome, MessageAccepted,
    SensorIdled, SensorReset, SensorStarted, SensorStopped,
};
use arco_core::graph;

use super::Deciding;
use super::wanted::{Made, carry_out};
use crate::Rejection;
use crate::command::{Answer, Message};
use crate::sensor::{EvaluationProposal, Found, Idle, MESSAGES_MAX, Part, cursor_after};
use crate::state::{Queued, QueuedWhat, SensorState, State};

/// One that is not in the code cannot be told anything.
fn known<'a>(state: &'a State, name: &str) -> Result<&'a SensorState, Rejection> {
    let row = state.sensors.get(name).filter(|row| row.gone.is_none());
    row.map(AsRef::as_ref)
        .ok_or_else(|| unknown_sensor(state, name))
}

/// The refusal of a name, with the nearest one that there is.
#[must_use]
pub fn unknown_sensor(state: &State, name: &str) -> Rejection {
    let names = state.catalog.sensors().keys().map(String::as_str);
    let hint = graph::did_you_mean(name, names).map_or_else(
        || "; `arco sensor list` shows what there is".to_owned(),
        |near| format!("; did you mean `{near}`?"),
    );
    Rejection::UnknownSensor {
        sensor: name.to_owned(),
        hint,
    }
}

pub(super) fn start(d: &mut Deciding<'_>, name: &str) -> Result<Answer, Rejection> {
    if !known(&d.state, name)?.said.as_ref().is_some_and(|s| s.runs) {
        d.emit(SensorStarted {
            sensor: name.to_owned(),
        });
    }
    Ok(Answer::Done)
}

pub(super) fn stop(d: &mut Deciding<'_>, name: &str) -> Result<Answer, Rejection> {
    if known(&d.state, name)?.said.as_ref().is_none_or(|s| s.runs) {
        d.emit(SensorStopped {
            sensor: name.to_owned(),
        });
    }
    Ok(Answer::Done)
}

pub(super) fn reset(d: &mut Deciding<'_>, name: &str) -> Result<Answer, Rejection> {
    if known(&d.state, name)?.said.is_some() {
        d.emit(SensorReset {
            sensor: name.to_owned(),
        });
    }
    Ok(Answer::Done)
}

/// Setting it to what it is changes nothing, and is no event. The empty text clears it (N-8).
pub(super) fn set_cursor(
    d: &mut Deciding<'_>,
    name: &str,
    cursor: Option<&str>,
    seen: Option<u64>,
) -> Result<Answer, Rejection> {
    let row = known(&d.state, name)?;
    if let Some(seen) = seen.filter(|seen| *seen != row.state_version) {
        return Err(Rejection::SensorMoved {
            sensor: name.to_owned(),
            known: row.state_version,
            seen,
        });
    }
    let cursor = cursor.filter(|cursor| !cursor.is_empty());
    if row.cursor.as_deref() != cursor {
        d.emit(CursorSet {
            sensor: name.to_owned(),
            cursor: cursor.map(ToOwned::to_owned),
        });
    }
    Ok(Answer::Done)
}

pub(super) fn accept(d: &mut Deciding<'_>, message: &Message) -> Result<Answer, Rejection> {
    let name = &message.sensor;
    let row = known(&d.state, name)?;
    if row.kind != "push" {
        return Err(Rejection::NotPush {
            sensor: name.clone(),
            kind: match row.kind.as_str() {
                "poll" => "the world again and again",
                "asset" => "materializations of assets",
                _ => "statuses of runs",
            }
            .to_owned(),
        });
    }
    if let Some(position) = row.messages.known(&message.id) {
        return Ok(Answer::Accepted {
            position,
            created: false,
        });
    }
    if !row.is_running() {
        return Err(Rejection::SensorStopped(name.clone()));
    }
    if row.queue.len() >= MESSAGES_MAX {
        return Err(Rejection::QueueFull {
            sensor: name.clone(),
            waiting: row.queue.len(),
        });
    }
    let position = d.next();
    d.emit(MessageAccepted {
        sensor: name.clone(),
        id: message.id.clone(),
        data: message.data.clone(),
        attributes: message.attributes.clone(),
    });
    Ok(Answer::Accepted {
        position,
        created: true,
    })
}

pub(super) fn record_idle(
    d: &mut Deciding<'_>,
    name: &str,
    state_version: u64,
    idle: &Idle,
) -> Result<Answer, Rejection> {
    let row = d.state.sensors.get(name);
    let row = row.filter(|row| row.gone.is_none() && row.state_version == state_version);
    let Some(row) = row else {
        return Err(Rejection::EvaluationSuperseded(name.to_owned()));
    };
    // Written twice, it would be counted twice.
    if row.asked.is_some_and(|asked| asked >= idle.last) {
        return Ok(Answer::Done);
    }
    let fact = idled(name, row, idle);
    d.emit_as_leader(fact);
    Ok(Answer::Done)
}

fn idled(name: &str, row: &SensorState, idle: &Idle) -> SensorIdled {
    SensorIdled {
        id: EvaluationId {
            sensor: name.to_owned(),
            number: row.number + 1,
        },
        version: row.version,
        count: idle.count,
        first: idle.first,
        last: idle.last,
        reason: idle.reason.clone(),
    }
}

pub(super) fn evaluate(
    d: &mut Deciding<'_>,
    proposal: &EvaluationProposal,
) -> Result<Answer, Rejection> {
    let name = &proposal.sensor;
    let row = d.state.sensors.get(name).cloned();
    let found = d.state.catalog.sensor(name).map(|s| s.sensor.def().clone());
    let (Some(row), Some(def)) = (row.filter(|row| still_so(row, proposal)), found) else {
        return Err(Rejection::EvaluationSuperseded(name.clone()));
    };
    if let Some(idle) = &proposal.idle
        && row.asked.is_none_or(|asked| asked < idle.last)
    {
        let fact = idled(name, &row, idle);
        d.emit_as_leader(fact);
    }
    for part in &proposal.parts {
        decide_part(d, proposal, &def, part)?;
    }
    Ok(Answer::Done)
}

fn decide_part(
    d: &mut Deciding<'_>,
    proposal: &EvaluationProposal,
    def: &SensorDef,
    part: &Part,
) -> Result<(), Rejection> {
    let Some(row) = d.state.sensors.get(&proposal.sensor).cloned() else {
        return Err(Rejection::EvaluationSuperseded(proposal.sensor.clone()));
    };
    let id = EvaluationId {
        sensor: proposal.sensor.clone(),
        number: row.number + 1,
    };
    let mut made = Made::default();
    let (outcome, cursor) = match &part.found {
        Found::Wants(wanted) => {
            made = carry_out(d, wanted, def.run_keys, Some(&id))?;
            let cursor = cursor_after(row.cursor.as_deref(), part.cursor.as_deref());
            (outcome(&made, wanted.skip_reason.as_deref()), cursor)
        }
        Found::Failed(error) => {
            let attempt = row.failures + 1;
            let failed = EvaluationOutcome::Failed {
                error: error.clone(),
                attempt,
                passed_over: part.of.items() > 0 && attempt >= def.max_attempts,
            };
            (failed, row.cursor.clone())
        }
    };
    d.emit_as_leader(EvaluationFinished {
        id,
        version: proposal.version,
        of: part.of.clone(),
        outcome,
        cursor,
        last_run_key: made.last_run_key.or_else(|| row.last_run_key.clone()),
        dynamic_partitions: made.dynamic_partitions,
        asset_events: made.asset_events,
        asked: part.asked.clone(),
    });
    Ok(())
}

fn outcome(made: &Made, skip_reason: Option<&str>) -> EvaluationOutcome {
    if made.runs.is_empty() && made.backfills.is_empty() && made.kept.is_empty() {
        let nothing = match made.asset_events.is_empty() {
            true => "the function asked for nothing",
            false => "the function asked for nothing to run, and recorded asset events",
        };
        let said = skip_reason.unwrap_or(nothing);
        return EvaluationOutcome::Skipped {
            reason: said.to_owned(),
        };
    }
    EvaluationOutcome::Succeeded {
        runs: made.runs.clone(),
        backfills: made.backfills.clone(),
        kept: made.kept.clone(),
    }
}

/// Whether the state says what user code was asked with.
fn still_so(row: &SensorState, proposal: &EvaluationProposal) -> bool {
    let asked_with = row.is_running()
        && row.version == proposal.version
        && row.state_version == proposal.state_version;
    let mut waiting = row.queue.iter();
    asked_with
        && proposal.parts.iter().all(|part| match &part.of {
            EvaluationOf::Look { .. } => true,
            EvaluationOf::Messages { ids } => ids
                .iter()
                .all(|id| waiting.next().is_some_and(|item| is_message(item, id))),
            EvaluationOf::Events { positions } => positions
                .iter()
                .all(|at| waiting.next().is_some_and(|item| item.at == *at)),
        })
}

fn is_message(item: &Queued, wanted: &str) -> bool {
    matches!(&item.what, QueuedWhat::Message { id, .. } if id == wanted)
}

/// The policy under which keys of schedules count: each within its tick, once.
pub(super) const KEYS_OF_TICKS: RunKeyPolicy = RunKeyPolicy::Once;
