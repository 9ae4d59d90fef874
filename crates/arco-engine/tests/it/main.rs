//! The engine as its callers see it: on a store in memory, with a clock moved by hand and hosts
//! whose bodies are closures.

mod asked_for;
mod backfills;
mod cancel;
mod commands;
mod history;
mod hosts;
mod keys;
mod leadership;
mod life;
mod limits;
mod mappings;
mod recovery;
mod replay;
mod retries;
mod run_retries;
mod schedules;
mod sensors;
mod support;
mod unreachable;
