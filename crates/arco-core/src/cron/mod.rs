//! Cron: when a schedule is due. Text in, instants out.
//!
//! * [`CronExpression`] is one parsed text of five fields, with Dagster's syntax (S-1..S-10).
//! * [`CronSchedule`] is one or several of them in a time zone (S-11, S-14); it walks over its instants
//!   forwards from a start that counts (S-12) and backwards.
//!
//! At a change of the clocks there are two kinds of expression (S-17..S-20). Those whose hour field
//! means every hour follow real time: an hour that the clock leaves out has no instant, an hour that it
//! shows twice has two. All others follow the clock on the wall: a time that the clock leaves out is due
//! at the end of the gap, a time that it shows twice is due at the second. The rule is the same in every
//! zone, at every hour and for changes of any length, which is where Dagster departs from it (D-25).
//!
//! The parser is ours because none that we found reads this dialect: `croner` refuses ranges that wrap
//! and `L5`, accepts empty items of lists, `5L` and `15W`, and pairs times with zones by other rules.
//! Nothing here reads a clock.

mod error;
mod expression;
mod field;
mod instants;
mod interval;
mod schedule;

pub use error::CronError;
pub use expression::CronExpression;
pub use schedule::CronSchedule;
