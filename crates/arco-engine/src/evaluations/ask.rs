//! Finding who is due, and giving up on hosts that do not answer.

use std::time::Duration;

use arco_core::Timestamp;
use arco_flow::command::Command;
use arco_flow::state::{HostStatus, State, Timer};
use arco_flow::{Rejection, mapping, schedule, sensor};
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::broker::{Broker, Subject};
use super::is_served;
use crate::{Engine, EngineError};

/// The longest sleep: a wall clock that was set is noticed within it.
const LOOK: Duration = Duration::from_secs(30);
/// The shortest sleep.
const SOON: Duration = Duration::from_millis(1);
/// How soon to look again while the wall clock is not believed.
const AGAIN: Duration = Duration::from_secs(1);

/// Finds who is due until told to stop.
pub(crate) async fn watch(engine: Engine, stop: CancellationToken) {
    let mut commits = engine.inner.commits.clone();
    let mut bell = engine.inner.asking.bell();
    loop {
        // Before anything is read: what happens from here on wakes again.
        commits.look();
        bell.look();
        let pause = engine.ask_due().await;
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            changed = commits.changed() => if changed.is_err() { return },
            changed = bell.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl Engine {
    /// Puts everyone who is due where hosts find them; says for how long nothing else is to be done.
    pub(crate) async fn ask_due(&self) -> Duration {
        let view = self.view();
        if !view.leads || view.read_only.is_some() {
            if self.inner.asking.broker().enter(0) {
                // Those who wait here must look elsewhere.
                self.inner.asking.ring();
            }
            return LOOK;
        }
        self.write_old_idle().await;
        let view = self.view();
        let now = self.now();
        let boot = self.inner.clock.now();
        let mut broker = self.inner.asking.broker();
        let mut news = broker.enter(view.state.leadership.epoch);
        let hosts = &view.state.hosts;
        news |= broker.expire(boot, |host| {
            hosts
                .get(&host)
                .is_some_and(|h| h.status == HostStatus::Alive)
        }) > 0;
        if self.clock_off_ms().is_some() {
            return AGAIN;
        }
        let mut next = None;
        for name in schedule::due(&view.state, now) {
            if let Some(question) = schedule::next_question(&view.state, name, now) {
                let subject = Subject::Schedule(name.to_owned());
                news |= broker.ask(subject, &question.location, boot);
            }
        }
        for name in sensor::due(&view.state, now) {
            match next_look(&broker, &view.state, name) {
                Some(at) if at > now => next = earlier(next, at),
                Some(_) => {
                    let Some(row) = view.state.sensors.get(name) else {
                        continue;
                    };
                    let subject = Subject::Sensor(name.to_owned());
                    news |= broker.ask(subject, &row.location, boot);
                }
                None => {}
            }
        }
        for (edge, location, version) in mapping::edges(&view.state) {
            let subject = Subject::Mapping(edge.clone());
            let (held, _) = broker.held(&subject, version, boot);
            let is_due = mapping::due(&view.state, edge, now, &held).next().is_some();
            news |= is_due && broker.ask(subject, location, boot);
        }
        let later = view.state.timers.range((now.plus_ms(1), first_timer())..);
        if let Some((at, _)) = later.into_iter().next() {
            next = earlier(next, *at);
        }
        let deadline = broker.next_deadline();
        drop(broker);
        if news {
            self.inner.asking.ring();
        }
        let by_wall = next.map(|at| Duration::from_millis(at.ms_since(now)));
        let by_boot = deadline.map(|at| at.saturating_sub(boot));
        let pause = by_wall.into_iter().chain(by_boot).min().unwrap_or(LOOK);
        pause.clamp(SOON, LOOK)
    }

    /// Writes how often idle sensors looked, of all that are due for it in one go.
    async fn write_old_idle(&self) {
        let boot = self.inner.clock.now();
        let (epoch, old) = {
            let mut broker = self.inner.asking.broker();
            (broker.epoch(), broker.take_old_idle(boot))
        };
        let writes = old.into_iter().map(|(sensor, state_version, idle)| {
            let command = Command::RecordIdle {
                sensor,
                state_version,
                idle,
            };
            self.submit_as_leader("controller:sensors", "idle", epoch, command)
        });
        for written in join_all(writes).await {
            match written {
                Ok(_) | Err(EngineError::Rejected(Rejection::EvaluationSuperseded(_))) => {}
                Err(error) => {
                    tracing::warn!(%error, "looks of an idle sensor were not written");
                }
            }
        }
    }

    /// Whether something that was due at `at` is still to be decided, and can be: what only user code can say
    /// counts while a host of its location is there.
    #[must_use]
    pub fn owes(&self, at: Timestamp) -> bool {
        let view = self.view();
        let state = &view.state;
        let broker = self.inner.asking.broker();
        let due = state.timers.iter().take_while(|(due, _)| *due <= at);
        due.into_iter().any(|(_, timer)| match timer {
            Timer::Schedule(name) => state.catalog.schedule(name).is_some_and(|found| {
                !found.schedule.def().function || is_served(state, found.definitions.location())
            }),
            Timer::Sensor(name) => {
                next_look(&broker, state, name).is_some_and(|look| look <= at)
                    && state
                        .sensors
                        .get(name)
                        .is_some_and(|row| is_served(state, &row.location))
            }
        })
    }

    /// When something that time drives is due next: ticks, and looks of sensors.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let view = self.view();
        let broker = self.inner.asking.broker();
        let state = &view.state;
        let looks = state
            .sensors
            .iter()
            .filter(|(_, row)| row.due.is_some())
            .filter_map(|(name, _)| next_look(&broker, state, name));
        looks.chain(schedule::next_due(state)).min()
    }
}

/// When a sensor may be asked next, with what only the leader knows: looks that found nothing.
fn next_look(broker: &Broker, state: &State, name: &str) -> Option<Timestamp> {
    let row = state.sensors.get(name)?;
    let due = row.due?;
    let looked = broker.looked(name, row.state_version);
    Some(looked.map_or(due, |at| due.max(at.plus_ms(row.pause_ms()))))
}

fn earlier(known: Option<Timestamp>, at: Timestamp) -> Option<Timestamp> {
    Some(known.map_or(at, |known| known.min(at)))
}

/// The first in the order of timers of one time.
fn first_timer() -> Timer {
    Timer::Schedule(String::new())
}
