//! What a log says of assets and partitions, read event by event, without the fold.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::event::{AttemptOutcome, Event, Fact, Position};
use arco_core::{AttemptId, PartitionKey, RunId};

use crate::state::State;

/// An asset's name and its partition.
pub(crate) type Place = (String, Option<PartitionKey>);

/// Good materializations and failures by place.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The last materialization: where it stands, the attempt, the data version.
    pub(crate) good: BTreeMap<Place, (Position, AttemptId, String)>,
    /// Places whose last tried task failed for good, with nothing made since.
    pub(crate) failed: BTreeSet<Place>,
    places: BTreeMap<(RunId, u32), Place>,
}

impl Facts {
    /// Hears one event.
    pub(crate) fn hear(&mut self, at: Position, event: &Event) {
        match &event.fact {
            Fact::RunRequested(e) => {
                let arco_core::event::Stored::Inline(plan) = &e.plan else {
                    panic!("the harness keeps plans in their event");
                };
                for (task, planned) in (0..).zip(&plan.tasks) {
                    if !planned.step.contains("__") {
                        let place = (planned.step.clone(), planned.partitions.first().cloned());
                        self.places.insert((e.run, task), place);
                    }
                }
            }
            Fact::AssetMaterialized(e) => {
                let place = (e.asset.to_string(), e.partition.clone());
                self.failed.remove(&place);
                let attempt = e.attempt.expect("nothing is reported from outside here");
                self.good
                    .insert(place, (at, attempt, e.data_version.clone()));
            }
            Fact::AttemptFinished(e) => {
                let failed = matches!(e.outcome, AttemptOutcome::Failed { .. });
                let place = self.places.get(&(e.attempt.run, e.attempt.task));
                if let Some(place) = place.filter(|_| failed && e.retry_at.is_none()) {
                    // What was made before the attempt failed was made.
                    if self.good.get(place).map(|made| made.1) != Some(e.attempt) {
                        self.failed.insert(place.clone());
                    }
                }
            }
            _ => {}
        }
    }

    /// Everything heard so far that the state does not say; nothing when it says it all.
    pub(crate) fn hidden_in(&self, state: &State) -> Vec<String> {
        let mut hidden = Vec::new();
        for ((asset, partition), (at, attempt, version)) in &self.good {
            let key = arco_core::AssetKey::parse(asset).expect("a key");
            let facts = state.assets.get(&key);
            let shown = facts.and_then(|facts| facts.latest_of(partition));
            let same = shown.as_ref().is_some_and(|latest| {
                latest.position == *at
                    && latest.attempt == Some(*attempt)
                    && *latest.data_version == **version
            });
            let counted = facts.is_some_and(|facts| {
                let ordinal = facts.ordinal(partition);
                ordinal.is_some_and(|ordinal| facts.materialized.contains(ordinal))
            });
            if !same || !counted {
                hidden.push(format!("{asset} {partition:?}, made at {at:?}: {shown:?}"));
            }
        }
        hidden
    }
}

/// The places of a state that were ever made.
pub(crate) fn made(state: &State) -> BTreeSet<Place> {
    let places = state.assets.iter().flat_map(|(key, facts)| {
        facts.materialized.iter().map(move |ordinal| {
            let slot = facts.slot(ordinal).expect("an ordinal has a slot");
            (key.to_string(), slot.clone())
        })
    });
    places.collect()
}

/// The places of a state that bear the mark of failure.
pub(crate) fn marked_failed(state: &State) -> BTreeSet<Place> {
    let places = state.assets.iter().flat_map(|(key, facts)| {
        facts.failed.iter().map(move |ordinal| {
            let slot = facts.slot(ordinal).expect("an ordinal has a slot");
            (key.to_string(), slot.clone())
        })
    });
    places.collect()
}

/// The places that a run which is not over has still to settle.
pub(crate) fn under_way(state: &State) -> BTreeSet<Place> {
    let places = state.runs.values().flat_map(|run| {
        let tasks = run.plan.tasks.iter().zip(&run.tasks);
        tasks
            .filter(|(planned, task)| !planned.step.contains("__") && !task.status.is_terminal())
            .map(|(planned, _)| (planned.step.clone(), planned.partitions.first().cloned()))
    });
    places.collect()
}

/// The places that a state shows as being made.
pub(crate) fn marked_in_progress(state: &State) -> BTreeSet<Place> {
    let places = state.assets.iter().flat_map(|(key, facts)| {
        facts.in_progress.keys().map(move |ordinal| {
            let slot = facts.slot(*ordinal).expect("an ordinal has a slot");
            (key.to_string(), slot.clone())
        })
    });
    places.collect()
}
