//! An engine as a process: started, killed, cut off from its store, started again.

use std::sync::Arc;
use std::time::Duration;

use arco_core::Timestamp;
use arco_engine::{Engine, EngineOptions, EngineSettings};
use arco_log::LogStore;
use arco_testkit::SeededIds;
use arco_testkit::clock::{RuntimeClock, START};
use arco_testkit::random::Random;
use arco_testkit::store::{FaultRates, FaultStore};
use object_store::ObjectStore;

use crate::record::Record;

/// How far a wall clock is off when all is well. Milliseconds.
pub(crate) const WALL_OFF_MAX_MS: u64 = 20_000;

/// One replica, or the ruins of it.
#[derive(Debug)]
pub(crate) struct Replica {
    /// Where it is reached.
    pub(crate) url: String,
    /// Where it says that it is reached.
    claimed: String,
    store: Arc<dyn ObjectStore>,
    ids: SeededIds,
    random: Random,
    record: Record,
    clock: RuntimeClock,
    process: Option<Process>,
    rates: FaultRates,
    /// Counts processes, so that an answer of a dead one is not taken for one of its successor.
    generation: u64,
}

#[derive(Debug)]
struct Process {
    engine: Engine,
    way: Arc<FaultStore>,
}

/// Short leases, so that a few minutes hold many of them.
pub(crate) fn settings() -> EngineSettings {
    EngineSettings {
        host_lease_ttl_ms: 5_000,
        host_heartbeat_ms: 1_000,
        leader_ttl_ms: 10_000,
        follow_ms: 500,
        snapshot_segments: 60,
        ended_runs_max: 15,
        ticks_max: 10,
        evaluations_max: 10,
        inline_plan_max: 300,
        offload: false,
        ..EngineSettings::default()
    }
}

/// A request to a dead process, or from one.
fn dead() -> FaultRates {
    FaultRates {
        hang: 1_000,
        ..FaultRates::default()
    }
}

impl Replica {
    pub(crate) fn new(
        name: &str,
        claimed: &str,
        store: Arc<dyn ObjectStore>,
        ids: SeededIds,
        mut random: Random,
        record: Record,
    ) -> Self {
        // No two machines agree on the time, nor on how fast it goes.
        let most = i64::try_from(2 * WALL_OFF_MAX_MS).unwrap_or(0);
        let off = i64::try_from(random.between(0, 2 * WALL_OFF_MAX_MS)).unwrap_or(0) - most / 2;
        let drift = i64::try_from(random.between(0, 200)).unwrap_or(0) - 100;
        let boot = Duration::from_millis(random.between(0, 10_000_000));
        let clock = RuntimeClock::new(Timestamp(START.0 + off), boot, drift);
        Self {
            url: format!("http://{name}"),
            claimed: format!("http://{claimed}"),
            store,
            ids,
            random,
            record,
            clock,
            process: None,
            rates: FaultRates::default(),
            generation: 0,
        }
    }

    /// Who answers at its url, and which process that is.
    pub(crate) fn answering(&self) -> Option<(Engine, u64)> {
        let process = self.process.as_ref()?;
        Some((process.engine.clone(), self.generation))
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// How its way to the store behaves from now on.
    pub(crate) fn set_rates(&mut self, rates: FaultRates) {
        self.rates = rates;
        if let Some(process) = &self.process {
            process.way.set_rates(rates);
        }
    }

    /// The parts of a new process. The caller starts it outside of any lock: that takes time.
    pub(crate) fn begin(&mut self) -> (EngineOptions, Arc<FaultStore>) {
        let way = FaultStore::new(Arc::clone(&self.store), self.random.number(), self.rates);
        let clock = self.clock.clone();
        way.set_clock(move || {
            let wall = arco_engine::clock::Clock::wall(&clock);
            u64::try_from(wall.0).unwrap_or(0)
        });
        let options = EngineOptions {
            store: LogStore::new(Arc::clone(&way) as _),
            tenant: "default".into(),
            workspace: "default".into(),
            url: self.claimed.clone(),
            clock: Arc::new(self.clock.clone()),
            ids: Arc::new(self.ids.split()),
            settings: settings(),
        };
        (options, way)
    }

    /// The new process answers from now on.
    pub(crate) fn began(&mut self, engine: Engine, way: Arc<FaultStore>) {
        self.generation += 1;
        way.set_rates(self.rates);
        tokio::spawn(write_down_states(
            self.url.clone(),
            engine.clone(),
            self.record.clone(),
        ));
        self.process = Some(Process { engine, way });
    }

    /// Its wall clock shows something else from now on; 0 sets it right.
    pub(crate) fn set_wall_off(&self, ms: i64) {
        self.clock.set_wall_off(ms);
    }

    /// Its machine was off for so long.
    pub(crate) fn skip(&self, time: Duration) {
        self.clock.skip(time);
    }

    /// What its wall clock shows.
    pub(crate) fn wall(&self) -> Timestamp {
        arco_engine::clock::Clock::wall(&self.clock)
    }

    /// Ends the process from one moment to the next. What it had sent to the store may still land.
    pub(crate) fn kill(&mut self) {
        let Some(process) = self.process.take() else {
            return;
        };
        self.record.count("replicas killed");
        process.way.set_rates(dead());
        // Its tasks cannot be stopped from outside; nothing they do reaches anyone any more.
        tokio::spawn(async move { process.engine.shutdown().await });
    }

    /// Takes the process out for a graceful end.
    pub(crate) fn leave(&mut self) -> Option<Engine> {
        let process = self.process.take()?;
        self.record.count("replicas stopped");
        Some(process.engine)
    }
}

/// Which states are compared: one that went wrong does not mend by itself.
pub(crate) fn is_compared(segment: u64) -> bool {
    segment.is_multiple_of(4)
}

/// Writes down the hash of the states the replica shows.
async fn write_down_states(url: String, engine: Engine, record: Record) {
    let mut views = engine.commits();
    drop(engine);
    while views.changed().await.is_ok() {
        let view = Arc::clone(&views.borrow_and_update());
        if is_compared(view.head.segment) {
            record.state(&url, view.position(), view.state.hash());
        }
        if let Some(reason) = &view.read_only {
            record
                .seen()
                .wrong
                .push(format!("{url} reads only: {reason}"));
            return;
        }
    }
}
