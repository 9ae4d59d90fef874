//! The fold and the decisions of Arco. Pure: no clock, IO, randomness or async runtime.
//!
//! - [`state`]: what the log means. `apply` takes one event and moves the state.
//! - [`planner`]: from "these assets, these partitions" to the explicit tasks of a run.
//! - [`backfill`]: which partitions of which assets a backfill makes, in which runs, and in which order.
//! - [`rerun`]: which tasks of a run that is over are done again, and under which key and tags.
//! - [`jobs`]: from the name of a job to what a run of it is made of.
//! - [`schedule`]: what is due, which missed instants are caught up with, what a tick runs.
//! - [`evaluation`]: what user code wants, and what that comes to.
//! - [`sensor`]: which sensors are asked, with what, and what their answers come to.
//! - [`mapping`]: what the code of mappings is asked, and what its answers come to.
//! - [`decide`]: from a command and the state to the events that follow, or a rejection.
//! - [`queue`]: what waits, on what, and who has it.
//! - [`explain`]: from the state to the answer to a "why".
//! - [`pending`]: what the shell owes the world, derived from the state alone.
//!
//! Same state and same `now` in, same events out: on every replica, on every replay, after every
//! lost put. This crate never reads a clock and never acts.

pub mod backfill;
pub mod checks;
pub mod command;
pub mod decide;
pub mod evaluation;
pub mod explain;
mod identity;
pub mod jobs;
pub mod mapping;
pub mod pending;
pub mod planner;
pub mod queue;
pub mod rejection;
pub mod rerun;
pub mod schedule;
pub mod selection_graph;
pub mod sensor;
pub mod state;
#[cfg(test)]
mod testing;

pub use command::Command;
pub use decide::{Decided, decide};
pub use rejection::Rejection;
pub use state::State;
