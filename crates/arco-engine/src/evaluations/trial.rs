//! Dry runs: user code is asked, and nothing is changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arco_core::event::{Asked, Position, Stored, TickId};
use arco_core::{AssetKey, Timestamp};
use arco_flow::decide::unknown_sensor;
use arco_flow::schedule::{self, Evaluated, TickQuestion};
use arco_flow::sensor::{self, Found, SensorQuestion};
use arco_flow::state::{Queued, QueuedWhat};
use serde_json::Value;
use tokio::sync::oneshot;

use super::answers::checks;
use super::broker::{Question, Tried};
use super::is_served;
use crate::{Engine, EngineError};

/// Beyond its time limit, how long a trial waits for a host to take it and to answer.
const GRACE: Duration = Duration::from_secs(15);

/// What a sensor is tried out with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SensorTrial {
    /// The cursor; `None` takes the one that stands, the empty text stands for none.
    pub cursor: Option<String>,
    /// Of one that is pushed to: what the message says, and its attributes.
    pub message: Option<(Value, BTreeMap<String, String>)>,
    /// Of one that watches assets: the asset that was materialized, and its partition.
    pub materialization: Option<(AssetKey, Option<String>)>,
}

/// What came of a trial.
#[derive(Debug, Clone)]
pub struct TrialOutcome {
    /// What the function wants, or how it failed.
    pub found: Found,
    /// The cursor that would stand.
    pub cursor: Option<String>,
    /// What the function logged.
    pub log: Vec<String>,
    /// How long it took. Milliseconds.
    pub took_ms: u64,
}

impl Engine {
    /// What a sensor would do now, without doing it.
    ///
    /// # Errors
    /// `unknown_sensor`; `no_host` when nobody can be asked.
    pub async fn try_sensor(
        &self,
        name: &str,
        trial: SensorTrial,
    ) -> Result<TrialOutcome, EngineError> {
        let view = self.view();
        let state = &view.state;
        let (Some(found), Some(row)) = (state.catalog.sensor(name), state.sensors.get(name)) else {
            return Err(unknown_sensor(state, name).into());
        };
        let cursor = sensor::cursor_after(row.cursor.as_deref(), trial.cursor.as_deref());
        let items = self.trial_items(&trial, &row.queue);
        let question = SensorQuestion {
            sensor: name.to_owned(),
            location: found.definitions.location().to_owned(),
            version: row.version,
            state_version: row.state_version,
            cursor: cursor.clone(),
            last_evaluated: row.last_evaluated,
            last_run_key: row.last_run_key.clone(),
            items,
            timeout_ms: found.sensor.timeout_ms(),
        };
        let what = format!("sensor `{name}`");
        let tried = self
            .try_out(what, Question::Sensor(question.clone()))
            .await?;
        let view = self.view();
        let worked_out = self.off_loop(view, move |view, now| {
            let state = &view.state;
            let asked = Asked {
                started: tried.started,
                took_ms: tried.took_ms,
                log: tried.log,
            };
            let proposal =
                sensor::propose(state, &question, &tried.said, &asked, now, &checks(state));
            (proposal, asked)
        });
        let (mut proposal, asked) = worked_out.await?;
        let Some(part) = proposal.parts.pop() else {
            return Err(EngineError::LeadInDoubt);
        };
        Ok(TrialOutcome {
            cursor: sensor::cursor_after(cursor.as_deref(), part.cursor.as_deref()),
            found: part.found,
            log: asked.log,
            took_ms: asked.took_ms,
        })
    }

    /// What lies before a sensor in a trial: what is given, else the oldest that waits.
    fn trial_items(
        &self,
        trial: &SensorTrial,
        queue: &imbl::Vector<Arc<Queued>>,
    ) -> Vec<Arc<Queued>> {
        let what = match (&trial.message, &trial.materialization) {
            (Some((data, attributes)), _) => QueuedWhat::Message {
                id: "trial".into(),
                data: Stored::Inline(data.clone()),
                attributes: attributes.clone(),
            },
            (None, Some((asset, partition))) => QueuedWhat::Materialization {
                asset: asset.clone(),
                partition: partition.as_deref().map(arco_core::PartitionKey::text),
                run: None,
                metadata: BTreeMap::new(),
                data_version: "trial".into(),
            },
            (None, None) => return queue.iter().take(1).cloned().collect(),
        };
        vec![Arc::new(Queued {
            at: Position::default(),
            time: self.now(),
            what,
        })]
    }

    /// What the function of a schedule would run at an instant.
    pub(crate) async fn try_function(
        &self,
        name: &str,
        instant: Timestamp,
    ) -> Result<Option<Evaluated>, EngineError> {
        let view = self.view();
        let found = view.state.catalog.schedule(name);
        let Some(found) = found.filter(|found| found.schedule.def().function) else {
            return Ok(None);
        };
        let question = TickQuestion {
            tick: TickId {
                schedule: name.to_owned(),
                instant,
            },
            location: found.definitions.location().to_owned(),
            version: found.schedule.digest(),
            judged: self.now(),
            attempt: 1,
            timeout_ms: found.schedule.timeout_ms(),
        };
        let what = format!("schedule `{name}`");
        let tried = self.try_out(what, Question::Tick(question.clone())).await?;
        let worked_out = self.off_loop(self.view(), move |view, now| {
            let state = &view.state;
            schedule::said_of_tick(
                state,
                &question,
                &tried.said,
                now.max(instant),
                &checks(state),
            )
        });
        worked_out.await.map(Some)
    }

    async fn try_out(&self, what: String, question: Question) -> Result<Tried, EngineError> {
        let epoch = self.prove_lead().await?;
        let view = self.view();
        let location = question.location().to_owned();
        let no_host = || EngineError::NoHost {
            what: what.clone(),
            location: location.clone(),
        };
        if !is_served(&view.state, &location) {
            return Err(no_host());
        }
        let at_most = question.timeout() * 2 + GRACE;
        let (reply, answer) = oneshot::channel();
        let number = {
            let mut broker = self.inner.asking.broker();
            broker.enter(epoch);
            broker.try_out(question, reply)
        };
        self.inner.asking.ring();
        let waiting = GiveUp {
            engine: self,
            number,
        };
        let answered = tokio::time::timeout(at_most, answer).await;
        drop(waiting);
        match answered {
            Ok(Ok(tried)) => Ok(tried),
            // The lead went elsewhere meanwhile.
            Ok(Err(_)) => Err(EngineError::LeadInDoubt),
            Err(_) => Err(no_host()),
        }
    }
}

/// Whoever asked may go before the answer comes.
struct GiveUp<'a> {
    engine: &'a Engine,
    number: u64,
}

impl Drop for GiveUp<'_> {
    fn drop(&mut self) {
        self.engine.inner.asking.broker().give_up(self.number);
    }
}
