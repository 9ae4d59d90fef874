//! What can be so. One line of an answer each.

use serde::{Deserialize, Serialize};

use super::{TaskName, Unknown};
use crate::event::{FailureClass, RerunKind, RunTimeLimit, Severity};
use crate::{AssetKey, AttemptId, Digest, HostId, RunId};

/// What is so. Statuses are the words of the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// A run stands here. `at` is its end, the time is from the request on.
    Run {
        /// The run.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        run: RunId,
        /// Where it stands.
        status: String,
        /// Its tasks.
        tasks: u32,
        /// Of these, succeeded.
        succeeded: u32,
        /// Of these, failed.
        failed: u32,
        /// Of these, skipped.
        skipped: u32,
        /// Of these, cancelled.
        cancelled: u32,
    },
    /// Someone asked for a run.
    Asked {
        /// The run.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        run: RunId,
        /// Who.
        by: String,
        /// The selection, as written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        selection: Option<String>,
        /// The partitions, as written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partitions: Option<String>,
        /// Its run key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run_key: Option<String>,
        /// The tick of a schedule that asked, `nightly:2026-01-31T02:00:00Z`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tick: Option<String>,
        /// The evaluation of a sensor that asked, `drop_folder:17`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evaluation: Option<String>,
        /// How many assets were selected.
        assets: u64,
    },
    /// The run does another one again.
    Again {
        /// The run that is done again.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        parent: RunId,
        /// Which of its tasks.
        what: RerunKind,
        /// Of a subset: the selection, as written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        selection: Option<String>,
        /// Of an automatic retry: its number in the lineage.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry: Option<u32>,
        /// Where the other run stands, while it is remembered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<String>,
    },
    /// The run was planned by these definitions. `at` is when they were deployed.
    Definitions {
        /// Code location.
        location: String,
        /// Their version.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        version: Digest,
        /// Whether they are still the current ones.
        current: bool,
    },
    /// Newer user code of the location did not load.
    LoadFailed {
        /// Code location.
        location: String,
        /// Class of what was raised.
        error_type: String,
        /// What it said.
        message: String,
    },
    /// Someone asked to stop the run.
    CancelAsked {
        /// Who.
        by: String,
    },
    /// The run waited or went on for longer than it may, and was stopped.
    RunTimedOut {
        /// Which limit.
        limit: RunTimeLimit,
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// The first task of the run was leased, so long after the request.
    Begun,
    /// What was asked for held nothing to do: no partition of it existed.
    NothingToDo,
    /// The run failed and is done again without anyone asking.
    RunRetried {
        /// Number of the retry in the lineage.
        number: u32,
        /// The run that is the retry, once it is made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        by: Option<RunId>,
    },
    /// The run was to be done again, and could not be.
    RunRetryDropped {
        /// Number of the retry in the lineage.
        number: u32,
        /// Why.
        reason: String,
    },
    /// The run failed and is not done again: so many reruns were allowed in its lineage.
    RunRetriesUsedUp {
        /// How many.
        max: u32,
    },
    /// The run failed and is not done again: only failures of processes and hosts are.
    RunRetriesNotForTasks,
    /// A task stands here.
    Task {
        /// The run.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        run: RunId,
        /// The task.
        task: TaskName,
        /// Where it stands.
        status: String,
    },
    /// The task had to wait for others; the last that it waited for.
    WaitedForTasks {
        /// How many it needs.
        needs: u64,
        /// The one that ended last.
        last: TaskName,
    },
    /// The task waits for others, that follow.
    WaitsForTasks {
        /// How many it still needs.
        needs: u64,
    },
    /// The task might have begun, and no host took it for so long.
    WaitedForHost {
        /// Code location.
        location: String,
    },
    /// The next try came so long after the end of the one before: its delay, and then a host.
    WaitedForRetry,
    /// No worker host serves the location now.
    NoHost {
        /// Code location.
        location: String,
        /// Hosts of it that were lost, as far as they are remembered.
        lost: u64,
    },
    /// All hosts of the location have their hands full.
    HostsBusy {
        /// Code location.
        location: String,
        /// Its hosts.
        hosts: u64,
        /// What they run at once.
        slots: u64,
        /// What they hold.
        held: u64,
    },
    /// A host has room: the task goes with its next call.
    HostHasRoom {
        /// Code location.
        location: String,
        /// Its hosts.
        hosts: u64,
    },
    /// The run waits for a slot of a limit.
    LimitFull {
        /// Which: `runs`, `tag team=core`, `pool db`.
        limit: String,
        /// Its slots.
        slots: u32,
        /// Slots that are held.
        held: u32,
        /// Runs that hold one: the first ten.
        #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
        runs: Vec<RunId>,
    },
    /// The task waits for a slot of its pool.
    PoolFull {
        /// The pool.
        pool: String,
        /// Its slots.
        slots: u32,
        /// Slots that are held.
        held: u32,
        /// Attempts that hold one: the first ten.
        #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
        attempts: Vec<AttemptId>,
    },
    /// Queued runs that go first, if there is room for them: of a higher priority, or asked for earlier.
    BehindRuns {
        /// How many; at 1,000 the counting stops.
        runs: u64,
        /// The first in the queue.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        first: RunId,
    },
    /// Tasks that go first: of a higher priority, asked for earlier, or due for another try.
    Behind {
        /// How many; at 1,000 the counting stops.
        tasks: u64,
    },
    /// Earlier attempts that are not shown.
    EarlierAttempts {
        /// How many.
        attempts: u64,
    },
    /// One try. `at` is its lease.
    Attempt {
        /// The attempt.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        attempt: AttemptId,
        /// The host that held it.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        host: HostId,
        /// Its machine, while the host is remembered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hostname: Option<String>,
        /// `leased`, `running`, `succeeded`, `failed`, `cancelled`, `released`.
        status: String,
    },
    /// The attempt failed.
    Failed {
        /// The kind of failure.
        class: FailureClass,
        /// Class of what was raised.
        error_type: String,
        /// What it said.
        message: String,
        /// Of a timeout: the longest an attempt may take.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit_ms: Option<u64>,
    },
    /// Another try is due at `at`.
    RetryDue,
    /// No other try: the step has no retry policy.
    NoRetryPolicy,
    /// No other try: so many were allowed.
    RetriesUsedUp {
        /// Tries after the first.
        max: u32,
    },
    /// No other try: the body said so, or this kind of failure is never tried again.
    NotRetried,
    /// It was not begun: a task it needs failed.
    UpstreamFailed,
    /// The task was not begun: an asset that may be left unmade, and was, is read by it or by what it
    /// reads.
    OutputNotMade {
        /// The asset.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        asset: AssetKey,
    },
    /// The task was not begun: a value that an op may leave out, and did, is read by it or by what it
    /// reads.
    ValueNotMade {
        /// The output of the op.
        output: String,
    },
    /// It was not begun: a task it needs was cancelled.
    UpstreamCancelled,
    /// It was not begun: a blocking check of what it needs failed.
    BlockedByCheck,
    /// What the end of one task brought down.
    SkippedTasks {
        /// How many.
        tasks: u64,
        /// The first.
        first: TaskName,
        /// The task that brought them down.
        of: TaskName,
    },
    /// A check failed.
    CheckFailed {
        /// The asset.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        asset: AssetKey,
        /// The check.
        check: String,
        /// The partition, in Dagster's text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition: Option<String>,
        /// Weight of the failure.
        severity: Severity,
        /// For people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// The run has no task for the asset: it was not selected.
    NotSelected {
        /// The asset.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        asset: AssetKey,
    },
    /// The run has tasks for the asset, and none for the partition.
    PartitionNotAsked {
        /// The asset.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        asset: AssetKey,
        /// The partition, in Dagster's text.
        partition: String,
    },
    /// An asset, or a partition of it, stands here.
    Asset {
        /// The asset.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        asset: AssetKey,
        /// The partition, in Dagster's text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition: Option<String>,
        /// `never_materialized`, `materialized`, `failed`, `in_progress`; of a partitioned asset as a
        /// whole `partitioned`.
        status: String,
    },
    /// How many partitions of an asset stand where. Partitions are counted that definitions of the
    /// past had, too.
    Partitions {
        /// Partitions that exist.
        exist: u64,
        /// Ever materialized.
        materialized: u64,
        /// Whose last attempt failed.
        failed: u64,
        /// In a run that goes on.
        in_progress: u64,
    },
    /// Nothing here makes the asset: it is declared, and made elsewhere.
    External {
        /// The asset.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        asset: AssetKey,
    },
    /// No run was ever asked for it.
    NeverAsked,
    /// The key is well formed, and there is no such partition (yet).
    NotExisting {
        /// First partition.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<String>,
        /// Last partition.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<String>,
    },
    /// It was materialized.
    Materialized {
        /// The asset.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        asset: AssetKey,
        /// The partition, in Dagster's text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition: Option<String>,
        /// The attempt that made it; absent when it was reported from outside of runs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        attempt: Option<AttemptId>,
        /// Version of the data.
        data_version: String,
        /// Version of the code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code_version: Option<String>,
    },
    /// What the materialization was made from. `position` is that of the upstream materialization.
    Input {
        /// The upstream asset.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        asset: AssetKey,
        /// The partition, in Dagster's text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition: Option<String>,
        /// Version of its data that was read.
        data_version: String,
        /// Whether it was materialized again since.
        newer: bool,
    },
    /// Inputs that are not shown.
    MoreInputs {
        /// How many.
        inputs: u64,
    },
    /// The code is another now than the one that made it.
    CodeChanged {
        /// The version that made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<String>,
        /// The current one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current: Option<String>,
    },
    /// It happened before the history that is kept here, and nobody guesses.
    BeforeHistory {
        /// What is not known.
        unknown: Unknown,
    },
}
