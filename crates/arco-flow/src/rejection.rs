//! Why a command was refused. Named by what to do; each message carries the mend.

use arco_core::definitions::Dep;
use arco_core::partition::{
    MappingError, PartitionEdge, PartitionKeyError, PartitionMapping, PartitionsDef,
};
use arco_core::{AssetKey, BackfillId, Digest, HostId, RunId};
use thiserror::Error;

/// A refused command. Nothing changed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Rejection {
    /// An asset nobody defines.
    #[error("asset `{asset}` is not defined{hint}")]
    UnknownAsset {
        /// The key.
        asset: AssetKey,
        /// `; did you mean `x`?`, or where to look.
        hint: String,
    },
    /// An external asset cannot be run.
    #[error(
        "asset `{0}` is external: nothing here makes it, so it cannot be run; leave it out of the selection"
    )]
    External(AssetKey),
    /// Some of the assets of a step that makes all of them or none.
    #[error(
        "step `{step}` makes all its assets at once, and only {chosen} of them are selected; select {missing} too, or declare the step with can_subset=True"
    )]
    PartialStep {
        /// The step.
        step: String,
        /// Assets of it that are selected.
        chosen: String,
        /// Assets of it that are not.
        missing: String,
    },
    /// Tasks that would wait for each other.
    #[error(
        "steps wait for each other, because one of them makes several assets at once and reads what is made of one of them: {0}; declare it with can_subset=True, or make its assets by functions of their own"
    )]
    StepsWait(String),
    /// A selection that selects nothing.
    #[error("the selection `{0}` selects no asset; `arco assets` lists what there is")]
    EmptySelection(String),
    /// A key that is not of the asset's partitions definition.
    #[error("{message}")]
    BadPartition {
        /// The asset.
        asset: AssetKey,
        /// Names the key, the asset and what keys look like.
        message: String,
    },
    /// A partitioned asset without a partition.
    #[error(
        "asset `{asset}` is partitioned, and no partition was given; give a key such as `{example}`, a range `FIRST...LAST`, or all partitions"
    )]
    PartitionMissing {
        /// The asset.
        asset: AssetKey,
        /// What a key looks like.
        example: String,
    },
    /// A partition for a selection without partitioned assets.
    #[error(
        "none of the selected assets is partitioned, and partition `{0}` was given; leave the partition out"
    )]
    PartitionUnused(String),
    /// A needed upstream partition can never be there (D-5).
    #[error(
        "`{child}` needs partition `{key}` of `{parent}`, which does not exist{more}; choose other partitions, or set `allow_nonexistent_upstream_partitions=True` on the mapping"
    )]
    NonexistentUpstream {
        /// Asset and partition that need it.
        child: String,
        /// The missing key.
        key: String,
        /// The upstream asset.
        parent: AssetKey,
        /// ` (and 3 more)` or nothing.
        more: String,
    },
    /// Code of a mapping was not asked yet what a partition needs, or failed.
    #[error(
        "it is not known yet which partitions of `{parent}` `{child}` needs: `{mapping}` is a mapping of your own, and its location is being asked{trouble}; try again in a moment"
    )]
    MappingUnanswered {
        /// Asset and partition that need it.
        child: String,
        /// The upstream asset.
        parent: AssetKey,
        /// Name of the mapping's class.
        mapping: String,
        /// `; when it was asked last, …`, or nothing.
        trouble: String,
    },
    /// A mapping that fails for these definitions.
    #[error("the dependency of `{child}` on `{parent}` cannot be mapped: {reason}")]
    Mapping {
        /// Downstream asset.
        child: AssetKey,
        /// Upstream asset.
        parent: AssetKey,
        /// Why.
        reason: MappingError,
    },
    /// The plan is too big for one run.
    #[error(
        "the run would have {tasks} tasks, a run may have at most {max}; ask for fewer partitions at a time"
    )]
    TooManyTasks {
        /// How many.
        tasks: usize,
        /// The bound.
        max: usize,
    },
    /// One run key, two different requests.
    #[error(
        "run key `{key}` was used for another request in scope `{scope}`: run {run} has fingerprint {known}, this request has {asked}{}; use another key, or repeat the first request",
        differing(.differs)
    )]
    RunKeyConflict {
        /// The scope.
        scope: String,
        /// The key.
        key: String,
        /// The run made under it.
        run: RunId,
        /// Its fingerprint.
        known: Digest,
        /// This request's.
        asked: Digest,
        /// Fields in which they differ; empty when the run has left memory.
        differs: Vec<String>,
    },
    /// One idempotency key, two different requests.
    #[error(
        "idempotency key `{key}` was used for another request: run {run} has fingerprint {known}, this request has {asked}{}; use a fresh key for a new request",
        differing(.differs)
    )]
    IdempotencyConflict {
        /// The key.
        key: String,
        /// The run made under it.
        run: RunId,
        /// Fingerprint of the first request.
        known: Digest,
        /// This request's.
        asked: Digest,
        /// Fields in which they differ; empty when the run has left memory.
        differs: Vec<String>,
    },
    /// A reserved run key.
    #[error(
        "{what} `{word}` is reserved; choose one that does not begin with `backfill:` or `rerun:`"
    )]
    Reserved {
        /// `run key` or `scope`.
        what: &'static str,
        /// What was given.
        word: String,
    },
    /// A tag that says which run a run does again.
    #[error(
        "tag `{0}` is reserved: Arco writes it on reruns; leave it out, and ask for a rerun with `arco rerun RUN`"
    )]
    ReservedTag(String),
    /// A tag that says of which chunk of a backfill a run is.
    #[error(
        "tag `{0}` is reserved: Arco writes it on the runs of a backfill; leave it out, and ask for a backfill with `arco backfill create`"
    )]
    ChunkTag(String),
    /// A tag whose value means nothing.
    #[error(transparent)]
    PolicyTag(#[from] arco_core::policy_tags::PolicyTagError),
    /// A tag whose key is none.
    #[error(transparent)]
    TagKey(#[from] arco_core::run_tag::RunTagKeyError),
    /// More retries than anyone waits for.
    #[error("a run may be retried {max} times at most, and {asked} were asked for; ask for fewer")]
    TooManyRetries {
        /// How many.
        asked: u32,
        /// The bound.
        max: u32,
    },
    /// An automatic retry that is not owed: it was made before, or dropped.
    #[error("run {0} is owed no retry; it has been made or dropped meanwhile")]
    NoRetryOwed(RunId),
    /// A rerun of a run that is not over.
    #[error(
        "run {run} is {status}, and only a run that is over can be rerun; wait for its end, or stop it: `arco cancel {run}`"
    )]
    RunNotOver {
        /// The run.
        run: RunId,
        /// Where it stands.
        status: &'static str,
    },
    /// A rerun from failure of a run in which nothing failed.
    #[error(
        "every task of run {0} succeeded, so there is nothing to rerun from failure; rerun it whole (`arco rerun {0}`) or a part of it (`--select`)"
    )]
    NothingFailed(RunId),
    /// A rerun of assets that the run has not.
    #[error("the selection `{selection}` selects nothing of run {run}; its assets are {assets}")]
    NotOfRun {
        /// The run.
        run: RunId,
        /// As written.
        selection: String,
        /// The run's assets: the first ones.
        assets: String,
    },
    /// A rerun of a step that is not what it was.
    #[error(
        "run {run} cannot be rerun with the definitions deployed now: step `{step}` of location `{location}` {why}; rerun the rest with a selection, or start a new run"
    )]
    StepGone {
        /// The run.
        run: RunId,
        /// Code location.
        location: String,
        /// The step.
        step: String,
        /// `is no longer defined`.
        why: String,
    },
    /// A job nobody defines.
    #[error("job `{job}` is not defined{hint}")]
    UnknownJob {
        /// The name.
        job: String,
        /// `; did you mean `x`?`, or where to look.
        hint: String,
    },
    /// A job of a name that several locations use.
    #[error("several locations define a job `{job}`: {locations}; say which (`--location NAME`)")]
    AmbiguousJob {
        /// The name.
        job: String,
        /// The locations.
        locations: String,
    },
    /// A job of no asset.
    #[error(
        "job `{0}` selects no asset, so there is nothing to run; `arco jobs show {0}` shows its selection"
    )]
    EmptyJob(String),
    /// A selection of nothing within a job.
    #[error("the selection `{selection}` selects nothing of job `{job}`; its assets are {assets}")]
    NotOfJob {
        /// The job.
        job: String,
        /// As written.
        selection: String,
        /// The job's assets: the first ones.
        assets: String,
    },
    /// A check nobody defines.
    #[error("check `{check}` of asset `{asset}` is not defined{hint}")]
    UnknownCheck {
        /// The asset.
        asset: AssetKey,
        /// The name.
        check: String,
        /// `; did you mean `x`?`, or where to look.
        hint: String,
    },
    /// Checks of what is no asset.
    #[error("`{text}` is no asset whose checks could be judged{hint}")]
    UnknownCheckAsset {
        /// As written.
        text: String,
        /// `; did you mean `x`?`, or where to look.
        hint: String,
    },
    /// All checks of an asset that has none.
    #[error("asset `{0}` has no checks")]
    NoChecks(AssetKey),
    /// A check that cannot be judged without making its asset.
    #[error(
        "check `{check}` of asset `{asset}` is judged by the function that makes the asset, so it cannot be judged alone; select the asset too"
    )]
    CheckWithinStep {
        /// The asset.
        asset: AssetKey,
        /// The name.
        check: String,
    },
    /// One idempotency key, two different reports.
    #[error("idempotency key `{0}` was used for another report; use a fresh key for a new report")]
    ReportConflict(String),
    /// No such schedule.
    #[error("schedule `{schedule}` is not defined{hint}")]
    UnknownSchedule {
        /// The name.
        schedule: String,
        /// `; did you mean `x`?`, or where to look.
        hint: String,
    },
    /// A step of a schedule that the state no longer asks for: another one decided it first.
    #[error(
        "the tick of schedule `{0}` was decided already, or its definition changed; nothing to do"
    )]
    TickSuperseded(String),
    /// No such sensor.
    #[error("there is no sensor `{sensor}`{hint}")]
    UnknownSensor {
        /// The name.
        sensor: String,
        /// `; did you mean `x`?`, or where to look.
        hint: String,
    },
    /// A message for a sensor that does not run.
    #[error(
        "sensor `{0}` is stopped, so nobody would read the message; `arco sensor start {0}`, then send it again"
    )]
    SensorStopped(String),
    /// A message for a sensor that takes none.
    #[error(
        "sensor `{sensor}` takes no messages: it looks at {kind}; send them to a sensor that is pushed to"
    )]
    NotPush {
        /// The sensor.
        sensor: String,
        /// What it looks at.
        kind: String,
    },
    /// More messages than may wait.
    #[error(
        "{waiting} messages wait for sensor `{sensor}`, and no more may; send this one again later, and see `arco sensor show {sensor}` for why they wait"
    )]
    QueueFull {
        /// The sensor.
        sensor: String,
        /// How many wait.
        waiting: usize,
    },
    /// A sensor changed since the caller looked.
    #[error(
        "sensor `{sensor}` changed since you looked: its state version is {known}, and you said {seen}; look again, then repeat"
    )]
    SensorMoved {
        /// The sensor.
        sensor: String,
        /// What it is.
        known: u64,
        /// What the caller has seen.
        seen: u64,
    },
    /// Something else was decided of the sensor meanwhile, or it is not due.
    #[error("what was found out for sensor `{0}` is out of date; look again")]
    EvaluationSuperseded(String),
    /// No such run.
    #[error("run {0} is not known; `arco runs list` shows the runs there are")]
    UnknownRun(RunId),
    /// A host that never registered, or left.
    #[error("host {0} is not registered; register it again")]
    UnknownHost(HostId),
    /// A host that was declared lost.
    #[error(
        "host {0} was declared lost after it was silent for its lease: kill its tasks and start over under a new host id"
    )]
    Fenced(HostId),
    /// Definitions moved while a plan was made off the loop.
    #[error("the definitions changed while the plan was made; plan again")]
    Replan,
    /// Definitions that do not hold together.
    #[error(transparent)]
    Definitions(#[from] arco_core::definitions::DefinitionsError),
    /// Limits that do not hold together.
    #[error(transparent)]
    Limits(#[from] arco_core::limits::LimitsError),
    /// A set of dynamic partitions that would grow beyond what ordinals have room for.
    #[error(
        "the dynamic partitions `{name}` would have {keys} keys, and {max} is the most; remove some, or use several sets"
    )]
    TooManyPartitions {
        /// The set.
        name: String,
        /// How many it would have.
        keys: u64,
        /// The bound.
        max: u64,
    },
    /// No such backfill.
    #[error("backfill {0} is not known; `arco backfill list` shows the backfills there are")]
    UnknownBackfill(BackfillId),
    /// A backfill that is over, or about to be, goes on in no other way.
    #[error(
        "backfill {backfill} is {status}, so it cannot be {what}; `arco backfill retry-failed {backfill}` makes what it left undone"
    )]
    BackfillOver {
        /// The backfill.
        backfill: BackfillId,
        /// Where it stands.
        status: &'static str,
        /// `paused`.
        what: &'static str,
    },
    /// A retry of a backfill that goes on.
    #[error(
        "backfill {backfill} is {status}, and only one that is over can be retried; wait for its end, or cancel it: `arco backfill cancel {backfill}`"
    )]
    BackfillNotOver {
        /// The backfill.
        backfill: BackfillId,
        /// Where it stands.
        status: &'static str,
    },
    /// A retry of a backfill that made everything.
    #[error("backfill {0} left nothing undone, so there is nothing to retry")]
    NothingUndone(BackfillId),
    /// A backfill moved meanwhile.
    #[error(
        "backfill {backfill} is {status} at state version {known}, and the request was made for version {seen}; look at it again"
    )]
    BackfillMoved {
        /// The backfill.
        backfill: BackfillId,
        /// Where it stands.
        status: &'static str,
        /// Its version.
        known: u64,
        /// What the caller saw.
        seen: u64,
    },
    /// Nothing to make.
    #[error("nothing is left to make of what was asked: {0}")]
    EmptyBackfill(String),
    /// Settings that mean nothing.
    #[error("{0}")]
    BadBackfill(String),
    /// One idempotency key, two different backfills.
    #[error(
        "idempotency key `{key}` was used for another backfill, {backfill}; use a fresh key for a new one"
    )]
    BackfillConflict {
        /// The key.
        key: String,
        /// The backfill made under it.
        backfill: BackfillId,
    },
    /// Another replica leads, or this one leads already.
    #[error("leadership epoch {epoch} is held by `{holder}`")]
    Led {
        /// Its epoch.
        epoch: u64,
        /// Who holds it.
        holder: String,
    },
}

impl Rejection {
    /// The code of [`Rejection::MappingUnanswered`]: what was refused with it can be in a moment.
    pub const MAPPING_UNANSWERED: &str = "mapping_unanswered";

    /// Of a partition of `child` that code of the mapping of `dep` did not answer; `None` when it did.
    pub(crate) fn unanswered(
        child: (&AssetKey, Option<&PartitionsDef>),
        dep: &Dep,
        edge: &PartitionEdge,
        ordinal: Option<u64>,
    ) -> Option<Self> {
        if edge.is_answered(ordinal) {
            return None;
        }
        let key = ordinal.and_then(|ordinal| child.1?.key_at(ordinal));
        let key = key.map_or_else(String::new, |key| format!("[{}]", key.display()));
        let mapping = dep.mapping.as_ref().and_then(PartitionMapping::custom);
        Some(Self::MappingUnanswered {
            child: format!("{}{key}", child.0),
            parent: dep.asset.clone(),
            mapping: mapping.map_or_else(String::new, |mapping| mapping.name().to_owned()),
            trouble: edge.trouble().map_or_else(String::new, |trouble| {
                format!(", and failed when it was asked last: {trouble}")
            }),
        })
    }

    /// A partition key error, for an asset.
    #[must_use]
    pub fn bad_partition(asset: &AssetKey, error: &PartitionKeyError) -> Self {
        Self::BadPartition {
            asset: asset.clone(),
            message: error.of(asset.as_str()),
        }
    }

    /// Stable word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownAsset { .. } => "unknown_asset",
            Self::External(_) => "external_asset",
            Self::PartialStep { .. } => "partial_step",
            Self::StepsWait(_) => "bad_definitions",
            Self::EmptySelection(_) => "empty_selection",
            Self::BadPartition { .. } => "bad_partition",
            Self::PartitionMissing { .. } => "partition_missing",
            Self::PartitionUnused(_) => "partition_unused",
            Self::NonexistentUpstream { .. } => "nonexistent_upstream",
            Self::MappingUnanswered { .. } => Self::MAPPING_UNANSWERED,
            Self::Mapping { .. } => "bad_mapping",
            Self::TooManyTasks { .. } => "too_many_tasks",
            Self::TooManyPartitions { .. } => "too_many_partitions",
            Self::RunKeyConflict { .. } => "run_key_conflict",
            Self::IdempotencyConflict { .. } => "idempotency_conflict",
            Self::Reserved { .. } | Self::ReservedTag(_) | Self::ChunkTag(_) => "reserved",
            Self::PolicyTag(_) | Self::TagKey(_) => "bad_tag",
            Self::TooManyRetries { .. } => "too_many_retries",
            Self::NoRetryOwed(_) => "no_retry_owed",
            Self::RunNotOver { .. } => "run_not_over",
            Self::NothingFailed(_) => "nothing_failed",
            Self::NotOfRun { .. } => "not_of_run",
            Self::StepGone { .. } => "step_gone",
            Self::UnknownJob { .. } => "unknown_job",
            Self::AmbiguousJob { .. } => "ambiguous_job",
            Self::EmptyJob(_) => "empty_selection",
            Self::NotOfJob { .. } => "not_of_job",
            Self::UnknownCheck { .. } | Self::NoChecks(_) => "unknown_check",
            Self::UnknownCheckAsset { .. } => "unknown_asset",
            Self::CheckWithinStep { .. } => "check_within_step",
            Self::ReportConflict(_) => "idempotency_conflict",
            Self::UnknownSchedule { .. } => "unknown_schedule",
            Self::TickSuperseded(_) => "tick_superseded",
            Self::UnknownSensor { .. } => "unknown_sensor",
            Self::SensorStopped(_) => "sensor_stopped",
            Self::NotPush { .. } => "not_push",
            Self::QueueFull { .. } => "queue_full",
            Self::SensorMoved { .. } => "sensor_moved",
            Self::EvaluationSuperseded(_) => "evaluation_superseded",
            Self::UnknownRun(_) => "unknown_run",
            Self::UnknownHost(_) => "unknown_host",
            Self::Fenced(_) => "fenced",
            Self::Replan => "replan",
            Self::Definitions(_) => "bad_definitions",
            Self::Limits(_) => "bad_limits",
            Self::UnknownBackfill(_) => "unknown_backfill",
            Self::BackfillOver { .. } => "backfill_over",
            Self::BackfillNotOver { .. } => "backfill_not_over",
            Self::NothingUndone(_) => "nothing_failed",
            Self::BackfillMoved { .. } => "backfill_moved",
            Self::EmptyBackfill(_) => "empty_backfill",
            Self::BadBackfill(_) => "bad_backfill",
            Self::BackfillConflict { .. } => "idempotency_conflict",
            Self::Led { .. } => "led",
        }
    }
}

/// ` (they differ in config, tags)`.
fn differing(fields: &[String]) -> String {
    match fields {
        [] => String::new(),
        fields => format!(" (they differ in {})", fields.join(", ")),
    }
}
