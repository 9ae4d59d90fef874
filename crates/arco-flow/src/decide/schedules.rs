//! Schedules: set going, stopped, left to the code; and their ticks.
//!
//! A tick, the requests of its runs and what it settles are one decision, made only if the state still
//! says what the proposal was judged by: so a tick is decided once, whoever proposes it, and how often.

use arco_core::event::{
    ErrorInfo, ScheduleReset, ScheduleStarted, ScheduleStopped, TickFinished, TickId, TickOutcome,
    TickTried, TicksMissed,
};
use arco_core::{RunId, graph};

use super::wanted::carry_out;
use super::{Deciding, runs, sensors};
use crate::Rejection;
use crate::command::Answer;
use crate::schedule::{Evaluated, Missed, Overdue, TickProposal, next_try, overdue};
use crate::state::{ScheduleState, State};

/// Why a tick is skipped whose function gave neither requests nor a reason (S-37).
const ASKED_FOR_NOTHING: &str = "the function asked for nothing";

/// One that is not in the code cannot be told anything.
pub(super) fn known<'a>(state: &'a State, name: &str) -> Result<&'a ScheduleState, Rejection> {
    let row = state.schedules.get(name).filter(|row| row.gone.is_none());
    row.map(AsRef::as_ref)
        .ok_or_else(|| unknown_schedule(state, name))
}

/// The refusal of a name, with the nearest one that there is.
#[must_use]
pub fn unknown_schedule(state: &State, name: &str) -> Rejection {
    let names = state.catalog.schedules().keys().map(String::as_str);
    let hint = graph::did_you_mean(name, names).map_or_else(
        || "; `arco schedule list` shows what there is".to_owned(),
        |near| format!("; did you mean `{near}`?"),
    );
    Rejection::UnknownSchedule {
        schedule: name.to_owned(),
        hint,
    }
}

pub(super) fn start(d: &mut Deciding<'_>, name: &str) -> Result<Answer, Rejection> {
    if !known(&d.state, name)?.said.as_ref().is_some_and(|s| s.runs) {
        d.emit(ScheduleStarted {
            schedule: name.to_owned(),
        });
    }
    Ok(Answer::Done)
}

pub(super) fn stop(d: &mut Deciding<'_>, name: &str) -> Result<Answer, Rejection> {
    if known(&d.state, name)?.said.as_ref().is_none_or(|s| s.runs) {
        d.emit(ScheduleStopped {
            schedule: name.to_owned(),
        });
    }
    Ok(Answer::Done)
}

pub(super) fn reset(d: &mut Deciding<'_>, name: &str) -> Result<Answer, Rejection> {
    if known(&d.state, name)?.said.is_some() {
        d.emit(ScheduleReset {
            schedule: name.to_owned(),
        });
    }
    Ok(Answer::Done)
}

pub(super) fn fire(d: &mut Deciding<'_>, proposal: &TickProposal) -> Result<Answer, Rejection> {
    if !still_so(d, proposal) {
        return Err(Rejection::TickSuperseded(proposal.schedule.clone()));
    }
    for missed in &proposal.missed {
        let Missed {
            first,
            last,
            count,
            reason,
        } = *missed;
        d.emit_as_leader(TicksMissed {
            schedule: proposal.schedule.clone(),
            first,
            last,
            count,
            version: proposal.version,
            reason,
        });
    }
    let Some((tick, evaluated)) = &proposal.tick else {
        return Ok(Answer::Done);
    };
    let mut dynamic_partitions = Vec::new();
    let outcome = match evaluated {
        Evaluated::Wants(wanted) => {
            let made = carry_out(d, wanted, sensors::KEYS_OF_TICKS, None)?;
            dynamic_partitions = made.dynamic_partitions;
            if made.runs.is_empty() && made.backfills.is_empty() {
                let said = wanted.skip_reason.as_deref();
                TickOutcome::Skipped {
                    reason: said.unwrap_or(ASKED_FOR_NOTHING).to_owned(),
                }
            } else {
                TickOutcome::Succeeded {
                    runs: made.runs,
                    backfills: made.backfills,
                }
            }
        }
        Evaluated::Failed(error) if is_tried_again(d, proposal) => {
            return Ok(try_again(d, proposal, tick, error));
        }
        Evaluated::Runs(requests) => {
            let mut made: Vec<RunId> = Vec::new();
            for request in requests {
                if let Answer::Run { run, .. } = runs::request(d, request)?
                    && !made.contains(&run)
                {
                    made.push(run);
                }
            }
            TickOutcome::Succeeded {
                runs: made,
                backfills: Vec::new(),
            }
        }
        Evaluated::Skipped(reason) => TickOutcome::Skipped {
            reason: reason.clone(),
        },
        Evaluated::Failed(error) => TickOutcome::Failed {
            error: error.clone(),
        },
    };
    d.emit_as_leader(TickFinished {
        tick: tick.clone(),
        version: proposal.version,
        outcome,
        attempt: Some(proposal.attempt).filter(|attempt| *attempt > 1),
        dynamic_partitions,
        asked: proposal.asked.clone(),
    });
    Ok(Answer::Done)
}

/// Whether a tick whose function failed has tries left (S-28).
fn is_tried_again(d: &Deciding<'_>, proposal: &TickProposal) -> bool {
    let found = d.state.catalog.schedule(&proposal.schedule);
    proposal.asked.is_some()
        && found.is_some_and(|found| proposal.attempt <= found.schedule.def().max_retries)
}

fn try_again(
    d: &mut Deciding<'_>,
    proposal: &TickProposal,
    tick: &TickId,
    error: &ErrorInfo,
) -> Answer {
    if let Some(asked) = proposal.asked.clone() {
        d.emit_as_leader(TickTried {
            tick: tick.clone(),
            version: proposal.version,
            judged: proposal.now,
            attempt: proposal.attempt,
            error: error.clone(),
            next: next_try(proposal.attempt, d.now),
            asked,
        });
    }
    Answer::Done
}

/// Whether the state, and the clock of the one who decides, say what the proposal says.
fn still_so(d: &Deciding<'_>, proposal: &TickProposal) -> bool {
    let row = d.state.schedules.get(&proposal.schedule);
    let Some(row) = row.filter(|row| row.is_running() && row.version == proposal.version) else {
        return false;
    };
    let Some(found) = d.state.catalog.schedule(&proposal.schedule) else {
        return false;
    };
    // A try is of the tick that the row says is tried again, and comes after the tries before.
    let attempt = row.retry.as_ref().map_or(1, |retry| retry.attempts + 1);
    if proposal.attempt != attempt {
        return false;
    }
    let expected = Overdue {
        missed: proposal.missed.clone(),
        fire: proposal.tick.as_ref().map(|(tick, _)| tick.instant),
    };
    proposal.now <= d.wall() && overdue(found.schedule, row.settled, proposal.now) == expected
}
