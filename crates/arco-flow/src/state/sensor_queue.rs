//! What lies before sensors: messages, materializations, runs; and which messages are known.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::definitions::RunStatusWatched;
use arco_core::event::{
    AssetMaterialized, AttemptOutcome, MessageAccepted, Position, RunOutcome, Stored,
};
use arco_core::{AssetKey, PartitionKey, RunId, Timestamp};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Run, State, sensor};

/// A message is known by its id for this long, by event time: longer than any sender tries again that
/// got no answer.
const KNOWN_FOR_MS: u64 = 24 * 60 * 60 * 1000;
/// Ids remembered per sensor, at most. One that waits is always known.
const KNOWN_MAX: usize = 100_000;

/// One thing that lies before a sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queued {
    /// Where it stands in the log.
    pub at: Position,
    /// When it happened.
    pub time: Timestamp,
    /// What it is.
    pub what: QueuedWhat,
}

/// What lies before a sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueuedWhat {
    /// A message that was pushed.
    Message {
        /// Its id.
        id: String,
        /// What it says.
        data: Stored<Value>,
        /// CloudEvents attributes, headers, attributes of the envelope.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        attributes: BTreeMap<String, String>,
    },
    /// An asset was materialized.
    Materialization {
        /// The asset.
        asset: AssetKey,
        /// Its partition.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition: Option<PartitionKey>,
        /// The run that made it; absent when reported from outside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        /// Typed values by name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        metadata: BTreeMap<String, Value>,
        /// Version of the data.
        data_version: String,
    },
    /// A run entered a status.
    Run {
        /// The run.
        run: RunId,
        /// The status.
        status: RunStatusWatched,
        /// Its job, if it is of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<String>,
        /// Its tags.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: BTreeMap<String, String>,
        /// Why it failed, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
}

impl Queued {
    /// What names it in an evaluation: of a message `msg:ID`, of an event its position.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.what {
            QueuedWhat::Message { id, .. } => format!("msg:{id}"),
            _ => self.at.to_string(),
        }
    }
}

/// Ids of messages that were accepted lately, with where they stand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<KnownMessage>", into = "Vec<KnownMessage>")]
pub struct MessageIds {
    by_id: OrdMap<String, Position>,
    in_order: OrdMap<Position, (Timestamp, String)>,
}

type KnownMessage = (Position, Timestamp, String);

impl From<Vec<KnownMessage>> for MessageIds {
    fn from(known: Vec<KnownMessage>) -> Self {
        let mut ids = Self::default();
        for (at, time, id) in known {
            ids.put(at, time, id);
        }
        ids
    }
}

impl From<MessageIds> for Vec<KnownMessage> {
    fn from(ids: MessageIds) -> Self {
        let known = ids.in_order.into_iter();
        known.map(|(at, (time, id))| (at, time, id)).collect()
    }
}

impl MessageIds {
    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// How many are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Where a message stands that was accepted under this id.
    #[must_use]
    pub fn known(&self, id: &str) -> Option<Position> {
        self.by_id.get(id).copied()
    }

    fn put(&mut self, at: Position, time: Timestamp, id: String) {
        self.by_id.insert(id.clone(), at);
        self.in_order.insert(at, (time, id));
    }

    /// Forgets what is past the horizon; `waiting` is the oldest that still waits.
    fn forget(&mut self, now: Timestamp, waiting: Option<Position>) {
        while let Some((at, (time, id))) = self.in_order.get_min() {
            let old = now.ms_since(*time) > KNOWN_FOR_MS || self.by_id.len() > KNOWN_MAX;
            if !old || waiting.is_some_and(|first| *at >= first) {
                return;
            }
            let (at, id) = (*at, id.clone());
            self.by_id.remove(&id);
            self.in_order.remove(&at);
        }
    }
}

/// A message was accepted.
pub(super) fn accepted(state: &mut State, at: Position, time: Timestamp, e: &MessageAccepted) {
    sensor::edit(state, &e.sensor, |row| {
        if row.messages.known(&e.id).is_some() {
            return;
        }
        row.queue.push_back(Arc::new(Queued {
            at,
            time,
            what: QueuedWhat::Message {
                id: e.id.clone(),
                data: e.data.clone(),
                attributes: e.attributes.clone(),
            },
        }));
        row.messages.put(at, time, e.id.clone());
        let waiting = row.queue.front().map(|first| first.at);
        row.messages.forget(time, waiting);
    });
}

/// An asset was materialized: for each running sensor that watches it.
pub(super) fn materialized(
    state: &mut State,
    at: Position,
    time: Timestamp,
    e: &AssetMaterialized,
) {
    let subscriptions = Arc::clone(&state.subscriptions);
    let Some(sensors) = subscriptions.assets.get(&e.asset) else {
        return;
    };
    let queued = Arc::new(Queued {
        at,
        time,
        what: QueuedWhat::Materialization {
            asset: e.asset.clone(),
            partition: e.partition.clone(),
            run: e.attempt.map(|attempt| attempt.run),
            metadata: e.metadata.clone(),
            data_version: e.data_version.clone(),
        },
    });
    for name in sensors {
        push(state, name, &queued);
    }
}

/// A run entered a status: for each running sensor that waits for it.
pub(super) fn run_entered(
    state: &mut State,
    at: Position,
    time: Timestamp,
    id: RunId,
    status: RunStatusWatched,
) {
    let subscriptions = Arc::clone(&state.subscriptions);
    let Some(run) = state.run(id).filter(|_| !subscriptions.runs.is_empty()) else {
        return;
    };
    let run = Arc::clone(run);
    let mut queued: Option<Arc<Queued>> = None;
    for watch in subscriptions.runs.iter().filter(|w| w.wants(&run, status)) {
        let queued = queued.get_or_insert_with(|| {
            Arc::new(Queued {
                at,
                time,
                what: QueuedWhat::Run {
                    run: id,
                    status,
                    job: run.job.as_ref().map(|job| job.name.clone()),
                    tags: run.tags.clone(),
                    message: (status == RunStatusWatched::Failed)
                        .then(|| failure(&run))
                        .flatten(),
                },
            })
        });
        push(state, &watch.sensor, queued);
    }
}

pub(super) fn status_of(outcome: RunOutcome) -> RunStatusWatched {
    match outcome {
        RunOutcome::Succeeded => RunStatusWatched::Succeeded,
        RunOutcome::Failed => RunStatusWatched::Failed,
        RunOutcome::Cancelled => RunStatusWatched::Cancelled,
    }
}

fn push(state: &mut State, name: &str, queued: &Arc<Queued>) {
    sensor::edit(state, name, |row| row.queue.push_back(Arc::clone(queued)));
}

/// Why a run failed: what its first task raised that failed, else the time limit.
fn failure(run: &Run) -> Option<String> {
    let raised = (0..).zip(&run.tasks).find_map(|(index, task)| {
        let Some(AttemptOutcome::Failed { error, .. }) =
            &task.attempts.last().and_then(|row| row.outcome.clone())
        else {
            return None;
        };
        let step = run.planned(index).map_or("", |planned| &planned.step);
        Some(format!("{step}: {}: {}", error.kind, error.message))
    });
    raised.or_else(|| run.timed_out.map(|limit| limit.message()))
}
