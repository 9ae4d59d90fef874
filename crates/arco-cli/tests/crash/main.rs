//! Real processes, killed and cut off while they work, and judged by what task bodies themselves
//! wrote down.
//!
//! A body appends a line when it begins, one every 20 ms while it lives, and one when it ends, each
//! with the machine's own boot-time clock. So the journal knows how long an attempt lived even when
//! it was killed, and two attempts of one task that overlap cannot hide. The log of the store is
//! read beside it: what was acknowledged must be in it.
//!
//! `ARCO_CRASH_ROUNDS=30` makes a long run of it, `ARCO_CRASH_PIECES=5000` a big backfill; `ARCO_SEED` chooses
//! the accidents.

#![expect(clippy::unwrap_used, reason = "tests")]

mod accidents;
mod backfill;
mod cases;
mod deployment;
mod journal;
mod judge;
mod processes;
mod rounds;
