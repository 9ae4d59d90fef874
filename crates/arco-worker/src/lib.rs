//! The worker host: leases tasks from the control plane and owns the Python processes that run them.
//!
//! The problem: run other people's Python thousands of times a second, let a crash, a leak or a
//! deadlock cost one task, and never let two attempts of a task run at once, whatever is cut off,
//! stopped or restarted. The approach:
//!
//! ```text
//!  control plane ◄── HTTP ──► Host ◄── sockets ──► zygote (user code, loaded once)
//!                              │                      │ fork
//!                              └──── one socket ────► children (one task at a time)
//! ```
//!
//! - [`Host`] is one loop over one inbox. Calls, children and zygotes are tasks that report to it;
//!   every decision is in the loop, so there is no lock and no order to get wrong.
//! - The lease deadline is kept four times over: the host kills, the zygote kills, the kernel kills
//!   the zygote, and the kernel kills children whose zygote died.
//! - The token of the host never reaches Python.
//! - Functions of schedules and sensors are asked beside the tasks: by a call of their own, in children
//!   of their own, so that neither waits for the other (ADR 0019).
//!
//! What this crate will never do: run user code in its own process, decide about retries, or believe
//! that something has not happened because no answer came.

#![cfg(target_os = "linux")]

mod child;
mod client;
mod clock;
mod death;
mod environment;
mod frame;
mod host;
mod leader;
mod logs;
mod message;
mod settings;
mod zygote;

pub use environment::find_python;
pub use host::{Host, HostError, HostHandle, HostStatus, run};
pub use settings::{Settings, Token};
