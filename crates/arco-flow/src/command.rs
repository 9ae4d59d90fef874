//! What can be asked of a workspace, and the answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::asset_fact::AssetFact;
use arco_core::backfill::{
    BackfillOrder, BackfillSelector, BackfillSettings, BackfillTarget, ChunkOf,
};
use arco_core::definitions::{BackfillPolicy, Definitions};
use arco_core::event::{
    Cause, ErrorInfo, EvaluationId, FailureClass, JobRef, Position, Principal, RerunOf, Stored,
    TickId,
};
use arco_core::limits::{Limits, TimeLimits};
use arco_core::plan::{OutputValues, Plan};
use arco_core::run_retries::RunRetries;
use arco_core::{AssetKey, AttemptId, BackfillId, Digest, HostId, PartitionKey, RunId, Timestamp};
use serde_json::Value;

pub use crate::identity::Identity;
use crate::mapping::MappingRecord;
use crate::schedule::TickProposal;
use crate::sensor::{EvaluationProposal, Idle};

/// A command. Everything that is not pure about it (ids, plans of big runs, parsed manifests) was
/// made by the shell beforehand and comes along as data.
#[derive(Debug, Clone)]
pub enum Command {
    /// New definitions of a location. No event when they are the current ones.
    Deploy(Arc<Definitions>),
    /// User code of a location did not load.
    LoadFailed {
        /// Code location.
        location: String,
        /// What was raised.
        error: ErrorInfo,
    },
    /// A run.
    RequestRun(Box<RunRequest>),
    /// Stop a run.
    CancelRun(RunId),
    /// Stop several runs. Those that are over, or not in memory, stay as they are.
    CancelRuns(Vec<RunId>),
    /// How much may go on at once from here. No event when it is so already.
    SetLimits(Limits),
    /// What waited or went on for too long is stopped.
    EnforceTimeLimits,
    /// How often runs are retried from here. No event when it is so already.
    SetRunRetries(RunRetries),
    /// The retry that a run is owed cannot be made.
    DropRetry {
        /// The run that failed.
        run: RunId,
        /// Why, for people.
        reason: String,
    },
    /// A fact about an asset that no run made.
    Report(Box<AssetReport>),
    /// Set a schedule going, whatever the code says.
    StartSchedule(String),
    /// Stop a schedule, whatever the code says.
    StopSchedule(String),
    /// Leave it to the code whether a schedule runs.
    ResetSchedule(String),
    /// The next step of a schedule. Refused when the state says otherwise by now.
    FireSchedule(Box<TickProposal>),
    /// Set a sensor going, whatever the code says.
    StartSensor(String),
    /// Stop a sensor, whatever the code says.
    StopSensor(String),
    /// Leave it to the code whether a sensor runs.
    ResetSensor(String),
    /// Set the cursor of a sensor.
    SetCursor {
        /// The sensor.
        sensor: String,
        /// The new cursor; `None` clears it.
        cursor: Option<String>,
        /// The row's `state_version` that the caller has seen; refused when it is another by now.
        state_version: Option<u64>,
    },
    /// A message for a sensor.
    AcceptMessage(Box<Message>),
    /// What an evaluation of a sensor came to. Refused when the state says otherwise by now.
    Evaluate(Box<EvaluationProposal>),
    /// Looks of a sensor that found nothing.
    RecordIdle {
        /// The sensor.
        sensor: String,
        /// Its `state_version` all the while.
        state_version: u64,
        /// The looks.
        idle: Idle,
    },
    /// Old evaluations were written to a history object.
    PackEvaluations {
        /// How the log finds the object.
        reference: Value,
        /// Sensor → the last number in it.
        through: BTreeMap<String, u64>,
    },
    /// What the code of a mapping said. Nothing comes of it when other code is asked by now.
    RecordMapping(Box<MappingRecord>),
    /// A host announces itself, or is back after the control plane was away.
    RegisterHost(HostHello),
    /// A host says goodbye.
    HostLeft(HostId),
    /// The leader heard nothing of a host for its lease.
    HostLost(HostId),
    /// A host reports and asks for work.
    Exchange(HostExchange),
    /// Lead from here.
    TakeLead {
        /// The epoch that was seen to be over; refused when another began since.
        after: u64,
        /// Writer id.
        holder: String,
        /// Where others reach it.
        url: String,
        /// See [`arco_core::event::LeaseTaken`].
        ttl_ms: u64,
    },
    /// What only the leader of this epoch may decide. Refused once another epoch has begun, however
    /// late that is found out: a command whose put was lost is decided again on what the winner left.
    AsLeader {
        /// The epoch in which it was judged.
        epoch: u64,
        /// What to decide.
        command: Box<Command>,
    },
    /// The leader has nothing else to say.
    KeepLead,
    /// The leader stands down.
    ReleaseLead,
    /// More keys for a set of dynamic partitions.
    AddPartitions {
        /// The set.
        name: String,
        /// The keys; those that it has are no error.
        keys: Vec<PartitionKey>,
    },
    /// Fewer keys for a set of dynamic partitions.
    RemovePartitions {
        /// The set.
        name: String,
        /// The keys; those that it does not have are no error.
        keys: Vec<PartitionKey>,
    },
    /// Old ticks were written to a history object.
    PackTicks {
        /// How the log finds the object.
        reference: Value,
        /// Schedule → the last instant in it.
        through: BTreeMap<String, Timestamp>,
    },
    /// Many partitions.
    CreateBackfill(Box<BackfillRequest>),
    /// A backfill goes on in another way.
    SteerBackfill(BackfillSteer),
    /// Chunks of a backfill that are open become runs, and its end is said when nothing is left.
    AdvanceBackfill(Box<BackfillAdvance>),
    /// Ended runs were written to a history object.
    PackHistory {
        /// How the log finds the object.
        reference: Value,
        /// The runs in it.
        runs: Vec<RunId>,
    },
}

/// A message for a sensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The sensor.
    pub sensor: String,
    /// Its id: the same id within the horizon is the same message.
    pub id: String,
    /// What it says; in a blob when it is big.
    pub data: Stored<Value>,
    /// CloudEvents attributes, headers, attributes of the envelope.
    pub attributes: BTreeMap<String, String>,
}

/// A run as it is asked for, with the plan that was made for it.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Fresh id, used when a new run is made.
    pub run: RunId,
    /// Scope of the run key.
    pub scope: String,
    /// At most one run per scope and key.
    pub run_key: Option<String>,
    /// The client's idempotency key.
    pub idempotency_key: Option<String>,
    /// As written.
    pub selection: Option<String>,
    /// Resolved assets, in order; empty for a run that only judges checks.
    pub assets: Vec<AssetKey>,
    /// The checks that are asked for, (asset, name); `None` for those of the assets.
    pub asset_checks: Option<Vec<(AssetKey, String)>>,
    /// As written.
    pub partitions: Option<String>,
    /// Run configuration.
    pub config: Value,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Higher goes first.
    pub priority: i32,
    /// Time limits of its own.
    pub time_limits: TimeLimits,
    /// The job it is a run of.
    pub job: Option<JobRef>,
    /// The chunk of a backfill that it makes.
    pub backfill: Option<ChunkOf>,
    /// The run it does again. Without a run key it gets one of its own ([`crate::rerun`]).
    pub rerun: Option<RerunOf>,
    /// The tick that asks for it.
    pub tick: Option<TickId>,
    /// The evaluation that asks for it; said when that is decided.
    pub evaluation: Option<EvaluationId>,
    /// Its run key may be known: the policy of its sensor lets a new run have it.
    pub frees_key: bool,
    /// What will be done.
    pub plan: Arc<Plan>,
    /// Digest of the blob that holds the plan, when it is too big for the event.
    pub plan_blob: Option<Digest>,
    /// The definitions the plan was made with; the decision is refused when they moved.
    pub definitions: BTreeMap<String, Digest>,
}

impl RunRequest {
    /// What identifies the request.
    #[must_use]
    pub fn identity(&self) -> Identity {
        match &self.rerun {
            Some(rerun) => Identity::of_rerun(rerun, &self.config, &self.tags),
            None => Identity::of_run(
                &self.assets,
                self.asset_checks.as_deref(),
                self.partitions.as_deref(),
                &self.config,
                &self.tags,
            ),
        }
    }

    /// Digest of [`Self::identity`].
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.identity().fingerprint()
    }
}

/// A backfill as it is asked for, with the target that was worked out for it.
#[derive(Debug, Clone)]
pub struct BackfillRequest {
    /// Fresh id, used when a new backfill is made.
    pub backfill: BackfillId,
    /// The client's idempotency key.
    pub idempotency_key: Option<String>,
    /// The assets, as written.
    pub selection: Option<String>,
    /// Resolved assets, in order.
    pub assets: Vec<AssetKey>,
    /// The partitions, as asked.
    pub selector: BackfillSelector,
    /// For people.
    pub title: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Tags of its runs.
    pub tags: BTreeMap<String, String>,
    /// Configuration of its runs.
    pub config: Value,
    /// How it goes on.
    pub settings: BackfillSettings,
    /// How many partitions a run makes, when that was said in place of what the assets say.
    pub policy: Option<BackfillPolicy>,
    /// The backfill whose undone partitions it makes.
    pub parent: Option<BackfillId>,
    /// Its idempotency key may be known: the policy of its sensor lets a new backfill have it.
    pub frees_key: bool,
    /// What is made.
    pub target: Arc<BackfillTarget>,
    /// Digest of the blob that holds the target, when it is too big for the event.
    pub target_blob: Option<Digest>,
    /// The definitions the target was worked out with; the decision is refused when they moved.
    pub definitions: BTreeMap<String, Digest>,
    /// Digest of what was asked.
    pub fingerprint: Digest,
}

/// How a backfill is to go on.
#[derive(Debug, Clone)]
pub struct BackfillSteer {
    /// The backfill.
    pub backfill: BackfillId,
    /// The number of changes that the caller has seen; refused when there were more.
    pub state_version: Option<u64>,
    /// What to do.
    pub to: Steer,
}

/// What can be asked of a backfill that goes on. Asking again changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steer {
    /// No more chunks become runs; runs go on.
    Pause,
    /// Chunks become runs again.
    Resume,
    /// No more chunks become runs, for good.
    Cancel {
        /// Runs that go on may end by themselves; else they are stopped.
        drain: bool,
    },
    /// Other settings.
    Edit(SettingsEdit),
}

/// Settings that change; the others stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SettingsEdit {
    /// Runs that go on at once, at most.
    pub concurrency: Option<u32>,
    /// Of the runs to come.
    pub priority: Option<i32>,
    /// Which ready chunk is next.
    pub order: Option<BackfillOrder>,
    /// Runs begun in a minute, at most; `Some(None)` for no such limit.
    pub runs_per_minute: Option<Option<u32>>,
}

/// Chunks of a backfill, planned.
#[derive(Debug, Clone)]
pub struct BackfillAdvance {
    /// The backfill.
    pub backfill: BackfillId,
    /// Each chunk with its run, or with the reason for which it can never be one.
    pub chunks: Vec<(u64, Result<RunRequest, String>)>,
}

/// A fact about an asset, reported from outside of runs.
#[derive(Debug, Clone)]
pub struct AssetReport {
    /// The fact.
    pub fact: AssetFact,
    /// The client's idempotency key.
    pub idempotency_key: Option<String>,
}

/// A host and what is alive in it.
#[derive(Debug, Clone)]
pub struct HostHello {
    /// The host.
    pub host: HostId,
    /// Its code location.
    pub location: String,
    /// Its machine.
    pub hostname: String,
    /// Its process id.
    pub pid: u32,
    /// How many tasks it runs at once.
    pub slots: u32,
    /// Attempts alive in it.
    pub live: Vec<AttemptId>,
}

/// What a host reports and asks for.
#[derive(Debug, Clone)]
pub struct HostExchange {
    /// The host.
    pub host: HostId,
    /// Facts, in order.
    pub reports: Vec<(AttemptId, Reported)>,
    /// Leases wanted, at most.
    pub want: u32,
    /// Attempts it holds.
    pub live: Vec<AttemptId>,
}

/// One fact of a host about one attempt.
#[derive(Debug, Clone)]
pub enum Reported {
    /// The body began.
    Started,
    /// A fact about an asset.
    Asset(AssetFact),
    /// An op gave these outputs.
    Values {
        /// The outputs, each once.
        outputs: Vec<OutputValues>,
    },
    /// The body returned.
    Succeeded,
    /// The body raised, or its process died.
    Failed {
        /// Which kind of failure.
        class: FailureClass,
        /// What was raised.
        error: ErrorInfo,
        /// False when user code forbade further tries.
        allow_retries: bool,
        /// User code asked to wait this long.
        retry_after_ms: Option<u64>,
        /// User code asked for at most this many retries.
        max_retries: Option<u32>,
    },
    /// Stopped because it was asked to.
    Cancelled,
    /// Given back before the body began.
    Released,
}

/// Who asks, when, and because of what.
#[derive(Debug, Clone)]
pub struct Context {
    /// The shell's clock.
    pub now: Timestamp,
    /// Who.
    pub principal: Principal,
    /// Because of what.
    pub cause: Cause,
}

/// What a decided command answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Done; nothing more to say.
    Done,
    /// A run: a new one, or the one that already stands for the same request.
    Run {
        /// The run.
        run: RunId,
        /// False when it was there before.
        created: bool,
    },
    /// Runs that were asked to stop just now.
    Stopping(Vec<RunId>),
    /// A report, and where it stands in the log.
    Reported {
        /// Where it stands.
        position: Position,
        /// False when the same report was made before under its key.
        created: bool,
    },
    /// A message, and where it stands in the log.
    Accepted {
        /// Where it stands.
        position: Position,
        /// False when it was accepted before.
        created: bool,
    },
    /// Attempts a host may go on with, and those it must kill.
    Attached {
        /// Its own.
        kept: Vec<AttemptId>,
        /// Not its own, or over.
        killed: Vec<AttemptId>,
    },
    /// What an exchange brought.
    Exchanged {
        /// Attempts leased to the host that it did not say it holds, old and new.
        leases: Vec<AttemptId>,
        /// Reports that changed nothing, with the reason.
        refused: Vec<(AttemptId, &'static str)>,
    },
    /// The host was given up before: what it said changed nothing, and is recorded.
    Fenced(HostId),
    /// A set of dynamic partitions.
    Partitions {
        /// How many keys came or went.
        changed: u64,
        /// How many it has now.
        keys: u64,
    },
    /// A backfill: a new one, or the one that already stands for the same request.
    Backfill {
        /// The backfill.
        backfill: BackfillId,
        /// False when it was there before.
        created: bool,
    },
    /// The epoch that began.
    Leads(u64),
}
