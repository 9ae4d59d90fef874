//! The worker host against a fake control plane, with real Python processes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod bodies;
mod cut_off;
mod deaths;
mod evaluations;
mod harness;
mod host_process;
mod isolation;
mod leader;
mod link;
mod load;
mod logs;
mod pace;
mod plane;
mod security;
mod stopping;
