//! Which running sensors wait for which events. Derived from the definitions and the rows of sensors.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arco_core::AssetKey;
use arco_core::definitions::{RunStatusWatched, SensorKind};

use super::{Run, State};

/// Who waits for what.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subscriptions {
    /// Names of the sensors that watch an asset.
    pub(super) assets: BTreeMap<AssetKey, Vec<String>>,
    /// Those that wait for statuses of runs.
    pub(super) runs: Vec<RunWatch>,
}

/// A sensor that waits for statuses of runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RunWatch {
    pub(super) sensor: String,
    location: String,
    statuses: BTreeSet<RunStatusWatched>,
    jobs: BTreeSet<String>,
    everywhere: bool,
}

impl RunWatch {
    /// Whether it wants to know that a run entered a status (N-25).
    pub(super) fn wants(&self, run: &Run, status: RunStatusWatched) -> bool {
        let in_scope = if self.everywhere {
            true
        } else if self.jobs.is_empty() {
            run.definitions.contains_key(&self.location)
        } else {
            run.job.as_ref().is_some_and(|job| {
                job.location == self.location && self.jobs.contains(job.name.as_str())
            })
        };
        in_scope && self.statuses.contains(&status)
    }
}

pub(super) fn rebuild(state: &mut State) {
    let mut found = Subscriptions::default();
    let running = state.sensors.iter().filter(|(_, row)| row.is_running());
    for (name, row) in running {
        let Some(sensor) = state.catalog.sensor(name) else {
            continue;
        };
        match &sensor.sensor.def().kind {
            SensorKind::Poll { .. } | SensorKind::Push {} => {}
            SensorKind::Asset { assets } => {
                for asset in assets.iter().collect::<BTreeSet<_>>() {
                    let names = found.assets.entry(asset.clone()).or_default();
                    names.push(name.clone());
                }
            }
            SensorKind::RunStatus {
                statuses,
                monitored_jobs,
                monitor_all_code_locations,
            } => found.runs.push(RunWatch {
                sensor: name.clone(),
                location: row.location.clone(),
                statuses: statuses.iter().copied().collect(),
                jobs: monitored_jobs.iter().cloned().collect(),
                everywhere: *monitor_all_code_locations,
            }),
        }
    }
    state.subscriptions = Arc::new(found);
}
