//! The API from outside: a real server on a free port, an engine on a store in memory, a client.

mod assets;
mod bounds;
mod cancels;
mod checks_and_counts;
mod dynamic_partitions;
mod events;
mod explanations;
mod gate;
mod host;
mod idempotency;
mod jobs;
mod lifecycle;
mod logs;
mod openapi;
mod paging;
mod positions;
mod problems;
mod queue;
mod reports;
mod reruns;
mod roles;
mod run_logs;
mod server;
mod shutdown;
mod sse;
mod worker;
