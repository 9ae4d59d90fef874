//! Facts. One event, one payload struct, one fold arm.

mod envelope;

pub use envelope::{Cause, Position, Principal, RawEvent};
