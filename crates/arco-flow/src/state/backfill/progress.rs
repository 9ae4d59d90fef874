//! How far a backfill is: which chunks may become runs, and what became of each partition.
//!
//! Readiness is per partition (D-15): a member is ready when every targeted partition that it reads is done.
//! A chunk is open when all its members are ready and it was not planned. Both are kept up as members are
//! settled, so that what is next costs nothing to find; what they cost follows what changed. A member whose
//! parent failed never becomes ready: nothing has to be passed on, and what is left when nothing is open and
//! nothing goes on was not tried because of a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arco_core::backfill::{BackfillOrder, BackfillTarget};
use serde::{Deserialize, Serialize};

use super::shape::{Need, Shape, UnitShape};
use crate::state::PagedBitmap;

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Made by a run of the backfill, with no blocking check failed (B-21).
    Done,
    /// Its run ended without making it, with no try left (B-13, B-16).
    Failed,
    /// Left unmade on purpose: its body may, and nothing failed.
    Skipped,
}

/// How far one unit is. All by member, but for `open` and `planned`, which are by chunk of the unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitProgress {
    /// Everything they read is done.
    pub ready: PagedBitmap,
    /// Chunks that may become runs.
    pub open: PagedBitmap,
    /// Chunks that became runs, or were dropped.
    pub planned: PagedBitmap,
    /// Made.
    pub done: PagedBitmap,
    /// Tried, and not made.
    pub failed: PagedBitmap,
    /// Tried, and left unmade on purpose.
    pub skipped: PagedBitmap,
    /// By the number of an asset of the unit: made, of members that are not done as a whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub partly: BTreeMap<u32, PagedBitmap>,
}

impl UnitProgress {
    /// Whether what a need reads of a member is made.
    fn is_made(&self, need: &Need, member: u32) -> bool {
        self.done.contains(member)
            || !need.assets.is_empty() && need.assets.iter().all(|at| self.made_partly(*at, member))
    }

    /// Whether an asset of a member that is not done was made.
    #[must_use]
    pub fn made_partly(&self, asset: u32, member: u32) -> bool {
        let known = self.partly.get(&asset);
        known.is_some_and(|members| members.contains(member))
    }

    /// Whether what a need reads of some members is made.
    fn are_made(&self, need: &Need, members: Range<u32>) -> bool {
        let is_partly = !self.partly.is_empty();
        self.done.contains_range(members.clone())
            || is_partly && { members }.all(|member| self.is_made(need, member))
    }

    fn is_settled(&self, member: u32) -> bool {
        self.done.contains(member) || self.failed.contains(member) || self.skipped.contains(member)
    }
}

/// How far a backfill is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Progress {
    /// One per unit of the target.
    pub units: Vec<UnitProgress>,
}

/// Partitions by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Made.
    pub done: u64,
    /// Tried, and not made.
    pub failed: u64,
    /// Tried, and left unmade on purpose.
    pub skipped: u64,
}

impl Progress {
    /// Nothing is planned yet.
    #[must_use]
    pub fn new(shape: &Shape, target: &BackfillTarget) -> Self {
        let mut out = Self {
            units: vec![UnitProgress::default(); shape.units.len()],
        };
        for (at, unit) in target.units.iter().enumerate() {
            for range in unit.ready.ranges() {
                let member = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
                out.units[at]
                    .ready
                    .insert_range(member(range.start)..member(range.end));
            }
            let ready = &out.units[at].ready;
            let is_whole = |chunk: &u32| is_whole(&shape.units[at], ready, *chunk);
            let open = if shape.units[at].chunk_size == 1 {
                ready.clone()
            } else if ready.len() == u64::from(shape.units[at].count()) {
                PagedBitmap::of_range(0..shape.units[at].chunks())
            } else {
                (0..shape.units[at].chunks()).filter(is_whole).collect()
            };
            out.units[at].open = open;
        }
        out
    }

    /// Partitions by what became of them.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for unit in &self.units {
            tally.done += unit.done.len();
            tally.failed += unit.failed.len();
            tally.skipped += unit.skipped.len();
        }
        tally
    }

    /// Chunks that may become runs.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.units.iter().map(|unit| unit.open.len()).sum()
    }

    /// Chunks that became runs, or were dropped.
    #[must_use]
    pub fn planned(&self) -> u64 {
        self.units.iter().map(|unit| unit.planned.len()).sum()
    }

    /// The open chunks in order, (unit, chunk of it); earlier units first.
    pub fn next(&self, order: BackfillOrder) -> impl Iterator<Item = (usize, u32)> + '_ {
        self.units.iter().enumerate().flat_map(move |(at, unit)| {
            let chunks: Box<dyn Iterator<Item = u32>> = match order {
                BackfillOrder::Oldest => Box::new(unit.open.iter()),
                BackfillOrder::Newest => Box::new(unit.open.iter_rev()),
            };
            chunks.map(move |chunk| (at, chunk))
        })
    }

    /// Chunks of which some members are ready and the others never will be. Right only when no chunk is
    /// open and no run goes on. What reads such a chunk may wait for it still, and comes when it is over.
    pub fn rest<'a>(&'a self, shape: &'a Shape) -> impl Iterator<Item = (usize, u32)> + 'a {
        let mut comes_later = vec![false; self.units.len()];
        let mut now: Vec<(usize, usize)> = Vec::new();
        for (at, unit) in shape.units.iter().enumerate() {
            let reads = |to: usize| unit.needs.iter().any(move |need| need.unit == to);
            let waits = (0..at).any(|before| comes_later[before] && reads(before));
            if !waits {
                now.push((at, if reads(at) { 1 } else { usize::MAX }));
            }
            comes_later[at] = waits || self.partly_ready(shape, at).next().is_some();
        }
        let chunks = move |(at, most)| self.partly_ready(shape, at).take(most);
        now.into_iter().flat_map(chunks)
    }

    /// The chunks of a unit that are not planned and of which some members are ready.
    fn partly_ready<'a>(
        &'a self,
        shape: &'a Shape,
        at: usize,
    ) -> impl Iterator<Item = (usize, u32)> + 'a {
        let (unit, progress) = (&shape.units[at], &self.units[at]);
        // A chunk of one member is open as soon as that is ready.
        let several = if unit.chunk_size > 1 {
            unit.chunks()
        } else {
            0
        };
        let chunks = (0..several).filter(|chunk| !progress.planned.contains(*chunk));
        chunks
            .filter(|chunk| progress.ready.count(unit.members_of(*chunk)) > 0)
            .map(move |chunk| (at, chunk))
    }

    /// The members of a chunk that a run of it makes: all, or of the rest those that are ready, as far as
    /// they read none of the others.
    #[must_use]
    pub fn members(&self, shape: &Shape, unit: usize, chunk: u32) -> Vec<u32> {
        let (form, progress) = (&shape.units[unit], &self.units[unit]);
        let range = form.members_of(chunk);
        let mut out: Vec<u32> = Vec::with_capacity(range.len());
        for member in range.clone() {
            let reads_others = form
                .needs
                .iter()
                .filter(|need| need.unit == unit)
                .any(|need| {
                    let own = needed(shape, unit, need, member);
                    own.into_iter().flatten().any(|n| {
                        n != member && range.contains(&n) && out.binary_search(&n).is_err()
                    })
                });
            let goes = progress.ready.contains(member) && !reads_others;
            if goes || progress.open.contains(chunk) {
                out.push(member);
            }
        }
        out
    }

    /// A chunk became a run, or was dropped. Says whether it was not planned before.
    pub fn plan(&mut self, unit: usize, chunk: u32) -> bool {
        self.units[unit].open.remove(chunk);
        self.units[unit].planned.insert(chunk)
    }

    /// A member is over; opens what that makes ready. Settling again changes nothing.
    pub fn settle(&mut self, shape: &Shape, unit: usize, member: u32, how: Settled) {
        self.settle_partly(shape, unit, member, how, &BTreeSet::new());
    }

    /// As [`Self::settle`], with the assets, by number, that were made though the member is not done: what
    /// reads nothing else of it goes on (B-13).
    pub fn settle_partly(
        &mut self,
        shape: &Shape,
        unit: usize,
        member: u32,
        how: Settled,
        made: &BTreeSet<u32>,
    ) {
        if member >= shape.units[unit].count() || self.units[unit].is_settled(member) {
            return;
        }
        match how {
            Settled::Done => self.units[unit].done.insert(member),
            Settled::Failed => self.units[unit].failed.insert(member),
            Settled::Skipped => self.units[unit].skipped.insert(member),
        };
        if how != Settled::Done {
            if made.is_empty() {
                return;
            }
            for asset in made {
                let partly = &mut self.units[unit].partly;
                partly.entry(*asset).or_default().insert(member);
            }
        }
        for (reader, place) in &shape.units[unit].readers {
            let need = &shape.units[*reader].needs[*place];
            if need.reads_all {
                let count = shape.units[unit].count();
                let progress = &self.units[unit];
                let all_done = match progress.partly.is_empty() {
                    true => progress.done.len() == u64::from(count),
                    false => progress.are_made(need, 0..count),
                };
                if all_done && *reader != unit {
                    self.look(shape, *reader, 0..shape.units[*reader].count());
                }
                continue;
            }
            let Some(edge) = &need.edge else { continue };
            if shape.units[*reader].def.is_none() {
                self.look(shape, *reader, 0..1);
                continue;
            }
            let Some(ordinal) = shape.units[unit].members.ordinal(member) else {
                continue;
            };
            for range in edge.downstream(ordinal, shape.now).ranges() {
                for members in shape.units[*reader].members.within(range.clone()) {
                    self.look(shape, *reader, members);
                }
            }
        }
    }

    /// As [`Self::settle`] of each. Of many it looks at the readers once, when these are fewer.
    pub fn settle_all(&mut self, shape: &Shape, unit: usize, members: &[u32], how: Settled) {
        let readers = &shape.units[unit].readers;
        let reading: u64 = readers
            .iter()
            .map(|(reader, _)| {
                let all = u64::from(shape.units[*reader].count());
                all - self.units[*reader].ready.len()
            })
            .sum();
        if how != Settled::Done || reading > members.len() as u64 {
            for member in members {
                self.settle(shape, unit, *member, how);
            }
            return;
        }
        for member in members {
            if *member < shape.units[unit].count() && !self.units[unit].is_settled(*member) {
                self.units[unit].done.insert(*member);
            }
        }
        let readers: Vec<usize> = readers.iter().map(|(reader, _)| *reader).collect();
        for reader in readers {
            self.look(shape, reader, 0..shape.units[reader].count());
        }
    }

    /// By unit: members that were not tried and never will be, since what they read was left unmade as it may be.
    #[must_use]
    pub fn held_up(&self, shape: &Shape) -> Vec<PagedBitmap> {
        let mut out: Vec<PagedBitmap> = vec![PagedBitmap::default(); self.units.len()];
        if self.units.iter().all(|unit| unit.skipped.is_empty()) {
            return out;
        }
        for at in 0..self.units.len() {
            // A unit may read its own past: what is held up there holds up what comes after.
            loop {
                let known = out[at].len();
                for member in 0..shape.units[at].count() {
                    let is_open = !self.units[at].is_settled(member) && !out[at].contains(member);
                    if is_open && self.reads_what_is_held_up(shape, at, member, &out) {
                        out[at].insert(member);
                    }
                }
                if out[at].len() == known {
                    break;
                }
            }
        }
        out
    }

    fn reads_what_is_held_up(
        &self,
        shape: &Shape,
        unit: usize,
        member: u32,
        held_up: &[PagedBitmap],
    ) -> bool {
        shape.units[unit].needs.iter().any(|need| {
            let parent = &self.units[need.unit];
            let is_left = |n: u32| {
                held_up[need.unit].contains(n)
                    || parent.skipped.contains(n) && !parent.is_made(need, n)
            };
            needed(shape, unit, need, member)
                .into_iter()
                .flatten()
                .any(is_left)
        })
    }

    /// Looks at members of a unit again: what they read may be done.
    fn look(&mut self, shape: &Shape, unit: usize, members: Range<u32>) {
        let form = &shape.units[unit];
        for member in members {
            if self.units[unit].ready.contains(member) || !self.is_ready(shape, unit, member) {
                continue;
            }
            self.units[unit].ready.insert(member);
            let chunk = form.chunk_of(member);
            let progress = &self.units[unit];
            if !progress.planned.contains(chunk) && is_whole(form, &progress.ready, chunk) {
                self.units[unit].open.insert(chunk);
            }
        }
    }

    /// Whether every targeted partition that a member reads is done. What it reads of its own chunk comes
    /// before it in the same run.
    #[must_use]
    pub fn is_ready(&self, shape: &Shape, unit: usize, member: u32) -> bool {
        let form = &shape.units[unit];
        form.needs.iter().all(|need| {
            let parent = &self.units[need.unit];
            if need.reads_all && need.unit != unit {
                let count = shape.units[need.unit].count();
                let all_done = parent.done.len() == u64::from(count);
                return all_done || !parent.partly.is_empty() && parent.are_made(need, 0..count);
            }
            let own = match need.unit == unit {
                true => form.members_of(form.chunk_of(member)),
                false => 0..0,
            };
            needed(shape, unit, need, member).iter().all(|range| {
                let before = range.start..range.end.min(own.start.max(range.start));
                let after = range.start.max(own.end.min(range.end))..range.end;
                parent.are_made(need, before) && parent.are_made(need, after)
            })
        })
    }
}

/// The members of a unit that a member reads.
fn needed(shape: &Shape, unit: usize, need: &Need, member: u32) -> Vec<Range<u32>> {
    let Some(edge) = &need.edge else {
        return std::iter::once(0..1).collect();
    };
    let ordinal = match shape.units[unit].def {
        Some(_) => shape.units[unit].members.ordinal(member),
        None => None,
    };
    let upstream = edge.upstream(ordinal, shape.now).ordinals;
    let parent = &shape.units[need.unit].members;
    let ranges = upstream.ranges().iter();
    ranges
        .flat_map(|range| parent.within(range.clone()))
        .collect()
}

fn is_whole(unit: &UnitShape, ready: &PagedBitmap, chunk: u32) -> bool {
    ready.contains_range(unit.members_of(chunk))
}
