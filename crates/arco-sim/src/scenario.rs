//! One simulation, from a seed to a verdict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use arco_core::{Digest, Timestamp};
use arco_flow::State;
use arco_log::{LogStore, Segment};
use arco_testkit::SeededIds;
use arco_testkit::clock::START;
use arco_testkit::random::Random;
use arco_testkit::replay::segments;
use arco_testkit::store::{FaultRates, FaultStore};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use tokio::time::Instant;

use crate::client::{Cadence, Client, manifest};
use crate::host::{LOCATION, Machine, Parts};
use crate::judge;
use crate::network::Network;
use crate::operator::Operator;
use crate::planted::{Forgetful, Planted};
use crate::record::Record;
use crate::replica::{Replica, WALL_OFF_MAX_MS};
use crate::weather::Weather;

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Everything that is drawn is drawn from it.
    pub seed: u64,
    /// How long things go wrong, by the simulation's time.
    pub chaos: Duration,
    /// In the middle of it everything is off for so long. Schedules are hourly then, else minutely.
    pub outage: Option<Duration>,
    /// A bug to plant.
    pub planted: Planted,
}

impl Scenario {
    /// A minute and a half of chaos.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            chaos: Duration::from_secs(90),
            outage: None,
            planted: Planted::Nothing,
        }
    }

    /// The same, with three days without power in the middle.
    #[must_use]
    pub fn with_outage(seed: u64) -> Self {
        Self {
            outage: Some(OUTAGE),
            ..Self::new(seed)
        }
    }

    fn cadence(&self) -> Cadence {
        let (cron, every_ms) = match self.outage {
            None => ("* * * * *", 60_000),
            Some(_) => ("0 * * * *", 3_600_000),
        };
        Cadence {
            cron,
            every_ms,
            all: match self.planted {
                Planted::CatchesUpWithLittle => "latest",
                _ => "all",
            },
        }
    }
}

const OUTAGE: Duration = Duration::from_secs(3 * 86_400);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Digest of the last segment, which chains all before it.
    pub log: Digest,
    /// Segments of the log.
    pub segments: u64,
    /// What does not hold; empty when all is well.
    pub violations: Vec<String>,
    /// Counts of what happened, by name.
    pub counts: BTreeMap<&'static str, u64>,
}

/// After the weather has cleared, what was asked is over within this time: some leases, some tries,
/// the longest body, and three days of ticks whose function is asked one after the other, with pauses when it fails.
const SETTLED_WITHIN: Duration = Duration::from_secs(600);

/// Simulates. The same scenario has the same outcome.
///
/// # Panics
/// When the runtime cannot be made, or an actor panics.
#[must_use]
pub fn run(scenario: Scenario) -> Outcome {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without threads or IO can be made")
        .block_on(simulate(scenario))
}

async fn simulate(scenario: Scenario) -> Outcome {
    let record = Record::default();
    let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let stage = Stage::build(scenario, &memory, &record);
    let began = Instant::now();
    let until = began + scenario.chaos;
    let mut violations = Vec::new();
    match stage.play(until).await {
        Ok(network) => stop(&network).await,
        Err(what) => violations.push(what),
    }
    // The judge reads what is there, past every way and every fault.
    let log = match segments(&LogStore::new(memory)).await {
        Ok(log) => log,
        Err(error) => {
            violations.push(format!("the log does not read: {error}"));
            Vec::new()
        }
    };
    let count = |kind: &str| {
        let events = log.iter().flat_map(Segment::positions);
        events.filter(|(_, event)| event.kind == kind).count() as u64
    };
    let mut seen = record.seen();
    for (what, kind) in [
        ("ticks", "tick.finished"),
        ("series of missed ticks", "ticks.missed"),
        ("tries of ticks", "tick.tried"),
        ("evaluations", "evaluation.finished"),
        ("messages", "message.accepted"),
    ] {
        seen.counts.insert(what, count(kind));
    }
    violations.extend(seen.wrong.iter().cloned());
    let lived = began.elapsed() + scenario.outage.unwrap_or_default();
    let times = judge::Times {
        every_ms: scenario.cadence().every_ms,
        // No clock is ahead by more, and none goes faster by a thousandth.
        end: START.plus_ms(
            u64::try_from(lived.as_millis()).unwrap_or(0) * 1_001 / 1_000 + WALL_OFF_MAX_MS,
        ),
    };
    violations.extend(judge::judge(&log, &times, &seen));
    Outcome {
        log: log
            .last()
            .map_or_else(|| Digest::of(b""), |last| last.digest),
        segments: log.last().map_or(0, Segment::number),
        violations,
        counts: seen.counts.clone(),
    }
}

struct Stage {
    network: Network,
    clients: Vec<Client>,
    /// In every other history: limits slow things down.
    operator: Option<Operator>,
    weather: Weather,
    cadence: Cadence,
}

impl Stage {
    fn build(scenario: Scenario, memory: &Arc<dyn ObjectStore>, record: &Record) -> Self {
        let mut random = Random::new(scenario.seed);
        let ids = SeededIds::new(random.number());
        let store = plant(scenario.planted, Arc::clone(memory));
        // Some people put two replicas behind one name.
        let one_name = random.chance(250);
        let replica = |name: &str, random: &mut Random| {
            let claimed = if one_name { "both" } else { name };
            let (store, ids) = (Arc::clone(&store), ids.split());
            Replica::new(name, claimed, store, ids, random.split(), record.clone())
        };
        let replicas = vec![replica("one", &mut random), replica("two", &mut random)];
        let network = Network::new(replicas, random.split());
        let machine = |n: u32, random: &mut Random| {
            let parts = Parts {
                name: format!("machine {n}"),
                network: network.clone(),
                ids: ids.split(),
                record: record.clone(),
                planted: scenario.planted,
            };
            Machine::new(parts, random.split())
        };
        let machines = vec![machine(1, &mut random), machine(2, &mut random)];
        let client = |name: &str, random: &mut Random| Client {
            name: name.into(),
            network: network.clone(),
            random: random.split(),
            record: record.clone(),
            cadence: scenario.cadence(),
            runs: Vec::new(),
        };
        let clients = vec![client("anna", &mut random), client("bert", &mut random)];
        let weather = Weather {
            network: network.clone(),
            machines,
            clients: clients.iter().map(|client| client.name.clone()).collect(),
            random: random.split(),
            record: record.clone(),
            outage: scenario.outage,
            planted: scenario.planted,
        };
        let operator = random.chance(500).then(|| Operator {
            network: network.clone(),
            random: random.split(),
            record: record.clone(),
        });
        Self {
            network,
            clients,
            operator,
            weather,
            cadence: scenario.cadence(),
        }
    }

    /// Starts everything, lets things go wrong, and waits until all works again.
    async fn play(mut self, until: Instant) -> Result<Network, String> {
        for index in 0..2 {
            self.network.start(index).await.map_err(|error| {
                format!("replica {index} does not start in good weather: {error}")
            })?;
        }
        let (engine, _) = self.network.inner().replicas[0]
            .answering()
            .expect("it was started");
        let first = manifest(0, self.cadence).json();
        let deployed = engine
            .deploy("client:sim", "deploy", LOCATION, &first)
            .await;
        deployed.map_err(|error| format!("the first deploy in good weather: {error}"))?;
        drop(engine);
        self.weather.machines.iter_mut().for_each(Machine::start);
        let operator = self
            .operator
            .map(|operator| tokio::spawn(operator.run(until)));
        let clients: Vec<_> = self
            .clients
            .into_iter()
            .map(|client| tokio::spawn(client.run(until)))
            .collect();
        let mut machines = self.weather.run(until).await?;
        for client in clients {
            client.await.map_err(|error| format!("a client: {error}"))?;
        }
        if let Some(operator) = operator {
            let lifted = operator.await;
            lifted.map_err(|error| format!("the operator: {error}"))?;
        }
        if !settled(&self.network, self.cadence.every_ms).await {
            return Err(
                "liveness: runs, messages or ticks wait long after the weather cleared".into(),
            );
        }
        machines.iter_mut().for_each(Machine::kill);
        Ok(self.network)
    }
}

async fn settled(network: &Network, every_ms: u64) -> bool {
    let deadline = Instant::now() + SETTLED_WITHIN;
    while Instant::now() < deadline {
        let idle = network.inner().replicas.iter().all(|replica| {
            replica
                .answering()
                .is_some_and(|(engine, _)| is_quiet(&engine.view().state, replica.wall(), every_ms))
        });
        if idle {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    false
}

/// Nothing goes on, nothing waits for user code, and every instant up to `now` is settled.
fn is_quiet(state: &State, now: Timestamp, every_ms: u64) -> bool {
    let mut sensors = state.sensors.values();
    let mut schedules = state.schedules.values();
    state.active_runs.is_empty()
        && sensors.all(|sensor| sensor.queue.is_empty())
        && schedules.all(|schedule| now.ms_since(schedule.settled) < every_ms)
}

async fn stop(network: &Network) {
    let engines: Vec<_> = network
        .inner()
        .replicas
        .iter_mut()
        .filter_map(Replica::leave)
        .collect();
    for engine in engines {
        let _ = engine.catch_up().await;
        engine.shutdown().await;
    }
}

fn plant(planted: Planted, memory: Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore> {
    match planted {
        Planted::StoreForgets => Arc::new(Forgetful {
            inner: memory,
            creates: AtomicU64::new(0),
        }),
        Planted::Nothing
        | Planted::HostIgnoresDeadline
        | Planted::CursorGoesBack
        | Planted::ClocksAreBelieved
        | Planted::CatchesUpWithLittle
        | Planted::MessagesAreLost => memory,
        Planted::StoreIgnoresConditions => {
            let rates = FaultRates {
                ignore_conditions: true,
                ..FaultRates::default()
            };
            FaultStore::new(memory, 0, rates)
        }
    }
}
