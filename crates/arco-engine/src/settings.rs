//! Settings of an engine: data with complete defaults; unknown keys are refused.

use serde::{Deserialize, Serialize};

/// How an engine behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineSettings {
    /// A host not heard from for this long (and a margin) has lost what it holds. Milliseconds.
    pub host_lease_ttl_ms: u64,
    /// How often hosts call. A fifth of the lease: four calls may fail.
    pub host_heartbeat_ms: u64,
    /// A leader not heard from for this long (and a margin) may be followed by another. Milliseconds.
    pub leader_ttl_ms: u64,
    /// Nobody else can hold this log (the folder lock is ours): lead at once, whoever led before.
    pub sole: bool,
    /// Leave the lead alone at start, whoever has it; [`crate::Engine::lead_if_free`] asks for it. For a process
    /// that comes and goes, and shall not take the lead from one that stays and happens to be silent.
    pub hesitates: bool,
    /// How often to look for segments of other replicas. Milliseconds.
    pub follow_ms: u64,
    /// Commands decided into one segment. A bound on how long the first waits for the last.
    pub batch_max: usize,
    /// Commands that may wait in the queue; more wait at the door.
    pub queue_max: usize,
    /// Segments between snapshots: recovery reads at most about this many objects.
    pub snapshot_segments: u64,
    /// Events between snapshots.
    pub snapshot_events: u64,
    /// Ended runs kept in memory; older ones move to history objects.
    pub ended_runs_max: usize,
    /// Ticks kept in memory; older ones move to history objects, but for the last of each schedule.
    pub ticks_max: usize,
    /// Evaluations kept in memory; older ones move to history objects, but for the last of each sensor.
    pub evaluations_max: usize,
    /// Events kept in memory for readers that follow the log.
    pub recent_events_max: usize,
    /// Plans up to this many bytes of JSON stand in the event, bigger ones in a blob.
    pub inline_plan_max: usize,
    /// Whether big encodings may run on the blocking pool. Off in simulation, where one thread and
    /// one seed must give one history.
    pub offload: bool,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            host_lease_ttl_ms: 15_000,
            host_heartbeat_ms: 3_000,
            leader_ttl_ms: 30_000,
            sole: false,
            hesitates: false,
            follow_ms: 1_000,
            batch_max: 1_000,
            queue_max: 10_000,
            snapshot_segments: 2_000,
            snapshot_events: 50_000,
            ended_runs_max: 2_000,
            ticks_max: 10_000,
            evaluations_max: 10_000,
            recent_events_max: 10_000,
            inline_plan_max: 8 * 1024,
            offload: true,
        }
    }
}
