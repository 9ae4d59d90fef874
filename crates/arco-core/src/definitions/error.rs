//! Why definitions are refused. Each message carries the mend.

use thiserror::Error;

use crate::AssetKey;

/// Definitions that cannot stand. Nothing changes: the former definitions stay.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DefinitionsError {
    /// The document is not a manifest.
    #[error("the manifest of location `{location}` cannot be read: {reason}")]
    Malformed {
        /// Code location.
        location: String,
        /// What the reader met.
        reason: String,
    },
    /// A manifest of a later shape.
    #[error(
        "the manifest of location `{location}` has format {format}, this server reads up to 1; upgrade the server, or use an older SDK"
    )]
    Format {
        /// Code location.
        location: String,
        /// The format it says.
        format: u32,
    },
    /// One key, two computations (M-6).
    #[error(
        "asset `{asset}` is defined twice{place}; give one of them another key, or `key_prefix=`"
    )]
    DuplicateAsset {
        /// The key.
        asset: AssetKey,
        /// ` in location x`, or ` in locations x and y`.
        place: String,
    },
    /// One step name twice.
    #[error("step `{step}` is defined twice in location `{location}`; rename one of the functions")]
    DuplicateStep {
        /// The name.
        step: String,
        /// Code location.
        location: String,
    },
    /// One check name twice for an asset.
    #[error("check `{check}` of asset `{asset}` is defined twice; give one of them another name")]
    DuplicateCheck {
        /// The asset.
        asset: AssetKey,
        /// The name.
        check: String,
    },
    /// An edge to an asset nobody defines.
    #[error("{child} depends on `{dep}`, which is not defined (path: {path}){hint}")]
    UnknownDep {
        /// `asset `x`` or `check `c` of asset `x``.
        child: String,
        /// The unknown key.
        dep: AssetKey,
        /// The edge as a path, upstream first.
        path: String,
        /// `; did you mean `y`?`, or how to declare it external.
        hint: String,
    },
    /// Something names a step that is not there.
    #[error("{what} names step `{step}`, which location `{location}` does not define")]
    UnknownStep {
        /// What names it.
        what: String,
        /// The name.
        step: String,
        /// Code location.
        location: String,
    },
    /// Assets that wait for each other (M-7; found when definitions load, D-34).
    #[error("assets depend on each other in a cycle: {path}; remove one of these dependencies")]
    Cycle {
        /// `a → b → a`.
        path: String,
    },
    /// A schedule that cannot stand.
    #[error("schedule `{schedule}` is not valid: {reason}")]
    Schedule {
        /// The name.
        schedule: String,
        /// Why, and the mend.
        reason: String,
    },
    /// One schedule name twice.
    #[error("schedule `{schedule}` is defined twice{place}; give one of them another name")]
    DuplicateSchedule {
        /// The name.
        schedule: String,
        /// ` in location x`, or ` in locations x and y`.
        place: String,
    },
    /// A sensor that cannot stand.
    #[error("sensor `{sensor}` is not valid: {reason}")]
    Sensor {
        /// The name.
        sensor: String,
        /// Why, and the mend.
        reason: String,
    },
    /// One name for two sensors, or for a schedule and a sensor.
    #[error("{what} `{name}` is defined twice{place}; give one of them another name")]
    DuplicateSensor {
        /// `sensor`, or `schedule or sensor`.
        what: &'static str,
        /// The name.
        name: String,
        /// ` in location x`, or ` in locations x and y`.
        place: String,
    },
    /// A partitions definition or mapping that cannot stand.
    #[error("the partitions of asset `{asset}` are not valid: {reason}")]
    Partitions {
        /// The asset.
        asset: AssetKey,
        /// Why.
        reason: String,
    },
    /// The outputs of one step differ in their partitions.
    #[error(
        "step `{step}` makes assets with different partitions; one step has one partitions definition"
    )]
    MixedPartitions {
        /// The step.
        step: String,
    },
    /// One job name twice.
    #[error("job `{job}` is defined twice in location `{location}`; give one of them another name")]
    DuplicateJob {
        /// The name.
        job: String,
        /// Code location.
        location: String,
    },
    /// A job that cannot stand.
    #[error("job `{job}` of location `{location}` is not valid: {reason}")]
    Job {
        /// The name.
        job: String,
        /// Code location.
        location: String,
        /// Why, and the mend.
        reason: String,
    },
}
