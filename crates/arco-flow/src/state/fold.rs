//! `apply`: one event moves the state. Reads like a table of contents.

use std::collections::HashMap;
use std::sync::Arc;

use arco_core::Digest;
use arco_core::event::{Event, Fact, Position, Stored};
use arco_core::plan::Plan;
use thiserror::Error;

use super::{
    State, admission, backfill, deadlines, definitions, evaluation, fact_fold, host, mappings,
    op_fold, partition_sets, run_fold, run_retry, schedule, sensor, sensor_queue, task_fold, tick,
};

/// Content of the blobs that events cite, fetched by the log reader before `apply`.
pub trait Blobs {
    /// The bytes of a blob.
    fn get(&self, digest: &Digest) -> Option<&[u8]>;
}

/// For events that cite none.
#[derive(Debug, Clone, Copy)]
pub struct NoBlobs;

impl Blobs for NoBlobs {
    fn get(&self, _: &Digest) -> Option<&[u8]> {
        None
    }
}

impl<B: AsRef<[u8]>, S: std::hash::BuildHasher> Blobs for HashMap<Digest, B, S> {
    fn get(&self, digest: &Digest) -> Option<&[u8]> {
        HashMap::get(self, digest).map(AsRef::as_ref)
    }
}

/// An event that cannot be applied: the log, a blob or this binary is wrong. Never a user's fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApplyError {
    /// A blob that the fold needs was not handed in.
    #[error(
        "blob {0} is cited by the log and is missing; restore the object `blob/…/{0}` from a backup of the store"
    )]
    MissingBlob(Digest),
    /// A blob is not what the event says.
    #[error("blob {digest} cannot be read: {reason}")]
    Blob {
        /// The blob.
        digest: Digest,
        /// What the reader met.
        reason: String,
    },
    /// The log activates a fold this binary does not carry.
    #[error("the log activates fold version {0}, this program carries up to {max}; upgrade it", max = super::FOLD_VERSION)]
    FoldTooNew(u32),
}

/// The first version of the fold that knows schedules.
pub(super) const SCHEDULES: u32 = 3;
/// The first version of the fold that knows sensors.
pub(super) const SENSORS: u32 = 4;

impl State {
    /// Applies one event. Controller events of a past epoch change nothing.
    ///
    /// # Errors
    /// [`ApplyError`], after which this state must not be used to decide.
    pub fn apply(
        &mut self,
        at: Position,
        event: &Event,
        blobs: &dyn Blobs,
    ) -> Result<(), ApplyError> {
        self.position = at;
        self.time = self.time.max(event.time);
        if !self.leadership.allows(event) {
            return Ok(());
        }
        match &event.fact {
            Fact::DefinitionsDeployed(e) => definitions::deployed(self, at, event, e, blobs)?,
            Fact::DefinitionsLoadFailed(e) => definitions::load_failed(self, event, e),
            Fact::HostRegistered(e) => host::registered(self, at, event.time, e),
            Fact::HostLeft(e) => host::left(self, e.host),
            Fact::HostLost(e) => host::lost(self, e.host),
            Fact::RunRequested(e) => {
                let plan = stored_plan(&e.plan, blobs)?;
                run_fold::run_requested(self, at, event, e, plan);
            }
            Fact::RunCancelRequested(e) => run_fold::cancel_requested(self, at, event, e),
            Fact::RunTimedOut(e) => run_fold::run_timed_out(self, event.time, e),
            Fact::RunFinished(e) => run_fold::run_finished(self, at, event.time, e),
            Fact::RunRetryDropped(e) => run_retry::dropped(self, event.time, e),
            Fact::RunRetriesSet(e) => self.run_retries = e.retries,
            Fact::TasksSkipped(e) => task_fold::skipped(self, e),
            Fact::AttemptLeased(e) => task_fold::leased(self, at, event.time, e),
            Fact::AttemptStarted(e) => task_fold::started(self, event.time, e),
            Fact::AttemptStartTimedOut(e) => task_fold::start_timed_out(self, e),
            Fact::AttemptValues(e) => op_fold::values(self, e),
            Fact::TasksMapped(e) => op_fold::mapped(self, e),
            Fact::AttemptFinished(e) => task_fold::finished(self, event.time, e),
            Fact::ReportRefused(e) => task_fold::report_refused(self, e),
            Fact::AssetMaterialized(e) => fact_fold::materialized(self, at, event.time, e),
            Fact::AssetObserved(e) => fact_fold::observed(self, at, event.time, e),
            Fact::CheckEvaluated(e) => fact_fold::checked(self, at, event.time, e),
            Fact::BackfillCreated(e) => backfill::created(self, at, event, e, blobs)?,
            Fact::BackfillMoved(e) => backfill::moved(self, at, event.time, e),
            Fact::BackfillEdited(e) => backfill::edited(self, e),
            Fact::BackfillChunkDropped(e) => backfill::chunk_dropped(self, e),
            Fact::LimitsSet(e) => {
                self.limits = e.limits.clone();
                admission::rebuild(self);
                deadlines::rebuild(self);
            }
            Fact::PartitionsAdded(e) => partition_sets::added(self, e),
            Fact::PartitionsRemoved(e) => partition_sets::removed(self, e),
            Fact::PartitionsMapped(e) => mappings::mapped(self, e, blobs)?,
            Fact::PartitionsUnmapped(e) => mappings::unmapped(self, event, e),
            Fact::LeaseTaken(e) => self.leadership.taken(at, e),
            Fact::LeaseKept(_) | Fact::Unknown(_) => {}
            Fact::LeaseReleased(e) => self.leadership.released(e.epoch),
            Fact::FoldActivated(e) if e.version > super::FOLD_VERSION => {
                return Err(ApplyError::FoldTooNew(e.version));
            }
            Fact::FoldActivated(e) => self.activate_fold(e.version),
            Fact::ScheduleStarted(e) => schedule::started(self, at, event, e),
            Fact::ScheduleStopped(e) => schedule::stopped(self, at, event, e),
            Fact::ScheduleReset(e) => schedule::reset(self, at, event, e),
            Fact::TickFinished(e) => tick::finished(self, at, event, e),
            Fact::TicksMissed(e) => tick::missed(self, at, event, e),
            Fact::TicksPacked(e) => tick::packed(self, e),
            Fact::TickTried(e) => schedule::tried(self, e),
            Fact::SensorStarted(e) => sensor::started(self, at, event, e),
            Fact::SensorStopped(e) => sensor::stopped(self, at, event, e),
            Fact::SensorReset(e) => sensor::reset(self, at, event, e),
            Fact::CursorSet(e) => sensor::cursor_set(self, e),
            Fact::SensorIdled(e) => sensor::idled(self, at, event, e),
            Fact::MessageAccepted(e) => sensor_queue::accepted(self, at, event.time, e),
            Fact::EvaluationFinished(e) => sensor::evaluated(self, at, event, e),
            Fact::EvaluationsPacked(e) => evaluation::packed(self, e),
            Fact::HistoryPacked(e) => run_fold::history_packed(self, e),
        }
        Ok(())
    }
}

impl State {
    /// Schedules and sensors of definitions that were deployed under an older fold count from here.
    fn activate_fold(&mut self, version: u32) {
        let learns_schedules = self.fold_version < SCHEDULES && version >= SCHEDULES;
        let learns_sensors = self.fold_version < SENSORS && version >= SENSORS;
        self.fold_version = version;
        let locations: Vec<String> = self.catalog.locations().keys().cloned().collect();
        for location in locations {
            if learns_schedules {
                schedule::follow_definitions(self, &location, self.time);
            }
            if learns_sensors {
                sensor::follow_definitions(self, &location, self.time);
            }
        }
    }
}

fn stored_plan(plan: &Stored<Plan>, blobs: &dyn Blobs) -> Result<Arc<Plan>, ApplyError> {
    match plan {
        Stored::Inline(plan) => Ok(Arc::new(plan.clone())),
        Stored::Blob(digest) => {
            let bytes = blobs.get(digest).ok_or(ApplyError::MissingBlob(*digest))?;
            serde_json::from_slice(bytes)
                .map(Arc::new)
                .map_err(|error| ApplyError::Blob {
                    digest: *digest,
                    reason: error.to_string(),
                })
        }
    }
}
