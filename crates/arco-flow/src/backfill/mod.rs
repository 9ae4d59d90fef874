//! Backfills, as far as they are pure: what is to be made, which assets go into one run, and when each
//! partition may begin.
//!
//! * [`Target`]: the partitions of each asset, resolved once from what was asked, without those that can
//!   never be made because a parent partition does not exist.
//! * [`Unit`]: assets that are made together, one run for each of their partitions.
//! * [`Outline`]: for each partition of each unit the round in which it may begin at the earliest. Rounds
//!   are what a preview shows; readiness itself is per partition, never per round (D-15).

mod outline;
mod target;
mod units;

#[cfg(test)]
mod tests;

pub use outline::{Outline, Round};
pub use target::{LeftOut, Selector, Target, Wanted};
pub use units::Unit;
