//! How many leases beyond the slots are worth holding. Pure.
//!
//! A round trip to the control plane contains a commit, some milliseconds. While bodies are shorter
//! than that, slots would stand idle for most of the time; with a few leases waiting in hand they
//! do not. While bodies are long, a lease in hand is one that another host could be running.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// Below this mean body time leases are fetched ahead: a few round trips long.
const SHORT_MS: f64 = 20.0;
/// What a body that is found to be long counts as, whatever it will take in the end.
pub(super) const LONG_MS: u64 = 100;
/// Weight of the newest body. Some ten bodies decide.
const WEIGHT: f64 = 0.2;

/// The recent bodies, as one number.
#[derive(Debug, Default)]
pub(super) struct Prefetch {
    mean_ms: Option<f64>,
}

impl Prefetch {
    pub(super) fn body_took(&mut self, body: Duration) {
        let ms = body.as_secs_f64() * 1_000.0;
        let mean = self.mean_ms.unwrap_or(ms);
        self.mean_ms = Some(mean + WEIGHT * (ms - mean));
    }

    /// Bodies that run now have proven long: forget the short ones before.
    pub(super) fn found_long(&mut self) {
        self.mean_ms = Some(LONG_MS as f64);
    }

    /// Leases to hold beyond the slots.
    pub(super) fn extra(&self, max: u32) -> u32 {
        match self.mean_ms {
            Some(mean) if mean < SHORT_MS => max,
            _ => 0,
        }
    }
}
