//! The words of Arco: ids, keys, partitions, selection, definitions and events.
//!
//! Everything here is a value or a pure function of values. This crate has no clock, no IO, no
//! randomness and no async runtime in its manifest, and CI keeps it so: the fold and the planner
//! stand on it, and both must answer the same on every replica and on every replay.

pub mod asset_fact;
pub mod asset_key;
pub mod backfill;
pub mod canonical;
pub mod cron;
pub mod definitions;
pub mod digest;
pub mod event;
pub mod explanation;
pub mod graph;
pub mod id;
pub mod limits;
pub mod partition;
pub mod plan;
pub mod policy_tags;
pub mod run_retries;
pub mod run_tag;
pub mod selection;
pub mod time;

pub use asset_key::AssetKey;
pub use digest::Digest;
pub use id::{AttemptId, BackfillId, HostId, RunId, TaskIndex};
pub use partition::PartitionKey;
pub use time::Timestamp;
