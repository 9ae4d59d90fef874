//! Worker hosts come, go, and are given up.

use arco_core::event::{
    AttemptOutcome, ErrorInfo, FailureClass, HostLeft, HostLost, HostRegistered,
};
use arco_core::{AttemptId, HostId};

use super::{Deciding, finish};
use crate::Rejection;
use crate::command::{Answer, HostHello};
use crate::state::{HostStatus, State};

pub(super) fn register(d: &mut Deciding<'_>, hello: &HostHello) -> Result<Answer, Rejection> {
    match d.state.hosts.get(&hello.host).map(|host| host.status) {
        Some(HostStatus::Lost) => return Err(Rejection::Fenced(hello.host)),
        Some(HostStatus::Alive) => {}
        None => d.emit(HostRegistered {
            host: hello.host,
            location: hello.location.clone(),
            hostname: hello.hostname.clone(),
            pid: hello.pid,
            slots: hello.slots,
        }),
    }
    let (kept, killed) = hello
        .live
        .iter()
        .partition(|attempt| holds(&d.state, hello.host, **attempt));
    Ok(Answer::Attached { kept, killed })
}

/// Whether the state says that this host holds this attempt.
pub(super) fn holds(state: &State, host: HostId, attempt: AttemptId) -> bool {
    state
        .hosts
        .get(&host)
        .is_some_and(|host| host.attempts.contains(&attempt))
}

pub(super) fn alive(state: &State, host: HostId) -> Result<(), Rejection> {
    match state.hosts.get(&host).map(|host| host.status) {
        Some(HostStatus::Alive) => Ok(()),
        Some(HostStatus::Lost) => Err(Rejection::Fenced(host)),
        None => Err(Rejection::UnknownHost(host)),
    }
}

/// A host that leaves has killed its children: what it held goes to others at once.
pub(super) fn left(d: &mut Deciding<'_>, host: HostId) -> Result<Answer, Rejection> {
    alive(&d.state, host)?;
    give_up(
        d,
        host,
        "the host shut down while the task was in its hands",
    );
    d.emit(HostLeft { host });
    Ok(Answer::Done)
}

pub(super) fn lost(d: &mut Deciding<'_>, host: HostId) -> Result<Answer, Rejection> {
    alive(&d.state, host)?;
    d.emit_as_leader(HostLost { host });
    give_up(d, host, "the host was not heard from for its lease");
    Ok(Answer::Done)
}

fn give_up(d: &mut Deciding<'_>, host: HostId, message: &str) {
    let held: Vec<AttemptId> = d
        .state
        .hosts
        .get(&host)
        .into_iter()
        .flat_map(|h| h.attempts.iter().copied())
        .collect();
    for attempt in held {
        let error = ErrorInfo {
            kind: "WorkerLost".into(),
            message: message.into(),
            traceback: String::new(),
        };
        let outcome = AttemptOutcome::Failed {
            class: FailureClass::WorkerLost,
            error,
        };
        finish::attempt(d, attempt, outcome, finish::Wish::default());
    }
}
