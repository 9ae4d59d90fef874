//! The worker protocol: what hosts call. `docs/guide/worker-protocol.md` tells it from their side.

pub(crate) mod evaluations;
pub(crate) mod exchange;
pub(crate) mod hosts;
mod lease;
pub(crate) mod logs;
pub(crate) mod replay;
mod report;
