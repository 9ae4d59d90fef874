//! Domain values as the wire shows them. Pure; bounded: a list inside a row is cut, its length said.

pub(crate) mod asset;
pub(crate) mod backfill;
pub(crate) mod check;
pub(crate) mod event;
pub(crate) mod host;
pub(crate) mod materialization;
pub(crate) mod observation;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod sensor;
pub(crate) mod task;
