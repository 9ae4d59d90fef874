//! What goes wrong, and when.

use std::time::Duration;

use arco_testkit::random::Random;
use arco_testkit::store::FaultRates;
use tokio::time::Instant;

use crate::host::Machine;
use crate::network::Network;
use crate::planted::Planted;
use crate::record::Record;
use crate::replica::Replica;

/// Makes the weather.
pub(crate) struct Weather {
    pub(crate) network: Network,
    pub(crate) machines: Vec<Machine>,
    pub(crate) clients: Vec<String>,
    pub(crate) random: Random,
    pub(crate) record: Record,
    /// Everything is off for so long, once.
    pub(crate) outage: Option<Duration>,
    pub(crate) planted: Planted,
}

const HOUR_MS: i64 = 3_600_000;
/// What wall clocks are set off by.
const JUMPS_MS: [i64; 3] = [HOUR_MS, 24 * HOUR_MS, -HOUR_MS];

/// Puts that fail, land late or twice, in the scale of the simulation's leases.
fn rough() -> FaultRates {
    FaultRates {
        delay_max: Duration::from_millis(1_500),
        later_max: Duration::from_secs(25),
        // A body cut short twice in a row looks like a damaged object, and that replica reads only.
        truncate: 0,
        ..FaultRates::rough()
    }
}

impl Weather {
    /// Something goes wrong every few seconds, until the time is up. Gives the machines back.
    ///
    /// # Errors
    /// When a replica does not start although everything works again.
    pub(crate) async fn run(mut self, until: Instant) -> Result<Vec<Machine>, String> {
        let half = Instant::now() + until.saturating_duration_since(Instant::now()) / 2;
        while Instant::now() < until {
            if Instant::now() >= half
                && let Some(time) = self.outage.take()
            {
                self.off(time).await;
            }
            let calm = self.random.between(500, 6_000);
            tokio::time::sleep(Duration::from_millis(calm)).await;
            self.strike().await;
        }
        self.clear().await?;
        Ok(self.machines)
    }

    fn replica(&mut self) -> usize {
        let count = self.network.inner().replicas.len();
        self.below(count)
    }

    fn machine(&mut self) -> usize {
        self.below(self.machines.len())
    }

    fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(1);
        usize::try_from(self.random.below(count)).unwrap_or(0)
    }

    /// Lengths below and above the leases of hosts (5 s) and leaders (10 s).
    async fn for_a_while(&mut self) {
        let long = self.random.between(500, 14_000);
        tokio::time::sleep(Duration::from_millis(long)).await;
    }

    async fn strike(&mut self) {
        match self.random.below(12) {
            0..2 => {
                let index = self.replica();
                self.network.inner().replicas[index].set_rates(rough());
                self.for_a_while().await;
                self.network.inner().replicas[index].set_rates(FaultRates::default());
            }
            2 => {
                let index = self.replica();
                self.network.inner().replicas[index].set_rates(FaultRates::outage());
                self.for_a_while().await;
                self.network.inner().replicas[index].set_rates(FaultRates::default());
            }
            3 => self.cut().await,
            4 => {
                self.network.inner().loss = self.random.between(10, 200);
                self.for_a_while().await;
                self.network.inner().loss = 0;
            }
            5 => {
                let index = self.machine();
                self.machines[index].kill();
                self.for_a_while().await;
                self.machines[index].start();
            }
            6..8 => {
                let index = self.machine();
                self.machines[index].stall(true);
                self.for_a_while().await;
                self.machines[index].stall(false);
            }
            8 => {
                let index = self.replica();
                self.network.inner().replicas[index].kill();
                self.for_a_while().await;
                self.start(index).await;
            }
            9..11 => self.set_clock().await,
            _ => {
                let index = self.replica();
                let leaving = self.network.inner().replicas[index].leave();
                if let Some(engine) = leaving {
                    engine.shutdown().await;
                }
                self.for_a_while().await;
                self.start(index).await;
            }
        }
    }

    /// The wall clock of a machine is set wrong, and right again, while everything runs.
    async fn set_clock(&mut self) {
        let index = self.replica();
        let off = *self.random.pick(&JUMPS_MS);
        self.record.count("clocks set");
        let set = |off: i64| {
            let inner = self.network.inner();
            let replica = &inner.replicas[index];
            match (self.planted, u64::try_from(off)) {
                (Planted::ClocksAreBelieved, Ok(off)) => replica.skip(Duration::from_millis(off)),
                _ => replica.set_wall_off(off),
            }
        };
        set(off);
        let long = self.random.between(500, 14_000);
        tokio::time::sleep(Duration::from_millis(long)).await;
        set(0);
    }

    /// All machines lose their power at once, and have it again after `time`, which passes on their clocks alone.
    async fn off(&mut self, time: Duration) {
        self.record.count("outages");
        self.machines.iter_mut().for_each(Machine::kill);
        {
            let mut inner = self.network.inner();
            inner.era += 1;
            inner.sent.clear();
            inner.replicas.iter_mut().for_each(Replica::kill);
        }
        // What was on its way to the store may still land.
        self.for_a_while().await;
        let replicas = {
            let inner = self.network.inner();
            inner.replicas.iter().for_each(|replica| replica.skip(time));
            inner.replicas.len()
        };
        for index in 0..replicas {
            self.start(index).await;
        }
        self.machines.iter_mut().for_each(Machine::start);
    }

    /// A start may fail while the way to the store is rough; the end of the weather tries again.
    async fn start(&self, index: usize) {
        let _ = self.network.start(index).await;
    }

    /// One or more pairs hear nothing of each other.
    async fn cut(&mut self) {
        let urls = self.network.urls();
        let machines = (1..=self.machines.len()).map(|n| format!("machine {n}"));
        let all: Vec<String> = machines.chain(self.clients.iter().cloned()).collect();
        for _ in 0..self.random.between(1, 4) {
            let pair = (
                self.random.pick(&all).clone(),
                self.random.pick(&urls).clone(),
            );
            self.network.inner().cuts.insert(pair);
        }
        self.for_a_while().await;
        self.network.inner().cuts.clear();
    }

    /// Everything works again.
    async fn clear(&mut self) -> Result<(), String> {
        {
            let mut inner = self.network.inner();
            inner.cuts.clear();
            inner.loss = 0;
            inner
                .replicas
                .iter_mut()
                .for_each(|r| r.set_rates(FaultRates::default()));
        }
        self.machines.iter_mut().for_each(Machine::start);
        let replicas = self.network.inner().replicas.len();
        for index in 0..replicas {
            self.network.start(index).await.map_err(|error| {
                format!("liveness: replica {index} does not start in good weather: {error}")
            })?;
        }
        Ok(())
    }
}
