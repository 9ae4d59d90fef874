//! The attempts that are in this host's hands: waiting, or in a child. Pure.
//!
//! An attempt gets in once. Its lease may come again with the answer to a repeated call, even after
//! its body has ended; it is recognised and nothing runs twice.

use std::collections::{BTreeMap, HashSet, VecDeque};

use arco_core::AttemptId;
use arco_wire::worker::Lease;

use crate::child::ChildId;
use crate::clock::Boottime;

#[cfg(test)]
mod tests;

/// Ended attempts that are remembered. A repeated answer concerns the last call, which carries at
/// most the slots and what was fetched ahead: this is far more.
const ENDED_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Hands {
    waiting: VecDeque<Lease>,
    running: BTreeMap<AttemptId, ChildId>,
    ended: VecDeque<AttemptId>,
    known: HashSet<AttemptId>,
    /// When a body last began or ended.
    moved: Option<Boottime>,
}

impl Hands {
    /// Takes a lease, unless it has been here before.
    pub(super) fn take(&mut self, lease: Lease) -> bool {
        let new = self.known.insert(lease.attempt);
        if new {
            self.waiting.push_back(lease);
        }
        new
    }

    /// Leases that wait, first come first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Lease> {
        self.waiting.iter()
    }

    pub(super) fn waiting_count(&self) -> u32 {
        u32::try_from(self.waiting.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn running_count(&self) -> u32 {
        u32::try_from(self.running.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// The lease at `index` of those that wait goes to a child.
    pub(super) fn begin(&mut self, index: usize, child: ChildId, now: Boottime) -> Option<Lease> {
        let lease = self.waiting.remove(index)?;
        self.running.insert(lease.attempt, child);
        self.moved = Some(now);
        Some(lease)
    }

    /// The child is done with its attempt.
    pub(super) fn end(&mut self, child: ChildId, now: Boottime) -> Option<AttemptId> {
        let attempt = self.attempt_of(child)?;
        self.running.remove(&attempt);
        self.moved = Some(now);
        self.forget(attempt);
        Some(attempt)
    }

    pub(super) fn attempt_of(&self, child: ChildId) -> Option<AttemptId> {
        let mut running = self.running.iter();
        running
            .find(|(_, busy)| **busy == child)
            .map(|(attempt, _)| *attempt)
    }

    pub(super) fn child_of(&self, attempt: AttemptId) -> Option<ChildId> {
        self.running.get(&attempt).copied()
    }

    pub(super) fn running(&self) -> impl Iterator<Item = (AttemptId, ChildId)> + '_ {
        self.running
            .iter()
            .map(|(attempt, child)| (*attempt, *child))
    }

    pub(super) fn holds(&self, attempt: AttemptId) -> bool {
        self.running.contains_key(&attempt)
            || self.waiting.iter().any(|lease| lease.attempt == attempt)
    }

    /// Takes one lease back out of those that wait. It may come again: it never ran.
    pub(super) fn put_down(&mut self, attempt: AttemptId) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|lease| lease.attempt != attempt);
        let there = self.waiting.len() < before;
        if there {
            self.known.remove(&attempt);
        }
        there
    }

    /// Takes all leases back out of those that wait.
    pub(super) fn put_down_all(&mut self) -> Vec<AttemptId> {
        let attempts: Vec<_> = self.waiting.drain(..).map(|lease| lease.attempt).collect();
        for attempt in &attempts {
            self.known.remove(attempt);
        }
        attempts
    }

    /// Everything is let go: children that still run are not ours to speak of.
    pub(super) fn let_go(&mut self) -> Vec<AttemptId> {
        let attempts: Vec<_> = std::mem::take(&mut self.running).into_keys().collect();
        for attempt in &attempts {
            self.forget(*attempt);
        }
        attempts
    }

    /// All attempts in hand.
    pub(super) fn attempts(&self) -> Vec<AttemptId> {
        let waiting = self.waiting.iter().map(|lease| lease.attempt);
        self.running.keys().copied().chain(waiting).collect()
    }

    /// When a body last began or ended.
    pub(super) fn moved(&self) -> Option<Boottime> {
        self.moved
    }

    fn forget(&mut self, attempt: AttemptId) {
        self.ended.push_back(attempt);
        if self.ended.len() > ENDED_MAX
            && let Some(oldest) = self.ended.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}
