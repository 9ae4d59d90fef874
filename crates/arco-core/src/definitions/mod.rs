//! What user code declares: assets, checks, steps, resources, schedules and sensors, as a content-hashed manifest per
//! code location, and the catalog that joins the locations of a workspace.

mod catalog;
mod diff;
mod error;
mod job;
mod manifest;
mod schedule;
mod select;
mod sensor;
mod validate;

#[cfg(test)]
mod tests;

pub use catalog::{AssetRef, Catalog, ScheduleRef, SensorRef, StepRef};
pub use diff::{Changes, Diff};
pub use error::DefinitionsError;
pub use job::{IMPLICIT_JOB, JobDef};
pub use manifest::{
    AssetDef, BackfillPolicy, Backoff, CheckDef, Dep, Isolation, Jitter, Manifest, OpInput,
    OpOutput, OpSource, ResourceDef, RetryPolicy, StepDef, StepKind,
};
pub use schedule::{CatchUp, CatchUpPolicy, DefaultStatus, PartitionRule, Schedule, ScheduleDef};
pub use sensor::{RunKeyPolicy, RunStatusWatched, Sensor, SensorDef, SensorKind};
pub use validate::Definitions;
