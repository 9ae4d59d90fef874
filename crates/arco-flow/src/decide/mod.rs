//! From a command and the state to the events that follow. None of this acts.

mod context;
mod definitions;
mod exchange;
mod finish;
mod hosts;
mod lead;
mod retry;
mod runs;

#[cfg(test)]
mod tests;

use arco_core::event::Event;

use crate::Rejection;
use crate::command::{Answer, Command, Context};
use crate::state::{Blobs, State};

pub(crate) use context::Deciding;
pub(crate) use exchange::candidates;

/// A decision: the events, the state after them, and the answer to give once they are committed.
#[derive(Debug, Clone)]
pub struct Decided {
    /// What to append; empty when nothing changes.
    pub events: Vec<Event>,
    /// The state after the events.
    pub state: State,
    /// What the caller hears after the commit.
    pub answer: Answer,
}

/// Decides one command on `state`. `next` is the position its first event would have; `blobs` holds
/// those that its events cite.
///
/// # Errors
/// [`Rejection`]; nothing changed.
pub fn decide(
    state: &State,
    command: &Command,
    context: &Context,
    next: arco_core::event::Position,
    blobs: &dyn Blobs,
) -> Result<Decided, Rejection> {
    let mut deciding = Deciding::new(state, context, next, blobs);
    let answer = match command {
        Command::Deploy(definitions) => definitions::deploy(&mut deciding, definitions)?,
        Command::LoadFailed { location, error } => {
            definitions::load_failed(&mut deciding, location, error)
        }
        Command::RequestRun(request) => runs::request(&mut deciding, request)?,
        Command::CancelRun(run) => runs::cancel(&mut deciding, *run)?,
        Command::RegisterHost(hello) => hosts::register(&mut deciding, hello)?,
        Command::HostLeft(host) => hosts::left(&mut deciding, *host)?,
        Command::HostLost(host) => hosts::lost(&mut deciding, *host)?,
        Command::Exchange(exchange) => exchange::exchange(&mut deciding, exchange)?,
        Command::TakeLead {
            after,
            holder,
            url,
            ttl_ms,
        } => lead::take(&mut deciding, *after, holder, url, *ttl_ms)?,
        Command::KeepLead => lead::keep(&mut deciding),
        Command::ReleaseLead => lead::release(&mut deciding),
        Command::PackHistory { reference, runs } => {
            deciding.emit_as_leader(arco_core::event::HistoryPacked {
                object: reference.clone(),
                runs: runs.clone(),
            });
            Answer::Done
        }
    };
    Ok(deciding.into_decided(answer))
}
