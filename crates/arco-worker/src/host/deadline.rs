//! Until when the host may believe that its attempts are its own. Pure.
//!
//! The control plane gives an attempt to another host when it has not heard from this one for a
//! lease time. It counts from when it *handled* a call, the host counts from *before it sent* that
//! call, and only calls that were answered count. So the host's deadline is never later than the
//! control plane's, without any clock being compared.

use crate::clock::Boottime;

#[cfg(test)]
mod tests;

/// Children are killed this long before the deadline. Killing takes microseconds; the rest is for a
/// machine that is so loaded that this process is late.
const MARGIN_MS_MAX: u64 = 500;
/// The dead-man switch is moved when at least this share of the lease time has been won: the hot
/// call is answered thousands of times a second, and moving it each time would wake the zygote.
const RENEW_SHARE: u64 = 12;

#[derive(Debug, Default)]
pub(super) struct Deadline {
    at: Option<Boottime>,
    told: Option<Boottime>,
    ttl_ms: u64,
}

impl Deadline {
    /// A call sent at `sent` was answered with this lease time.
    pub(super) fn answered(&mut self, sent: Boottime, ttl_ms: u64) {
        self.ttl_ms = ttl_ms;
        let until = sent.plus_ms(ttl_ms);
        self.at = Some(self.at.map_or(until, |known| known.max(until)));
    }

    /// When children must be killed; `None` while there is no lease to lose.
    pub(super) fn kill_at(&self) -> Option<Boottime> {
        self.at
            .map(|at| at.minus_ms(MARGIN_MS_MAX.min(self.ttl_ms / 4)))
    }

    /// Nothing is held any more.
    pub(super) fn clear(&mut self) {
        self.at = None;
        self.told = None;
    }

    /// The deadline to tell the zygotes, when it has moved enough.
    pub(super) fn due_to_tell(&mut self) -> Option<Boottime> {
        let at = self.at?;
        let worth = self
            .told
            .is_none_or(|told| at >= told.plus_ms(self.ttl_ms / RENEW_SHARE));
        if worth {
            self.told = Some(at);
        }
        worth.then_some(at)
    }

    /// The deadline as last told: for a zygote that has just come.
    pub(super) fn told(&self) -> Option<Boottime> {
        self.told
    }
}
