//! What people read: tables, times, sizes, colours. Pure functions of values, so that a table is
//! tested without a server.

mod cut;
mod paint;
mod table;
mod time;

pub(crate) use cut::cut;
pub(crate) use paint::Paint;
pub(crate) use table::{Column, Table, one_line};
pub(crate) use time::{duration, instant, plural};
