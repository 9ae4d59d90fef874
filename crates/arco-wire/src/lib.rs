//! The types that cross the network: requests, answers and worker reports, and nothing else.
//!
//! A host or a client that depends on this crate pulls in no server. Names are `snake_case`, times
//! RFC 3339 UTC, durations carry their unit, absent rather than null. Domain types stay inside;
//! what is here is a promise to other programs (`openapi.json`, `docs/guide/worker-protocol.md`).

pub mod api;
pub mod evaluation;
pub mod problem;
pub mod worker;
