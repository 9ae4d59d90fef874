//! Ids from a seed.

use std::sync::{Arc, Mutex, PoisonError};

use arco_core::{HostId, RunId};
use arco_engine::ids::Ids;

use crate::random::Random;

/// A source of ids that gives the same ones every time. Clones share it.
#[derive(Debug, Clone)]
pub struct SeededIds(Arc<Mutex<Random>>);

impl SeededIds {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Random::new(seed))))
    }

    /// A source of its own, for one more process.
    #[must_use]
    pub fn split(&self) -> Self {
        let child = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .split();
        Self(Arc::new(Mutex::new(child)))
    }

    /// A fresh host id.
    #[must_use]
    pub fn host(&self) -> HostId {
        HostId::from_parts(0, self.random())
    }

    /// A fresh run id.
    #[must_use]
    pub fn run(&self) -> RunId {
        RunId::from_parts(0, self.random())
    }
}

impl Ids for SeededIds {
    fn random(&self) -> u128 {
        let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        u128::from(random.number()) << 64 | u128::from(random.number())
    }
}
