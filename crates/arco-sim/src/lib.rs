//! A whole small deployment in one thread, from one seed.
//!
//! ```text
//!   clients ──┐                        ┌── replica one ── way ──┐
//!             ├── network (loss, cuts) ┤                        ├── one store in memory
//!   hosts ────┘                        └── replica two ── way ──┘
//!     │                                     (each way fails on its own)
//!     └── bodies: write down when they began and ended
//! ```
//!
//! The replicas are real engines; hosts, clients, network, weather and time are simulated on a paused
//! single-threaded runtime, so that one seed is one history. For some minutes things go wrong: puts
//! fail before or after their work, land late or twice, replicas are killed or cut off, hosts stall
//! or die, clocks disagree and are set by hours, everything is off for three days, messages are sent again. Then the weather clears, and a judge compares what everyone was told with
//! what the log says and what the bodies wrote down.
//!
//! **What must hold** ([`judge`]): what was acknowledged is in the log; replicas at one position have
//! one state; no two attempts of a task overlap, and none begins before the one before it ended or
//! was fenced; an epoch's controller events come from its leader alone; a run key makes one run;
//! no lease goes beyond a limit that holds where it stands in the log; every instant of
//! a schedule is one tick with its run in the same segment, whether it is declared or a host is asked, or is told
//! as missed where that is asked for; no wall clock that was set makes an instant of the future, or repeats one; an evaluation of a sensor
//! follows the one before it and moves the cursor on; a message is one run, in order, in the segment of its
//! evaluation; what was asked is over in the end. A planted bug ([`Planted`]) must be found, or the simulation is
//! asleep.

mod body;
mod client;
mod host;
pub mod judge;
mod network;
mod operator;
mod planted;
mod record;
mod replica;
mod scenario;
mod weather;

pub use planted::Planted;
pub use scenario::{Outcome, Scenario, run};
