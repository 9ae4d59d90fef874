//! Queues, with their real servers.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod nats;
mod nats_server;
