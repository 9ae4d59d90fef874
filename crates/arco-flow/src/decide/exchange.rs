//! A host reports and asks for work: finishing a task and leasing the next is one decision.

use std::collections::BTreeSet;

use arco_core::event::{AttemptLeased, AttemptOutcome, AttemptStarted, ErrorInfo, FailureClass};
use arco_core::{AttemptId, HostId, RunId, TaskIndex};

use super::finish::{self, Wish};
use super::{Deciding, facts, hosts, late};
use crate::Rejection;
use crate::command::{Answer, HostExchange, Reported};
use crate::state::{State, TaskStatus};

/// Leases one exchange may bring: more would only sit in the host's hands.
const LEASES_MAX: u32 = 256;

pub(super) fn exchange(d: &mut Deciding<'_>, e: &HostExchange) -> Result<Answer, Rejection> {
    if let Err(rejection) = hosts::alive(&d.state, e.host) {
        return if late::of_a_lost_host(d, e) {
            Ok(Answer::Fenced(e.host))
        } else {
            Err(rejection)
        };
    }
    let mut refused = Vec::new();
    for (at, (attempt, reported)) in e.reports.iter().enumerate() {
        match standing(&d.state, e.host, *attempt) {
            Standing::Held => {
                let ends = |(id, r): &(AttemptId, Reported)| id == attempt && r.is_end();
                let ends_too = e.reports[at..].iter().any(ends);
                report(d, *attempt, reported, ends_too);
            }
            Standing::EndedHere if late::contradicts(&d.state, e.host, *attempt, reported) => {
                late::one(d, e.host, *attempt, reported);
                refused.push((*attempt, "the attempt is over"));
            }
            // Said before, by this host: a repeated call after a lost answer.
            Standing::EndedHere => {}
            Standing::Foreign(reason) => refused.push((*attempt, reason)),
        }
    }
    let given: Vec<AttemptId> = undelivered(&d.state, e);
    let room = e
        .want
        .min(LEASES_MAX)
        .saturating_sub(u32::try_from(given.len()).unwrap_or(u32::MAX));
    let mut leases = given;
    leases.extend(lease(d, e.host, room));
    Ok(Answer::Exchanged { leases, refused })
}

enum Standing {
    Held,
    EndedHere,
    Foreign(&'static str),
}

fn standing(state: &State, host: HostId, attempt: AttemptId) -> Standing {
    if hosts::holds(state, host, attempt) {
        return Standing::Held;
    }
    let Some(run) = state.run(attempt.run) else {
        return Standing::Foreign("the run is not known");
    };
    let row = run.task(attempt.task).and_then(|task| {
        task.attempts
            .iter()
            .find(|row| row.number == attempt.number)
    });
    match row {
        Some(row) if row.host == host => Standing::EndedHere,
        Some(_) => Standing::Foreign("the attempt belongs to another host"),
        None => Standing::Foreign("the attempt is not known"),
    }
}

/// Attempts the state says the host holds and the host does not speak of: their lease was decided
/// and its answer lost. They are given again, the same attempts.
fn undelivered(state: &State, e: &HostExchange) -> Vec<AttemptId> {
    let Some(host) = state.hosts.get(&e.host) else {
        return Vec::new();
    };
    let known: BTreeSet<&AttemptId> = e.live.iter().collect();
    host.attempts
        .iter()
        .filter(|attempt| !known.contains(attempt))
        .copied()
        .collect()
}

fn report(d: &mut Deciding<'_>, id: AttemptId, reported: &Reported, ends_too: bool) {
    if let Some(wrong) = facts::misspoken(d, id, reported) {
        // Nothing that is said of other assets or partitions may stand, and what the body did is
        // not what was asked: the attempt ends here, and what is said of it later is too late.
        let error = ErrorInfo {
            kind: "InvalidReport".into(),
            message: wrong,
            traceback: String::new(),
        };
        let outcome = AttemptOutcome::Failed {
            class: FailureClass::UserCode,
            error,
        };
        let wish = Wish {
            allow_retries: false,
            ..Wish::default()
        };
        return finish::attempt(d, id, outcome, wish);
    }
    match reported {
        // An attempt that ends in the same breath needs no event of its beginning.
        Reported::Started if ends_too => {}
        Reported::Started => {
            let leased = d
                .state
                .run(id.run)
                .and_then(|run| run.task(id.task))
                .map(|t| t.status);
            if leased == Some(TaskStatus::Leased) {
                d.emit(AttemptStarted { attempt: id });
            }
        }
        Reported::Asset(fact) => facts::asset(d, id, fact),
        Reported::Values { outputs } => facts::values(d, id, outputs),
        Reported::Succeeded => finish::attempt(d, id, AttemptOutcome::Succeeded, Wish::default()),
        Reported::Cancelled => stopped(d, id),
        Reported::Released => finish::attempt(d, id, AttemptOutcome::Released, Wish::default()),
        Reported::Failed {
            class,
            error,
            allow_retries,
            retry_after_ms,
            max_retries,
        } => {
            let wish = Wish {
                allow_retries: *allow_retries,
                retry_after_ms: *retry_after_ms,
                max_retries: *max_retries,
            };
            let outcome = AttemptOutcome::Failed {
                class: *class,
                error: error.clone(),
            };
            finish::attempt(d, id, outcome, wish);
        }
    }
}

/// Stopped on request; a host that stops a task nobody asked it to stop has interrupted it, and the
/// task is tried again as after a lost worker.
fn stopped(d: &mut Deciding<'_>, id: AttemptId) {
    let asked = crate::pending::is_to_stop(&d.state, id);
    let outcome = if asked {
        AttemptOutcome::Cancelled
    } else {
        AttemptOutcome::Failed {
            class: FailureClass::WorkerLost,
            error: ErrorInfo {
                kind: "Interrupted".into(),
                message: "the host stopped the task although its run goes on".into(),
                traceback: String::new(),
            },
        }
    };
    finish::attempt(d, id, outcome, Wish::default());
}

/// Leases the best tasks of the host's location that limits have room for, one after the other.
fn lease(d: &mut Deciding<'_>, host: HostId, want: u32) -> Vec<AttemptId> {
    let Some(location) = d.state.hosts.get(&host).map(|h| h.location.clone()) else {
        return Vec::new();
    };
    let spare = super::spare(&d.state, &location);
    let mut leased = Vec::new();
    while leased.len() < want as usize {
        let Some(task) = super::next_task(&d.state, &location, d.now, &spare) else {
            break;
        };
        let number = next_number(&d.state, task).expect("the indexes name tasks of runs in memory");
        let attempt = AttemptId {
            run: task.0,
            task: task.1,
            number,
        };
        d.emit(AttemptLeased { attempt, host });
        leased.push(attempt);
    }
    leased
}

fn next_number(state: &State, (run, task): (RunId, TaskIndex)) -> Option<u32> {
    let task = state.run(run)?.task(task)?;
    Some(task.attempts.last().map_or(1, |row| row.number + 1))
}

impl Reported {
    fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed { .. } | Self::Cancelled | Self::Released
        )
    }
}
