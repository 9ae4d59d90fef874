//! Backfills, as far as they are pure: what is to be made, which assets go into one run, and when each
//! partition may begin.
//!
//! * [`Target`]: the partitions of each asset, resolved once from what was asked, without those that can
//!   never be made because a parent partition does not exist.
//! * [`Unit`]: assets that are made together, one run for each of their partitions.
//! * [`resolve()`]: the two as they are stored, with what makes the first partitions ready.
//! * [`Outline`]: what becomes a run when, if all goes well. Rounds are what a preview shows; readiness itself
//!   is per partition, never per round (D-15).
//! * [`plan`]: the next chunks of a backfill as runs.

mod outline;
mod plan;
mod resolve;
mod standing;
mod target;
mod units;

#[cfg(test)]
mod tests;

pub use outline::{Outline, Round};
pub use plan::{Chunk, ChunkRun, next, plan};
pub use resolve::{Resolved, TargetAsk, resolve, undone};
pub use standing::{by_status, gone};
pub use target::{LeftOut, Selector, Target, Wanted};
pub use units::Unit;
