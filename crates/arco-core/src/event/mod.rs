//! Facts. One event, one payload struct, one fold arm (`arco-flow/src/state/fold.rs`).
//!
//! Events are for ever: a new field is optional, a changed shape is a new version with a golden
//! file (`golden/events/`), a kind is never used again for something else.

mod asset;
mod attempt;
mod backfill;
mod envelope;
mod failure;
mod host;
mod kinds;
mod leadership;
mod limits;
mod partitions;
mod run;
mod schedule;
mod sensor;

#[cfg(test)]
mod tests;

pub use asset::{AssetMaterialized, AssetObserved, CheckEvaluated, InputVersion};
pub use attempt::{
    AttemptFinished, AttemptLeased, AttemptOutcome, AttemptStartTimedOut, AttemptStarted,
    AttemptValues, ReportRefused,
};
pub use backfill::{BackfillChunkDropped, BackfillCreated, BackfillEdited, BackfillMoved};
pub use envelope::{Cause, Position, Principal, RawEvent};
pub use failure::{ErrorInfo, FailureClass, Severity};
pub use host::{DefinitionsDeployed, DefinitionsLoadFailed, HostLeft, HostLost, HostRegistered};
pub use kinds::{DecodeError, Event, Fact, Stored};
pub use leadership::{FoldActivated, LeaseKept, LeaseReleased, LeaseTaken};
pub use limits::LimitsSet;
pub use partitions::{PartitionsAdded, PartitionsMapped, PartitionsRemoved, PartitionsUnmapped};
pub use run::{
    HistoryPacked, JobRef, RerunKind, RerunOf, RetryOwed, RunCancelRequested, RunFinished,
    RunOutcome, RunRequested, RunRetriesSet, RunRetryDropped, RunTimeLimit, RunTimedOut,
    SkipReason, TasksMapped, TasksSkipped,
};
pub use schedule::{
    MissedReason, ScheduleReset, ScheduleStarted, ScheduleStopped, TickFinished, TickId,
    TickIdError, TickOutcome, TicksMissed, TicksPacked,
};
pub use sensor::{
    Asked, CursorSet, EvaluationFinished, EvaluationId, EvaluationIdError, EvaluationOf,
    EvaluationOutcome, EvaluationsPacked, KeptBack, MessageAccepted, PartitionsChange, SensorIdled,
    SensorReset, SensorStarted, SensorStopped, TickTried,
};
