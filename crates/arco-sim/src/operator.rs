//! An operator who changes limits while things go wrong, and lifts them in the end.

use std::time::Duration;

use arco_core::limits::{Limits, PoolLimit, TimeLimits};
use arco_flow::command::Command;
use arco_testkit::random::Random;
use tokio::time::Instant;

use crate::network::Network;
use crate::record::Record;

/// Of asset `b`.
pub(crate) const POOL: &str = "db";

#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) network: Network,
    pub(crate) random: Random,
    pub(crate) record: Record,
}

impl Operator {
    /// Works until the chaos is over, and until the last limits are known to be lifted.
    pub(crate) async fn run(mut self, until: Instant) {
        while Instant::now() < until {
            let limits = self.limits();
            self.set(limits).await;
            let pause = self.random.between(3_000, 15_000);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        while !self.set(Limits::default()).await {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    fn limits(&mut self) -> Limits {
        let slots = |random: &mut Random| u32::try_from(random.between(1, 4)).unwrap_or(1);
        let ms = |random: &mut Random, from, to| {
            let limited = random.chance(500);
            limited.then(|| random.between(from, to))
        };
        let mut limits = Limits {
            runs: self.random.chance(600).then(|| slots(&mut self.random) + 2),
            times: TimeLimits {
                queue_ms: ms(&mut self.random, 5_000, 40_000),
                start_ms: ms(&mut self.random, 500, 5_000),
                run_ms: ms(&mut self.random, 3_000, 30_000),
            },
            ..Limits::default()
        };
        if self.random.chance(700) {
            let pool = PoolLimit {
                limit: slots(&mut self.random),
                granularity: Default::default(),
            };
            limits.pools.insert(POOL.into(), pool);
        }
        limits
    }

    /// Says whether it is known to have worked.
    async fn set(&mut self, limits: Limits) -> bool {
        let url = self.random.pick(&self.network.urls()).clone();
        let asked = self
            .network
            .call("operator", &url, |engine| async move {
                let command = Command::SetLimits(limits);
                engine.submit("client:sim", "limits", command).await
            })
            .await;
        match asked {
            Ok(_) => {
                self.record.count("limits set");
                true
            }
            Err(error) => {
                self.record.count(error.code());
                false
            }
        }
    }
}
