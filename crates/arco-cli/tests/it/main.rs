//! The real binary, as a person or a script calls it.

#![expect(clippy::unwrap_used, reason = "tests")]

mod backfills;
mod bad_input;
mod cancel;
mod dev_start;
mod failures;
mod graphs;
mod jobs;
mod live_logs;
mod locations;
mod log_command;
mod mappings;
mod moved;
#[expect(dead_code, reason = "whose tests restart it")]
#[path = "../../../arco-ingest/tests/it/nats_server.rs"]
mod nats_server;
mod other_language;
mod partitions;
mod parts;
mod pipeline;
mod queue;
mod queues;
mod reports;
mod reruns;
mod schedules;
mod sensors;
mod serving;
mod support;
mod survive;
mod ticks;
mod time_limits;
mod usage;
mod why;
