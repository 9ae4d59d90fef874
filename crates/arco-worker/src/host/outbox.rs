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
/// While more work waits in hand nobody is idle, and ends may wait this long for company: many short
/// bodies then share a call, at the control plane a commit.
const BATCH_MS: u64 = 2;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Report>,
    /// When the oldest fact that is waiting came.
    since: Option<Boottime>,
    urgent: bool,
    seq: u64,
    unanswered: Option<Exchange>,
}

impl Outbox {
    pub(super) fn push(&mut self, attempt: AttemptId, fact: Fact, now: Boottime) {
        self.urgent |= matches!(fact, Fact::Finished { .. });
        self.since.get_or_insert(now);
        self.waiting.push_back(Report { attempt, fact });
    }

    /// When the facts that are waiting should go; `None` when there are none. `work_waits`: leases
    /// are in hand that no child has begun.
    pub(super) fn due(&self, work_waits: bool) -> Option<Boottime> {
        let patience = match (self.urgent, work_waits) {
            (true, false) => 0,
            (true, true) => BATCH_MS,
            (false, _) => LINGER_MS,
        };
        Some(self.since?.plus_ms(patience))
    }

    /// Makes the next exchange of what is waiting. The one before must be answered. `live` are the
    /// attempts in hand; those whose end is still to be told are alive for the control plane too,
    /// else it would give them again.
    pub(super) fn next(&mut self, want: u32, wait_ms: u64, mut live: Vec<AttemptId>) -> &Exchange {
        debug_assert!(self.unanswered.is_none(), "one exchange at a time");
        let count = self.waiting.len().min(REPORTS_MAX);
        let reports: Vec<Report> = self.waiting.drain(..count).collect();
        live.extend(self.waiting.iter().map(|report| report.attempt));
        self.settle();
        self.seq += 1;
        self.unanswered.insert(Exchange {
            seq: self.seq,
            reports,
            want,
            wait_ms,
            live,
        })
    }

    pub(super) fn unanswered(&self) -> Option<&Exchange> {
        self.unanswered.as_ref()
    }

    /// A call that only asked for work is not worth repeating: leases it may have been given are
    /// given again, because the next call does not name them among those that live.
    pub(super) fn drop_wish(&mut self) {
        self.unanswered
            .take_if(|exchange| exchange.reports.is_empty());
    }

    /// The answer is here.
    pub(super) fn answered(&mut self) -> Option<Exchange> {
        self.unanswered.take()
    }

    /// The exchange was refused as a whole. Its facts go again one attempt at a time, so that only
    /// the attempt that spoils it is hurt; when it was one attempt alone, that is the culprit.
    pub(super) fn split(&mut self, now: Boottime) -> Option<AttemptId> {
        let refused = self.unanswered.take()?;
        let first = refused.reports.first()?.attempt;
        let (reports, others): (Vec<_>, Vec<_>) = refused
            .reports
            .into_iter()
            .partition(|report| report.attempt == first);
        if others.is_empty() {
            return Some(first);
        }
        let live = refused
            .live
            .into_iter()
            .chain(others.iter().map(|report| report.attempt));
        let live = live.collect();
        for report in others.into_iter().rev() {
            self.waiting.push_front(report);
        }
        self.since = Some(now);
        self.urgent = true;
        self.seq += 1;
        self.unanswered = Some(Exchange {
            seq: self.seq,
            reports,
            want: 0,
            wait_ms: 0,
            live,
        });
        None
    }

    /// Facts of an attempt that is not ours any more are not sent.
    pub(super) fn forget(&mut self, attempt: AttemptId) {
        self.waiting.retain(|report| report.attempt != attempt);
        self.settle();
    }

    /// Attempts with facts that the control plane has not taken yet.
    pub(super) fn undelivered(&self) -> BTreeSet<AttemptId> {
        let sent = self
            .unanswered
            .iter()
            .flat_map(|exchange| &exchange.reports);
        self.waiting
            .iter()
            .chain(sent)
            .map(|report| report.attempt)
            .collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.unanswered.is_none()
    }

    fn settle(&mut self) {
        if self.waiting.is_empty() {
            self.since = None;
            self.urgent = false;
        }
    }
}
