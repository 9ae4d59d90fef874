//! What the log means: the folded state and its tables.

mod admission;
mod asset;
pub mod backfill;
mod bitmap;
mod deadlines;
mod definitions;
mod durations;
mod evaluation;
mod fact_fold;
mod fold;
mod host;
pub mod inputs;
mod leadership;
mod mappings;
pub mod op;
mod op_fold;
pub(crate) mod output;
mod partition_sets;
mod run;
mod run_fold;
mod run_retry;
mod said;
mod schedule;
mod sensor;
mod sensor_queue;
mod snapshot;
mod subscriptions;
mod task;
mod task_fold;
mod tick;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arco_core::definitions::Catalog;
use arco_core::event::{EvaluationId, Position, RetryOwed, TickId};
use arco_core::limits::Limits;
use arco_core::partition::DynamicSets;
use arco_core::run_retries::RunRetries;
use arco_core::{AssetKey, BackfillId, Digest, HostId, RunId, TaskIndex, Timestamp};
use imbl::{OrdMap, OrdSet};

pub use admission::{Admission, Lane, Needs, Place, Retry};
pub use asset::{AssetState, CheckRow, Made, Materialization, Observation, Slot, Slots};
pub use backfill::Backfill;
pub use bitmap::PagedBitmap;
pub use deadlines::{Deadline, Due};
pub use definitions::{LoadFailure, LocationState};
pub use durations::Durations;
pub use evaluation::{Evaluation, EvaluationRow, EvaluationStatus};
pub use fold::{ApplyError, Blobs, NoBlobs};
pub use host::{HostState, HostStatus};
pub use leadership::Leadership;
pub use mappings::{Edge, EdgeAnswers, MappingFailure};
pub use run::{Counts, Retried, Run, RunStatus, TimedOut};
pub use said::Said;
pub use schedule::{OperatorSaid, ScheduleState, TickRetry, Timer, next_after};
pub use sensor::SensorState;
pub use sensor_queue::{MessageIds, Queued, QueuedWhat};
pub use snapshot::SnapshotError;
pub use subscriptions::Subscriptions;
pub use task::{AttemptRow, OutputStatus, Task, TaskEvent, TaskStatus};
pub use tick::{Tick, TickRow, TickStatus};

/// Version of the fold's behaviour this binary activates.
///
/// - 1: the first.
/// - 2: runs know the run they do again, and the state knows the lineages.
/// - 3: runs know their job, the tick that asked for them, the checks that were chosen, their time limits,
///   who asked to stop them, and whether they are owed a retry; tasks know which of their assets they made,
///   and which they left unmade; ops give values, and plans grow by the keys of dynamic outputs; assets know
///   the task that did not make a slot; steps know how long they took lately; what is observed, or reported
///   from outside of runs, is kept; dynamic partitions; schedules and their ticks; backfills, and the runs
///   that make their chunks.
/// - 4: sensors and their evaluations, tries of ticks, and the runs that evaluations ask for.
/// - 5: backfills know which assets of a partition were made though others of it failed.
/// - 6: backfills know what a run left unmade as it may, also the run that it retries; a check that is judged once
///   for all partitions speaks for each, and one that was brought down for none.
pub const FOLD_VERSION: u32 = 6;

/// The folded state of one workspace. Cloning is cheap (shared structure): the committer holds a
/// committed and a proposed one, readers hold whichever they were given.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The last event applied.
    pub position: Position,
    /// The latest event time seen; never decreases.
    pub time: Timestamp,
    /// Version of the fold that the log has activated.
    pub fold_version: u32,
    /// Who leads.
    pub leadership: Leadership,
    /// The current definitions of every location.
    pub catalog: Arc<Catalog>,
    /// Locations by name: current version, last load failure.
    pub locations: OrdMap<String, LocationState>,
    /// Definitions that are current or pinned by an active run.
    pub versions: OrdMap<Digest, Arc<arco_core::definitions::Definitions>>,
    /// Keys of dynamic partitions, by the name of their set. The catalog has them too.
    pub partition_sets: Arc<DynamicSets>,
    /// What the code of mappings answered, by edge: the asset that reads, and the one that is read.
    pub mappings: OrdMap<Edge, Arc<EdgeAnswers>>,
    /// Worker hosts that may still hold something, and lost ones for as long as they may call.
    pub hosts: OrdMap<HostId, HostState>,
    /// Runs in memory: the active ones and the recent ones.
    pub runs: OrdMap<RunId, Arc<Run>>,
    /// Runs that are not over.
    pub active_runs: OrdSet<RunId>,
    /// Ended runs in memory, oldest end first; what history packing takes from.
    pub ended_runs: OrdSet<(Position, RunId)>,
    /// Packed history objects, oldest first: (first run id, last run id, object, count).
    pub history: imbl::Vector<(RunId, RunId, serde_json::Value, u32)>,
    /// Run keys: `scope\nkey` → run.
    pub run_keys: OrdMap<String, RunKey>,
    /// First run of a lineage → its reruns, over all generations.
    pub lineages: OrdMap<RunId, OrdSet<RunId>>,
    /// How often runs that failed are done again without anyone asking.
    pub run_retries: RunRetries,
    /// Runs that failed and whose retry is still to be made.
    pub retries_owed: OrdMap<RunId, RetryOwed>,
    /// Idempotency keys of clients → digest of the request, run, time.
    pub idempotency: OrdMap<String, (Digest, RunId, Timestamp)>,
    /// How long steps took lately, by location and step. From fold version 3 on.
    pub durations: OrdMap<(String, String), Durations>,
    /// Idempotency keys of reports from outside of runs → digest of the report, its place, time.
    pub reports: OrdMap<String, (Digest, Position, Timestamp)>,
    /// Schedules by name.
    pub schedules: OrdMap<String, Arc<ScheduleState>>,
    /// Their ticks in memory, by schedule and instant: the recent ones, and the last of each.
    pub ticks: OrdMap<TickId, Arc<Tick>>,
    /// Packed history objects of ticks, oldest first.
    pub tick_history: imbl::Vector<serde_json::Value>,
    /// The ticks in memory, the longest decided first. Derived.
    pub decided_ticks: OrdSet<(Position, TickId)>,
    /// Sensors by name.
    pub sensors: OrdMap<String, Arc<SensorState>>,
    /// Their evaluations in memory, by sensor and number: the recent ones, and the last of each.
    pub evaluations: OrdMap<EvaluationId, Arc<Evaluation>>,
    /// Packed history objects of evaluations, oldest first.
    pub evaluation_history: imbl::Vector<serde_json::Value>,
    /// The evaluations in memory, the longest decided first. Derived.
    pub decided_evaluations: OrdSet<(Position, EvaluationId)>,
    /// Which running sensors wait for which events. Derived.
    pub subscriptions: Arc<Subscriptions>,
    /// What is due when. Derived.
    pub timers: OrdSet<(Timestamp, Timer)>,
    /// Backfills that are not over, and the last that are.
    pub backfills: OrdMap<BackfillId, Arc<Backfill>>,
    /// Those that are not over. Derived.
    pub open_backfills: OrdSet<BackfillId>,
    /// Those that are over, oldest end first. Derived.
    pub ended_backfills: OrdSet<(Position, BackfillId)>,
    /// Idempotency keys of backfills → digest of the request, backfill, time.
    pub backfill_keys: OrdMap<String, (Digest, BackfillId, Timestamp)>,
    /// Facts about assets.
    pub assets: OrdMap<AssetKey, Arc<AssetState>>,
    /// How much may go on at once.
    pub limits: Limits,
    /// Who waits for a slot and who holds one. Derived.
    pub admission: Admission,
    /// Tasks of runs under way that may be leased, best first. Derived.
    pub ready: OrdSet<ReadyTask>,
    /// Tasks that wait for their next try, by due time. Derived.
    pub retrying: OrdSet<(Timestamp, RunId, TaskIndex)>,
    /// What is stopped unless something happens before. Derived.
    pub deadlines: OrdSet<Due>,
}

/// A task that may be leased, in the order of leasing within a lane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadyTask {
    /// Where it is taken from.
    pub lane: Lane,
    /// The place that its run had in the queue.
    pub place: Place,
    /// The task.
    pub task: TaskIndex,
}

/// What a run key stands for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunKey {
    /// The run made under it.
    pub run: RunId,
    /// Fingerprint of what was asked.
    pub fingerprint: Digest,
    /// Of a key of a sensor: when the run was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<Timestamp>,
    /// Of a key of a sensor: its run is over without success, and is owed no retry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended_badly: bool,
}

impl State {
    /// One run in memory.
    #[must_use]
    pub fn run(&self, id: RunId) -> Option<&Arc<Run>> {
        self.runs.get(&id)
    }

    /// The key of [`State::run_keys`].
    #[must_use]
    pub fn run_key_index(scope: &str, key: &str) -> String {
        format!("{scope}\n{key}")
    }

    /// The definitions a run pinned for a location.
    #[must_use]
    pub fn pinned(
        &self,
        run: &Run,
        location: &str,
    ) -> Option<&Arc<arco_core::definitions::Definitions>> {
        self.versions.get(run.definitions.get(location)?)
    }
}
