//! The public HTTP API: what a client sends and hears under `/api/v1/workspaces/{workspace}/`.
//!
//! One file per resource, as in `arco-api`. Lists are [`Page`]s; a place in the log is a
//! [`LogPosition`], an instant a [`Time`].

mod asset;
mod backfill;
mod cancel;
mod check;
mod definitions;
mod dynamic_partitions;
mod event;
mod health;
mod job;
mod live_log;
mod materialization;
mod page;
mod partition;
mod plan;
mod position;
mod queue;
mod report;
mod run;
mod schedule;
mod sensor;
mod status;
mod task;
mod time;

#[cfg(test)]
mod tests;

pub use arco_core::backfill::{BackfillOrder, BackfillStatus, PartitionWanted};
pub use arco_core::explanation::{Explanation, Reason, TaskName, Unknown, Why};
pub use arco_core::limits::{Granularity, Limits, PoolLimit, TagLimit, TimeLimits};
pub use arco_core::run_retries::{RetryStrategy, RunRetries};
pub use asset::{Asset, AssetDependency, AssetSummary, PartitionsInfo, PartitionsShape};
pub use backfill::{
    Backfill, BackfillChunk, BackfillCreated, BackfillDropped, BackfillFilter, BackfillLeftOut,
    BackfillPartition, BackfillPartitionStatus, BackfillPartitions, BackfillPreview,
    BackfillProgress, BackfillRound, BackfillUnit, CancelBackfill, CreateBackfill, EditBackfill,
    SteerBackfill,
};
pub use cancel::{CancelRuns, RunsCancelled, RunsMatching};
pub use check::{AssetCheck, CheckResult};
pub use definitions::{
    Changes, Definitions, Deploy, Deployed, HostInfo, HostState, LoadFailure, Location,
};
pub use dynamic_partitions::{
    ChangeDynamicPartitions, DynamicPartition, DynamicPartitions, DynamicPartitionsChanged,
};
pub use event::{Event, EventCause, EventPage};
pub use health::{Health, WorkspaceHealth};
pub use job::{Job, JobSummary};
pub use live_log::{LogAttempt, LogEnd, LogLost, LogOutput, LogSkipped, LogSource, LogStream};
pub use materialization::{InputUsed, Materialization, MaterializationSummary};
pub use page::Page;
pub use partition::{Partition, PartitionCounts, PartitionStatus};
pub use plan::{ExpectedTime, PlanPreview, PlannedStep, PlannedTask, PreviewPlan};
pub use position::LogPosition;
pub use queue::{LimitsChanged, QueueEntry, QueueWait, QueueWaitKind};
pub use report::{Observation, ReportCheck, ReportMaterialization, ReportObservation, Reported};
pub use run::{
    CreateRun, PartitionsWanted, Rerun, RerunOf, Retried, Run, RunCreated, RunStatus, RunSummary,
    RunTimedOut, SelectionText, TaskFailure,
};
pub use schedule::{
    CatchUp, MissedInstants, NextInstant, NextInstants, Schedule, ScheduleSet, ScheduleStatus,
    Tick, TickStatus, TickTrial, TickTrialRun, TimersFired,
};
pub use sensor::{
    AssetEventWord, Evaluation, EvaluationStatus, IdleLooks, MessageAccepted, Sensor, SensorAsked,
    SensorCursor, SensorKindWord, SensorSet, SensorStatus, SensorTest, SensorTrial, SensorTrialRun,
    TestMessage, TrialAssetEvent, TrialPartitions,
};
pub use status::{ActiveRuns, Leader, WorkspaceStatus};
pub use task::{
    Attempt, AttemptStatus, OutputStatus, SkipCause, Skipped, Task, TaskCounts, TaskOutput,
    TaskStatus, TaskSummary,
};
pub use time::Time;

/// Header of every answer about a workspace: the position the answer was read at.
pub const POSITION_HEADER: &str = "arco-position";
/// Header of a read: answer from this position or a later one.
pub const MIN_POSITION_HEADER: &str = "arco-min-position";
/// Header of every answer: id of the request, for the operator's log.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
/// Header of a write: the same key and the same request again is the same request.
pub const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";
/// Header of a log answer: the chunk to ask for next.
pub const NEXT_CHUNK_HEADER: &str = "arco-next-chunk";
/// Header of a log answer: `true` when the attempt is over and everything it wrote was given.
pub const LOG_COMPLETE_HEADER: &str = "arco-log-complete";
