//! The commands, one a file: its options, what it does, what it prints.

pub(crate) mod ask;
pub(crate) mod assets;
pub(crate) mod backfill;
pub(crate) mod cancel;
pub(crate) mod completion;
pub(crate) mod definitions;
pub(crate) mod deploy;
pub(crate) mod dev;
pub(crate) mod jobs;
pub(crate) mod log;
pub(crate) mod logs;
pub(crate) mod new;
pub(crate) mod partitions;
pub(crate) mod plan;
pub(crate) mod queue;
pub(crate) mod rerun;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod schedule;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod task_name;
pub(crate) mod version;
pub(crate) mod why;
pub(crate) mod worker;
