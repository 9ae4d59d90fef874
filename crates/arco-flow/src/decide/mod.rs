//! From a command and the state to the events that follow. None of this acts.

mod admission;
mod backfills;
mod context;
mod definitions;
mod exchange;
mod facts;
mod finish;
mod hosts;
mod late;
mod lead;
mod limits;
mod mappings;
mod partition_sets;
pub(crate) mod report;
mod retry;
mod run_retry;
mod runs;
mod schedules;
mod sensors;
mod wanted;

#[cfg(test)]
mod tests;

use arco_core::event::Event;

use crate::Rejection;
use crate::command::{Answer, Command, Context};
use crate::state::{Blobs, State};

pub(crate) use admission::{next as next_task, spare};
pub use backfills::{SCOPE as BACKFILL_SCOPE, known as known_backfill, run_key as chunk_key};
pub(crate) use context::Deciding;
pub(crate) use retry::{Budget, INFRASTRUCTURE_RETRIES_MAX, WORKER_LOST_RETRIES_MAX};
pub(crate) use run_retry::failures;
pub use runs::Keys;
pub use schedules::unknown_schedule;
pub use sensors::unknown_sensor;

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
    let answer = decide_on(&mut deciding, command)?;
    Ok(deciding.into_decided(answer))
}

fn decide_on(d: &mut Deciding<'_>, command: &Command) -> Result<Answer, Rejection> {
    Ok(match command {
        Command::AsLeader { epoch, command } => {
            lead::require(d, *epoch)?;
            decide_on(d, command)?
        }
        Command::Deploy(definitions) => definitions::deploy(d, definitions)?,
        Command::LoadFailed { location, error } => definitions::load_failed(d, location, error),
        Command::RequestRun(request) => runs::request(d, request)?,
        Command::CancelRun(run) => runs::cancel(d, *run)?,
        Command::CancelRuns(runs) => runs::cancel_all(d, runs),
        Command::SetLimits(limits) => limits::set(d, limits)?,
        Command::EnforceTimeLimits => limits::enforce(d),
        Command::SetRunRetries(retries) => run_retry::set(d, *retries)?,
        Command::DropRetry { run, reason } => run_retry::drop(d, *run, reason),
        Command::Report(reported) => report::report(d, reported)?,
        Command::RegisterHost(hello) => hosts::register(d, hello)?,
        Command::HostLeft(host) => hosts::left(d, *host)?,
        Command::HostLost(host) => hosts::lost(d, *host)?,
        Command::Exchange(exchange) => exchange::exchange(d, exchange)?,
        Command::TakeLead {
            after,
            holder,
            url,
            ttl_ms,
        } => lead::take(d, *after, holder, url, *ttl_ms)?,
        Command::KeepLead => lead::keep(d),
        Command::ReleaseLead => lead::release(d),
        Command::AddPartitions { name, keys } => partition_sets::add(d, name, keys)?,
        Command::RemovePartitions { name, keys } => partition_sets::remove(d, name, keys),
        Command::RecordMapping(record) => mappings::record(d, record),
        Command::StartSchedule(name) => schedules::start(d, name)?,
        Command::StopSchedule(name) => schedules::stop(d, name)?,
        Command::ResetSchedule(name) => schedules::reset(d, name)?,
        Command::FireSchedule(proposal) => schedules::fire(d, proposal)?,
        Command::PackTicks { reference, through } => {
            d.emit_as_leader(arco_core::event::TicksPacked {
                object: reference.clone(),
                through: through.clone(),
            });
            Answer::Done
        }
        Command::StartSensor(name) => sensors::start(d, name)?,
        Command::StopSensor(name) => sensors::stop(d, name)?,
        Command::ResetSensor(name) => sensors::reset(d, name)?,
        Command::SetCursor {
            sensor,
            cursor,
            state_version,
        } => sensors::set_cursor(d, sensor, cursor.as_deref(), *state_version)?,
        Command::AcceptMessage(message) => sensors::accept(d, message)?,
        Command::Evaluate(proposal) => sensors::evaluate(d, proposal)?,
        Command::RecordIdle {
            sensor,
            state_version,
            idle,
        } => sensors::record_idle(d, sensor, *state_version, idle)?,
        Command::PackEvaluations { reference, through } => {
            d.emit_as_leader(arco_core::event::EvaluationsPacked {
                object: reference.clone(),
                through: through.clone(),
            });
            Answer::Done
        }
        Command::CreateBackfill(request) => backfills::create(d, request)?,
        Command::SteerBackfill(steer) => backfills::steer(d, steer)?,
        Command::AdvanceBackfill(advance) => backfills::advance(d, advance)?,
        Command::PackHistory { reference, runs } => {
            d.emit_as_leader(arco_core::event::HistoryPacked {
                object: reference.clone(),
                runs: runs.clone(),
            });
            Answer::Done
        }
    })
}
