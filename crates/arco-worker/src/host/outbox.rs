//! Facts on their way to the control plane. Pure.
//!
//! One exchange is under way at a time. What was put into it stays here until it is answered, and is
//! sent again under the same number, so that a lost answer costs nothing and nothing acts twice.

use std::collections::{BTreeSet, VecDeque};

use arco_core::AttemptId;
use arco_wire::worker::{Exchange, Fact, Report};

use crate::clock::Boottime;

#[cfg(test)]
mod tests;

/// Facts of one call. A call of this size is some hundred kilobytes and one commit.
const REPORTS_MAX: usize = 2_000;
/// That a body began is news for people and may wait this long for company: with short bodies it
/// then travels with their end, and a task costs one call instead of two.
const LINGER_MS: u64 = 25;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Report>,
    /// When the oldest fact that is waiting came.
    since: Option<Boottime>,
    urgent: bool,
    seq: u64,
    unanswered: Option<Unanswered>,
}

/// An exchange whose answer has not been heard.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub exchange: Exchange,
    /// It was made before the last registration: leases it may have been given are not in the list
    /// that was registered, so the control plane no longer counts on them.
    pub before_registration: bool,
}

impl Outbox {
    pub(super) fn push(&mut self, attempt: AttemptId, fact: Fact, now: Boottime) {
        self.urgent |= matches!(fact, Fact::Finished { .. });
        self.since.get_or_insert(now);
        self.waiting.push_back(Report { attempt, fact });
    }

    /// When the facts that are waiting should go; `None` when there are none.
    pub(super) fn due(&self, now: Boottime) -> Option<Boottime> {
        let since = self.since?;
        Some(if self.urgent {
            now
        } else {
            since.plus_ms(LINGER_MS)
        })
    }

    /// Makes the next exchange of what is waiting. The one before must be answered.
    pub(super) fn next(&mut self, want: u32, wait_ms: u64, live: Vec<AttemptId>) -> &Exchange {
        debug_assert!(self.unanswered.is_none(), "one exchange at a time");
        let count = self.waiting.len().min(REPORTS_MAX);
        let reports: Vec<Report> = self.waiting.drain(..count).collect();
        if self.waiting.is_empty() {
            self.since = None;
            self.urgent = false;
        }
        self.seq += 1;
        let exchange = Exchange {
            seq: self.seq,
            reports,
            want,
            wait_ms,
            live,
        };
        &self
            .unanswered
            .insert(Unanswered {
                exchange,
                before_registration: false,
            })
            .exchange
    }

    pub(super) fn unanswered(&self) -> Option<&Unanswered> {
        self.unanswered.as_ref()
    }

    /// The same exchange shall not wait for work this time: there is something to say after it.
    pub(super) fn hurry(&mut self) {
        if let Some(unanswered) = &mut self.unanswered {
            unanswered.exchange.wait_ms = 0;
        }
    }

    /// The host has registered (again). What the call before may have been given is not in the list
    /// that was registered; if it has not been given anything yet, it shall not be.
    pub(super) fn registered(&mut self) {
        self.hurry();
        if let Some(unanswered) = &mut self.unanswered {
            unanswered.exchange.want = 0;
            unanswered.before_registration = true;
        }
    }

    /// The answer is here.
    pub(super) fn answered(&mut self) -> Option<Unanswered> {
        self.unanswered.take()
    }

    /// The exchange was refused as a whole. Its facts go again one attempt at a time, so that only
    /// the attempt that spoils it is hurt; when it was one attempt alone, that is the culprit.
    pub(super) fn split(&mut self, now: Boottime) -> Option<AttemptId> {
        let reports = self.unanswered.take()?.exchange.reports;
        // A refused call has had no effect, so its number is still free.
        self.seq -= 1;
        let first = reports.first()?.attempt;
        let (alone, others): (Vec<_>, Vec<_>) = reports
            .into_iter()
            .partition(|report| report.attempt == first);
        if others.is_empty() {
            return Some(first);
        }
        for report in others.into_iter().rev() {
            self.waiting.push_front(report);
        }
        self.since = Some(now);
        self.urgent = true;
        self.seq += 1;
        let exchange = Exchange {
            seq: self.seq,
            reports: alone,
            ..Exchange::default()
        };
        self.unanswered = Some(Unanswered {
            exchange,
            before_registration: false,
        });
        None
    }

    /// Facts of an attempt that is not ours any more are not sent.
    pub(super) fn forget(&mut self, attempt: AttemptId) {
        self.waiting.retain(|report| report.attempt != attempt);
        if self.waiting.is_empty() {
            self.since = None;
            self.urgent = false;
        }
    }

    /// Attempts with facts that the control plane has not taken yet.
    pub(super) fn undelivered(&self) -> BTreeSet<AttemptId> {
        let sent = self
            .unanswered
            .iter()
            .flat_map(|unanswered| &unanswered.exchange.reports);
        self.waiting
            .iter()
            .chain(sent)
            .map(|report| report.attempt)
            .collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.unanswered.is_none()
    }
}
