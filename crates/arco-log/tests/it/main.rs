//! The log against stores, good and bad. One binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod append;
mod conformance;
mod golden;
mod model;
mod moved;
mod opening;
mod recovery;
mod rough;
// The faulty store belongs to arco-testkit, which stands above the engine and so above this crate: a
// dependency on it would build all of that to test the log.
#[path = "../../../arco-testkit/src/store/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "half of it is for other crates")]
mod store;
mod support;
mod trim;
mod verify;
