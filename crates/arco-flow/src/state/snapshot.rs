//! The state as bytes: snapshots, and the hash that two replicas compare.
//!
//! JSON lines, so that a snapshot can be read with the same tools as the log, and so that no more than one
//! asset's text is ever in memory: the first line is all but the assets, each other one an asset. Derived
//! indexes are left out and built again, which also proves that they are derived.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use arco_core::definitions::Definitions;
use arco_core::event::{Position, RetryOwed};
use arco_core::limits::Limits;
use arco_core::partition::DynamicSets;
use arco_core::run_retries::RunRetries;
use arco_core::{AssetKey, BackfillId, Digest, HostId, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{
    AssetState, Backfill, Durations, EdgeAnswers, Evaluation, HostState, Leadership, LocationState,
    Run, RunKey, ScheduleState, SensorState, State, Tick, admission, deadlines, definitions,
    evaluation, mappings, run, schedule, sensor, subscriptions, tick,
};

/// A snapshot that cannot be used; the reader falls back to an older one or to the log.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// Not the JSON of a state.
    #[error("the snapshot cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Its text cannot be had.
    #[error("the snapshot cannot be read: {0}")]
    Text(#[from] io::Error),
    /// Definitions in it do not hold together.
    #[error("the definitions of location `{location}` in the snapshot cannot be read: {reason}")]
    Definitions {
        /// Code location.
        location: String,
        /// Why.
        reason: String,
    },
}

#[derive(Serialize)]
struct Out<'a> {
    position: Position,
    time: Timestamp,
    fold_version: u32,
    leadership: &'a Leadership,
    locations: &'a imbl::OrdMap<String, LocationState>,
    manifests: Vec<(&'a str, &'a arco_core::definitions::Manifest, Digest)>,
    hosts: Vec<(&'a HostId, &'a HostState)>,
    runs: Vec<&'a Arc<Run>>,
    history: &'a imbl::Vector<(RunId, RunId, Value, u32)>,
    run_keys: &'a imbl::OrdMap<String, RunKey>,
    idempotency: &'a imbl::OrdMap<String, (Digest, RunId, Timestamp)>,
    #[serde(skip_serializing_if = "imbl::OrdMap::is_empty")]
    reports: &'a imbl::OrdMap<String, (Digest, Position, Timestamp)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lineages: Vec<(&'a RunId, &'a imbl::OrdSet<RunId>)>,
    #[serde(skip_serializing_if = "is_unlimited")]
    limits: &'a Limits,
    #[serde(skip_serializing_if = "is_default")]
    run_retries: &'a RunRetries,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    retries_owed: Vec<(&'a RunId, &'a RetryOwed)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    durations: Vec<(&'a (String, String), &'a Durations)>,
    #[serde(skip_serializing_if = "DynamicSets::is_empty")]
    partition_sets: &'a DynamicSets,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mappings: Vec<(&'a AssetKey, &'a AssetKey, &'a EdgeAnswers)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    schedules: Vec<(&'a String, &'a Arc<ScheduleState>)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ticks: Vec<&'a Arc<Tick>>,
    #[serde(skip_serializing_if = "imbl::Vector::is_empty")]
    tick_history: &'a imbl::Vector<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sensors: Vec<(&'a String, &'a Arc<SensorState>)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evaluations: Vec<&'a Arc<Evaluation>>,
    #[serde(skip_serializing_if = "imbl::Vector::is_empty")]
    evaluation_history: &'a imbl::Vector<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backfills: Vec<&'a Arc<Backfill>>,
    #[serde(skip_serializing_if = "imbl::OrdMap::is_empty")]
    backfill_keys: &'a imbl::OrdMap<String, (Digest, BackfillId, Timestamp)>,
}

#[derive(Deserialize)]
struct In {
    position: Position,
    time: Timestamp,
    fold_version: u32,
    leadership: Leadership,
    locations: imbl::OrdMap<String, LocationState>,
    manifests: Vec<(String, Value, Digest)>,
    hosts: Vec<(HostId, HostState)>,
    runs: Vec<Run>,
    history: imbl::Vector<(RunId, RunId, Value, u32)>,
    run_keys: imbl::OrdMap<String, RunKey>,
    idempotency: imbl::OrdMap<String, (Digest, RunId, Timestamp)>,
    /// From fold version 3 on.
    #[serde(default)]
    reports: imbl::OrdMap<String, (Digest, Position, Timestamp)>,
    /// From fold version 2 on.
    #[serde(default)]
    lineages: Vec<(RunId, imbl::OrdSet<RunId>)>,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    run_retries: RunRetries,
    /// From fold version 3 on.
    #[serde(default)]
    retries_owed: Vec<(RunId, RetryOwed)>,
    /// From fold version 3 on.
    #[serde(default)]
    durations: Vec<((String, String), Durations)>,
    /// From fold version 3 on.
    #[serde(default)]
    partition_sets: DynamicSets,
    #[serde(default)]
    mappings: Vec<(AssetKey, AssetKey, EdgeAnswers)>,
    /// From fold version 3 on.
    #[serde(default)]
    schedules: Vec<(String, ScheduleState)>,
    /// From fold version 3 on.
    #[serde(default)]
    ticks: Vec<Tick>,
    /// From fold version 3 on.
    #[serde(default)]
    tick_history: imbl::Vector<Value>,
    /// From fold version 4 on.
    #[serde(default)]
    sensors: Vec<(String, SensorState)>,
    /// From fold version 4 on.
    #[serde(default)]
    evaluations: Vec<Evaluation>,
    /// From fold version 4 on.
    #[serde(default)]
    evaluation_history: imbl::Vector<Value>,
    /// From fold version 3 on.
    #[serde(default)]
    backfills: Vec<Backfill>,
    /// From fold version 3 on.
    #[serde(default)]
    backfill_keys: imbl::OrdMap<String, (Digest, BackfillId, Timestamp)>,
    /// Up to fold version 3; lines of their own since.
    #[serde(default)]
    assets: Vec<(AssetKey, AssetState)>,
}

fn is_unlimited(limits: &&Limits) -> bool {
    **limits == Limits::default()
}

fn is_default(retries: &&RunRetries) -> bool {
    **retries == RunRetries::default()
}

impl State {
    /// The state as bytes. Two states that mean the same are the same bytes.
    ///
    /// # Panics
    /// When memory runs out.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.write(&mut text).expect("memory takes what is written");
        text
    }

    /// Writes [`State::to_bytes`] piece by piece.
    ///
    /// # Errors
    /// What `to` fails with.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *to, &self.first_line())?;
        for asset in &self.assets {
            to.write_all(b"\n")?;
            serde_json::to_writer(&mut *to, &asset)?;
        }
        Ok(())
    }

    fn first_line(&self) -> Out<'_> {
        Out {
            position: self.position,
            time: self.time,
            fold_version: self.fold_version,
            leadership: &self.leadership,
            locations: &self.locations,
            manifests: self
                .versions
                .iter()
                .map(|(version, d)| (d.location(), d.manifest(), *version))
                .collect(),
            hosts: self.hosts.iter().collect(),
            runs: self.runs.values().collect(),
            history: &self.history,
            run_keys: &self.run_keys,
            idempotency: &self.idempotency,
            reports: &self.reports,
            lineages: self.lineages.iter().collect(),
            limits: &self.limits,
            run_retries: &self.run_retries,
            retries_owed: self.retries_owed.iter().collect(),
            durations: self.durations.iter().collect(),
            partition_sets: &self.partition_sets,
            mappings: self
                .mappings
                .iter()
                .map(|((child, parent), known)| (child, parent, &**known))
                .collect(),
            schedules: self.schedules.iter().collect(),
            ticks: self.ticks.values().collect(),
            tick_history: &self.tick_history,
            sensors: self.sensors.iter().collect(),
            evaluations: self.evaluations.values().collect(),
            evaluation_history: &self.evaluation_history,
            backfills: self.backfills.values().collect(),
            backfill_keys: &self.backfill_keys,
        }
    }

    /// Digest of the state: replicas at one position have one hash.
    #[must_use]
    pub fn hash(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Reads [`State::to_bytes`].
    ///
    /// # Errors
    /// [`SnapshotError`] when the bytes are not a state this binary understands.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        Self::read(&mut &*bytes)
    }

    /// Reads what [`State::write`] wrote.
    ///
    /// # Errors
    /// [`SnapshotError`] when it is not a state this binary understands.
    pub fn read(from: &mut dyn BufRead) -> Result<Self, SnapshotError> {
        let mut line = Vec::new();
        from.read_until(b'\n', &mut line)?;
        let read: In = serde_json::from_slice(&line)?;
        let mut state = Self {
            position: read.position,
            time: read.time,
            fold_version: read.fold_version,
            leadership: read.leadership,
            locations: read.locations,
            hosts: read.hosts.into_iter().collect(),
            history: read.history,
            run_keys: read.run_keys,
            idempotency: read.idempotency,
            reports: read.reports,
            lineages: read.lineages.into_iter().collect(),
            tick_history: read.tick_history,
            evaluation_history: read.evaluation_history,
            limits: read.limits,
            run_retries: read.run_retries,
            retries_owed: read.retries_owed.into_iter().collect(),
            durations: read.durations.into_iter().collect(),
            partition_sets: Arc::new(read.partition_sets),
            backfill_keys: read.backfill_keys,
            ..Self::default()
        };
        for (location, manifest, version) in read.manifests {
            restore_definitions(&mut state, location, &manifest, version)?;
        }
        mappings::restore(&mut state, read.mappings);
        let mut assets = read.assets;
        loop {
            for (key, asset) in assets.drain(..) {
                state.assets.insert(key, Arc::new(asset));
            }
            line.clear();
            if from.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            assets.push(serde_json::from_slice(&line)?);
        }
        for (name, row) in read.schedules {
            schedule::set(&mut state, &name, row);
        }
        for tick in read.ticks {
            tick::put(&mut state, tick);
        }
        for (name, row) in read.sensors {
            sensor::set(&mut state, &name, row);
        }
        subscriptions::rebuild(&mut state);
        for evaluation in read.evaluations {
            evaluation::put(&mut state, evaluation);
        }
        for backfill in read.backfills {
            restore_backfill(&mut state, backfill);
        }
        for run in read.runs {
            restore_run(&mut state, run);
        }
        Ok(state)
    }
}

fn restore_definitions(
    state: &mut State,
    location: String,
    manifest: &Value,
    version: Digest,
) -> Result<(), SnapshotError> {
    let bad = |location: String, reason: String| SnapshotError::Definitions { location, reason };
    let read = Definitions::read_version(&location, manifest, version)
        .map_err(|error| bad(location.clone(), error.to_string()))?;
    let current = state.locations.get(&location).and_then(|l| l.version) == Some(version);
    let read = Arc::new(read);
    if current {
        definitions::install(state, read).map_err(|reason| bad(location, reason))
    } else {
        state.versions.insert(version, read);
        Ok(())
    }
}

fn restore_run(state: &mut State, mut run: Run) {
    run.dependents = Arc::new(run::dependents(&run.plan));
    run.pools = admission::pools(state, &run);
    admission::index(state, &run);
    deadlines::index(state, &run);
    match run.ended {
        Some((at, _)) => {
            state.ended_runs.insert((at, run.id));
        }
        None => {
            state.active_runs.insert(run.id);
        }
    }
    state.runs.insert(run.id, Arc::new(run));
}

fn restore_backfill(state: &mut State, mut backfill: Backfill) {
    backfill.rebuild();
    match backfill.ended {
        Some((at, _)) => {
            state.ended_backfills.insert((at, backfill.id));
        }
        None => {
            state.open_backfills.insert(backfill.id);
        }
    }
    state.backfills.insert(backfill.id, Arc::new(backfill));
}
