//! Clients: they ask for runs, ask again when they got no answer, stop some, and deploy.

use std::time::Duration;

use arco_core::RunId;
use arco_engine::{MessageAsk, RunAsk};
use arco_flow::command::Command;
use arco_flow::planner::PartitionsAsked;
use arco_testkit::random::Random;
use arco_testkit::{ManifestBuilder, ask, asset, check};
use serde_json::json;
use tokio::time::Instant;

use crate::host::LOCATION;
use crate::host::evaluations::{COUNTER, INBOX};
use crate::network::Network;
use crate::operator::POOL;
use crate::record::{Acked, Record};

/// What the schedules of all definitions are like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cadence {
    /// When all of them fire.
    pub(crate) cron: &'static str,
    /// From one instant of it to the next.
    pub(crate) every_ms: u64,
    /// How those that are to miss nothing catch up.
    pub(crate) all: &'static str,
}

/// What a schedule does about what it missed, as it is declared: it is its name.
pub(crate) const NEWEST: &str = "newest";
/// As [`NEWEST`], of one that fires nothing that is late.
pub(crate) const PUNCTUAL: &str = "punctual";

/// The definitions, in one of two versions.
pub(crate) fn manifest(version: u64, cadence: Cadence) -> ManifestBuilder {
    let Cadence { cron, all, .. } = cadence;
    ManifestBuilder::new(LOCATION)
        .asset(
            asset("a")
                .retries(2, 1_500)
                .code_version(&version.to_string()),
        )
        .asset(
            asset("b")
                .needs("a")
                .partitions(&["x", "y", "z"])
                .step_with("pool", json!(POOL))
                .retries(1, 0),
        )
        .asset(asset("c").needs("b"))
        .asset(asset("d").needs("a"))
        .check(check("a", "good").blocking().inside())
        .check(check("b", "fair"))
        .schedule(json!({
            "name": "declared", "cron": [cron], "selection": ["d"], "default_status": "running",
            "catch_up": {"policy": all},
        }))
        .schedule(json!({
            "name": "asked", "cron": [cron], "selection": ["d"], "default_status": "running",
            "catch_up": {"policy": all}, "function": true, "max_retries": 100,
        }))
        .schedule(json!({
            "name": NEWEST, "cron": [cron], "selection": ["d"], "default_status": "running",
            "catch_up": {"policy": "latest"},
        }))
        .schedule(json!({
            "name": PUNCTUAL, "cron": [cron], "selection": ["d"], "default_status": "running",
            "catch_up": {"policy": "skip"},
        }))
        .sensor(json!({
            "name": COUNTER, "kind": "poll", "minimum_interval_seconds": 2, "selection": ["d"],
            "default_status": "running",
        }))
        .sensor(json!({
            "name": INBOX, "kind": "push", "selection": ["d"], "max_attempts": 100,
            "default_status": "running",
        }))
}

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) network: Network,
    pub(crate) random: Random,
    pub(crate) record: Record,
    pub(crate) cadence: Cadence,
    /// Runs it knows of.
    pub(crate) runs: Vec<RunId>,
}

impl Client {
    /// Works until the chaos is over.
    pub(crate) async fn run(mut self, until: Instant) {
        while Instant::now() < until {
            match self.random.below(20) {
                0 => self.deploy().await,
                4..8 => self.push().await,
                8..10 => self.fire().await,
                1..4 => self.cancel().await,
                _ => self.request().await,
            }
            let pause = self.random.between(100, 2_500);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    fn somewhere(&mut self) -> String {
        let urls = self.network.urls();
        self.random.pick(&urls).clone()
    }

    async fn request(&mut self) {
        let selections = ["*", "a", "key:a or key:d", "b", "c"];
        // Few keys, so that clients meet; one selection per key, so that most meetings agree.
        let key = self.random.below(30);
        let run_key = self.random.chance(500).then(|| format!("key {key}"));
        let selection = match run_key {
            Some(_) if self.random.chance(900) => selections[usize::try_from(key % 5).unwrap_or(0)],
            _ => *self.random.pick(&selections),
        };
        let idempotency_key = Some(format!("{} {}", self.name, self.random.number()));
        let ask = RunAsk {
            run_key: run_key.clone(),
            idempotency_key,
            partitions: PartitionsAsked::All,
            priority: i32::try_from(self.random.below(3)).unwrap_or(0),
            ..ask(selection)
        };
        let partitioned = ["*", "b"].contains(&selection);
        let ask = if partitioned {
            ask
        } else {
            RunAsk {
                partitions: PartitionsAsked::None,
                ..ask
            }
        };
        let era = self.network.inner().era;
        // The same request again until there is an answer: that is what the key is for.
        for _ in 0..4 {
            if self.network.inner().era != era {
                return;
            }
            let url = self.somewhere();
            let again = ask.clone();
            let asked = self.network.call(&self.name, &url, |engine| async move {
                engine.request_run("client:sim", "run", again).await
            });
            match asked.await {
                Ok(made) => {
                    self.runs.push(made.run);
                    self.record.acked(Acked::Run {
                        run: made.run,
                        run_key,
                        created: made.created,
                        position: made.position,
                    });
                    self.record.count("runs acknowledged");
                    return;
                }
                Err(error) => {
                    self.record.count(error.code());
                    if !error.again() {
                        return;
                    }
                }
            }
        }
    }

    /// Wakes whoever is there, twice at once: that has no authority.
    async fn fire(&mut self) {
        let url = self.somewhere();
        let wake = |engine: arco_engine::Engine| async move { engine.fire_timers().await };
        let calls = [(); 2].map(|()| self.network.call(&self.name, &url, wake));
        for fired in futures::future::join_all(calls).await {
            match fired {
                Ok(_) => self.record.count("timers fired"),
                Err(error) => self.record.count(error.code()),
            }
        }
    }

    /// A message, said again until it is known to be there: a new one, or one that someone sent before.
    async fn push(&mut self) {
        let (era, sent) = {
            let inner = self.network.inner();
            (inner.era, inner.sent.clone())
        };
        let id = if !sent.is_empty() && self.random.chance(300) {
            self.record.count("messages sent again");
            self.random.pick(&sent).clone()
        } else {
            let id = format!("{} {}", self.name, self.random.number());
            self.network.inner().sent.push(id.clone());
            id
        };
        for _ in 0..4 {
            // The horizon within which an id is one message may be over.
            if self.network.inner().era != era {
                return;
            }
            let url = self.somewhere();
            let message = MessageAsk {
                sensor: INBOX.into(),
                id: id.clone(),
                data: json!({"id": id}),
                attributes: [].into(),
            };
            let asked = self.network.call(&self.name, &url, |engine| async move {
                engine
                    .accept_message("client:sim", "message", message)
                    .await
            });
            match asked.await {
                Ok(_) => {
                    self.record.acked(Acked::Message(id.clone()));
                    // Senders say it again though they were answered.
                    if self.random.chance(700) {
                        return;
                    }
                }
                Err(error) => {
                    self.record.count(error.code());
                    if !error.again() {
                        return;
                    }
                }
            }
        }
    }

    async fn cancel(&mut self) {
        if self.runs.is_empty() {
            return;
        }
        let run = *self.random.pick(&self.runs);
        let url = self.somewhere();
        let asked = self.network.call(&self.name, &url, |engine| async move {
            engine
                .submit("client:sim", "cancel", Command::CancelRun(run))
                .await
        });
        match asked.await {
            Ok(_) => {
                self.record.acked(Acked::Cancel(run));
                self.record.count("cancels acknowledged");
            }
            Err(error) => self.record.count(error.code()),
        }
    }

    async fn deploy(&mut self) {
        let manifest = manifest(self.random.below(2), self.cadence).json();
        let url = self.somewhere();
        let asked = self.network.call(&self.name, &url, |engine| async move {
            engine
                .deploy("client:sim", "deploy", LOCATION, &manifest)
                .await
        });
        match asked.await {
            Ok(version) => self.record.acked(Acked::Deploy(version)),
            Err(error) => self.record.count(error.code()),
        }
    }
}
