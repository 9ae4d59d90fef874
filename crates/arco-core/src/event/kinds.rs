//! The registry of event kinds: one line per kind, and the way from a log line to a typed fact.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{
    AssetMaterialized, AssetObserved, AttemptFinished, AttemptLeased, AttemptStartTimedOut,
    AttemptStarted, AttemptValues, BackfillChunkDropped, BackfillCreated, BackfillEdited,
    BackfillMoved, Cause, CheckEvaluated, CursorSet, DefinitionsDeployed, DefinitionsLoadFailed,
    EvaluationFinished, EvaluationsPacked, FoldActivated, HistoryPacked, HostLeft, HostLost,
    HostRegistered, LeaseKept, LeaseReleased, LeaseTaken, LimitsSet, MessageAccepted,
    PartitionsAdded, PartitionsMapped, PartitionsRemoved, PartitionsUnmapped, Principal, RawEvent,
    ReportRefused, RunCancelRequested, RunFinished, RunRequested, RunRetriesSet, RunRetryDropped,
    RunTimedOut, ScheduleReset, ScheduleStarted, ScheduleStopped, SensorIdled, SensorReset,
    SensorStarted, SensorStopped, TasksMapped, TasksSkipped, TickFinished, TickTried, TicksMissed,
    TicksPacked,
};
use crate::backfill::BackfillSelector;
use crate::{Digest, Timestamp};

/// A fact with its envelope, before it has a position.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it was decided.
    pub time: Timestamp,
    /// Who asked.
    pub principal: Principal,
    /// Because of what.
    pub cause: Cause,
    /// Leadership epoch, on a controller's event.
    pub epoch: Option<u64>,
    /// Location and definitions version it speaks of.
    pub definitions: Option<(String, Digest)>,
    /// The fact.
    pub fact: Fact,
}

/// A log line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A critical kind or version this binary does not know.
    #[error("event kind `{kind}` version {version} is newer than this program; upgrade it")]
    TooNew {
        /// The kind.
        kind: String,
        /// Its version.
        version: u32,
    },
    /// The payload is not what its kind says.
    #[error("event of kind `{kind}` version {version} cannot be read: {reason}")]
    Malformed {
        /// The kind.
        kind: String,
        /// Its version.
        version: u32,
        /// What the reader met.
        reason: String,
    },
}

macro_rules! facts {
    ($( $(#[$doc:meta])* $variant:ident($payload:ty) = $kind:literal, $version:literal; )*) => {
        /// What happened. Past tense, facts only.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Fact {
            $( $(#[$doc])* $variant($payload), )*
            /// A kind this binary does not know and may skip.
            Unknown(String),
        }

        impl Fact {
            /// Every kind with the version this binary writes.
            pub const KINDS: &'static [(&'static str, u32)] = &[$(($kind, $version)),*];

            /// The kind's name in the log.
            #[must_use]
            pub fn kind(&self) -> &str {
                match self { $( Self::$variant(_) => $kind, )* Self::Unknown(kind) => kind }
            }

            fn version(&self) -> u32 {
                match self { $( Self::$variant(_) => $version, )* Self::Unknown(_) => 0 }
            }

            /// The payload as JSON text.
            fn payload(&self) -> Box<RawValue> {
                match self {
                    $( Self::$variant(payload) => raw(payload), )*
                    Self::Unknown(_) => raw(&serde_json::json!({})),
                }
            }

            fn decode(event: &RawEvent) -> Result<Self, DecodeError> {
                match (event.kind.as_str(), event.version) {
                    $( ($kind, $version) => read::<$payload>(event).map(Self::$variant), )*
                    _ if event.ignorable => Ok(Self::Unknown(event.kind.clone())),
                    _ => Err(DecodeError::TooNew { kind: event.kind.clone(), version: event.version }),
                }
            }
        }

        $( impl From<$payload> for Fact {
            fn from(payload: $payload) -> Self { Self::$variant(payload) }
        } )*
    };
}

facts! {
    /// A location has new definitions.
    DefinitionsDeployed(DefinitionsDeployed) = "definitions.deployed", 1;
    /// User code of a location did not load.
    DefinitionsLoadFailed(DefinitionsLoadFailed) = "definitions.load_failed", 1;
    /// A worker host announced itself.
    HostRegistered(HostRegistered) = "host.registered", 1;
    /// A worker host said goodbye.
    HostLeft(HostLeft) = "host.left", 1;
    /// A worker host was not heard from for its lease.
    HostLost(HostLost) = "host.lost", 1;
    /// Someone asked for a run.
    RunRequested(RunRequested) = "run.requested", 1;
    /// Someone asked to stop a run.
    RunCancelRequested(RunCancelRequested) = "run.cancel_requested", 1;
    /// A run waited or went on for too long.
    RunTimedOut(RunTimedOut) = "run.timed_out", 1;
    /// The last task of a run ended.
    RunFinished(RunFinished) = "run.finished", 1;
    /// An automatic retry that was owed cannot be made.
    RunRetryDropped(RunRetryDropped) = "run.retry_dropped", 1;
    /// Someone set how often runs are retried.
    RunRetriesSet(RunRetriesSet) = "run_retries.set", 1;
    /// Tasks will not be tried.
    TasksSkipped(TasksSkipped) = "tasks.skipped", 1;
    /// The keys of a dynamic output are known.
    TasksMapped(TasksMapped) = "tasks.mapped", 1;
    /// A host holds an attempt.
    AttemptLeased(AttemptLeased) = "attempt.leased", 1;
    /// The body of an attempt began.
    AttemptStarted(AttemptStarted) = "attempt.started", 1;
    /// A host holds an attempt for too long without beginning it.
    AttemptStartTimedOut(AttemptStartTimedOut) = "attempt.start_timed_out", 1;
    /// An op gave values.
    AttemptValues(AttemptValues) = "attempt.values", 1;
    /// An attempt is over.
    AttemptFinished(AttemptFinished) = "attempt.finished", 1;
    /// A body succeeded after its attempt was over.
    ReportRefused(ReportRefused) = "report.refused", 1;
    /// A partition of an asset was produced.
    AssetMaterialized(AssetMaterialized) = "asset.materialized", 1;
    /// A partition of an asset was looked at.
    AssetObserved(AssetObserved) = "asset.observed", 1;
    /// A check was judged.
    CheckEvaluated(CheckEvaluated) = "check.evaluated", 1;
    /// Someone asked for many partitions.
    BackfillCreated(BackfillCreated) = "backfill.created", 1;
    /// A backfill is in another state.
    BackfillMoved(BackfillMoved) = "backfill.moved", 1;
    /// Someone changed how a backfill goes on.
    BackfillEdited(BackfillEdited) = "backfill.edited", 1;
    /// A chunk of a backfill cannot become a run.
    BackfillChunkDropped(BackfillChunkDropped) = "backfill.chunk_dropped", 1;
    /// Someone set the limits of the workspace.
    LimitsSet(LimitsSet) = "limits.set", 1;
    /// A set of dynamic partitions has more keys.
    PartitionsAdded(PartitionsAdded) = "partitions.added", 1;
    /// A set of dynamic partitions has fewer keys.
    PartitionsRemoved(PartitionsRemoved) = "partitions.removed", 1;
    /// The code of a mapping said which partitions some partitions need.
    PartitionsMapped(PartitionsMapped) = "partitions.mapped", 1;
    /// The code of a mapping failed.
    PartitionsUnmapped(PartitionsUnmapped) = "partitions.unmapped", 1;
    /// A replica leads from here.
    LeaseTaken(LeaseTaken) = "lease.taken", 1;
    /// The leader is alive although it had nothing else to write.
    LeaseKept(LeaseKept) = "lease.kept", 1;
    /// The leader stood down.
    LeaseReleased(LeaseReleased) = "lease.released", 1;
    /// The fold behaves as this version says from here.
    FoldActivated(FoldActivated) = "fold.activated", 1;
    /// An operator set a schedule going.
    ScheduleStarted(ScheduleStarted) = "schedule.started", 1;
    /// An operator stopped a schedule.
    ScheduleStopped(ScheduleStopped) = "schedule.stopped", 1;
    /// An operator left a schedule to the code again.
    ScheduleReset(ScheduleReset) = "schedule.reset", 1;
    /// What came of a tick.
    TickFinished(TickFinished) = "tick.finished", 1;
    /// Instants that are never fired.
    TicksMissed(TicksMissed) = "ticks.missed", 1;
    /// Old ticks moved from memory to a history object.
    TicksPacked(TicksPacked) = "ticks.packed", 1;
    /// The function of a tick failed, and is tried again.
    TickTried(TickTried) = "tick.tried", 1;
    /// An operator set a sensor going.
    SensorStarted(SensorStarted) = "sensor.started", 1;
    /// An operator stopped a sensor.
    SensorStopped(SensorStopped) = "sensor.stopped", 1;
    /// An operator left a sensor to the code again.
    SensorReset(SensorReset) = "sensor.reset", 1;
    /// Someone set the cursor of a sensor.
    CursorSet(CursorSet) = "sensor.cursor_set", 1;
    /// A sensor looked again and again, and found nothing.
    SensorIdled(SensorIdled) = "sensor.idled", 1;
    /// A message for a sensor was accepted.
    MessageAccepted(MessageAccepted) = "message.accepted", 1;
    /// What came of an evaluation.
    EvaluationFinished(EvaluationFinished) = "evaluation.finished", 1;
    /// Old evaluations moved from memory to a history object.
    EvaluationsPacked(EvaluationsPacked) = "evaluations.packed", 1;
    /// Ended runs moved from memory to a history object.
    HistoryPacked(HistoryPacked) = "history.packed", 1;
}

fn raw<T: Serialize>(payload: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(payload).expect("payloads serialise: their maps have text keys")
}

fn read<T: DeserializeOwned>(event: &RawEvent) -> Result<T, DecodeError> {
    serde_json::from_str(event.payload.get()).map_err(|error| DecodeError::Malformed {
        kind: event.kind.clone(),
        version: event.version,
        reason: error.to_string(),
    })
}

impl Event {
    /// The line for the log.
    #[must_use]
    pub fn to_raw(&self) -> RawEvent {
        RawEvent {
            kind: self.fact.kind().to_owned(),
            version: self.fact.version(),
            time: self.time,
            principal: self.principal.clone(),
            cause: self.cause.clone(),
            epoch: self.epoch,
            definitions: self.definitions.clone(),
            ignorable: false,
            blobs: self.fact.blobs(),
            payload: self.fact.payload(),
        }
    }

    /// The typed fact of a log line.
    ///
    /// # Errors
    /// [`DecodeError::TooNew`] for a critical kind this binary does not know,
    /// [`DecodeError::Malformed`] for a payload that is not its kind's.
    pub fn from_raw(raw: &RawEvent) -> Result<Self, DecodeError> {
        Ok(Self {
            time: raw.time,
            principal: raw.principal.clone(),
            cause: raw.cause.clone(),
            epoch: raw.epoch,
            definitions: raw.definitions.clone(),
            fact: Fact::decode(raw)?,
        })
    }
}

impl Fact {
    /// Blobs whose content the fold needs.
    #[must_use]
    pub fn blobs(&self) -> Vec<Digest> {
        match self {
            Self::DefinitionsDeployed(e) => vec![e.version],
            Self::PartitionsMapped(e) => e.answers.blob().into_iter().collect(),
            Self::RunRequested(e) => e.plan.blob().into_iter().collect(),
            Self::BackfillCreated(e) => {
                let asked = match &e.selector {
                    BackfillSelector::Explicit(keys) => keys.blob(),
                    _ => None,
                };
                e.target.blob().into_iter().chain(asked).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// A value that stands in the event, or in a blob when it is big.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stored<T> {
    /// In the event.
    Inline(T),
    /// In the blob of this digest, as JSON.
    Blob(Digest),
}

impl<T> Stored<T> {
    fn blob(&self) -> Option<Digest> {
        match self {
            Self::Inline(_) => None,
            Self::Blob(digest) => Some(*digest),
        }
    }
}
