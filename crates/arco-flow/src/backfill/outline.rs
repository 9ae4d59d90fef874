//! When each partition of a backfill may begin.

use std::collections::BTreeMap;

use arco_core::AssetKey;
use arco_core::Timestamp;
use arco_core::definitions::Catalog;
use arco_core::partition::Ordinals;

use super::target::{Target, TargetEdge, Wanted, edges};
use super::units::Unit;
use crate::Rejection;

/// A whole backfill at a glance. It says what will happen if every run succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What is made.
    pub target: Target,
    /// Which assets go together.
    pub units: Vec<Unit>,
    /// For each unit, for each of its partitions in order, the round in which it may begin, from 0 on.
    rounds: Vec<Vec<u32>>,
}

/// What may begin at once when all before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Units by number, with the partitions that may begin; none for units without partitions.
    pub units: Vec<(usize, Ordinals)>,
}

impl Outline {
    /// Looks ahead over the whole target.
    ///
    /// # Errors
    /// [`Rejection`] when a mapping no longer fits its definitions.
    pub fn of(catalog: &Catalog, target: Target, now: Timestamp) -> Result<Self, Rejection> {
        let units = Unit::of(catalog, &target);
        let wanted: BTreeMap<AssetKey, Wanted> = target.assets.iter().cloned().collect();
        let of_asset: BTreeMap<&AssetKey, usize> = units
            .iter()
            .enumerate()
            .flat_map(|(at, unit)| unit.assets.iter().map(move |key| (key, at)))
            .collect();
        let mut rounds: Vec<Vec<u32>> = Vec::with_capacity(units.len());
        for (at, unit) in units.iter().enumerate() {
            let mut outer = Vec::new();
            for key in &unit.assets {
                for edge in edges(catalog, key, &wanted)? {
                    let from = of_asset.get(&edge.dep.asset).copied();
                    let reads_itself = edge.dep.asset == *key;
                    if let Some(from) = from.filter(|from| *from != at || reads_itself) {
                        outer.push((from, edge));
                    }
                }
            }
            // Parents without partitions, which no edge speaks of.
            let least = unit
                .needs
                .iter()
                .filter(|need| units[**need].wanted == Wanted::Whole);
            let least = least.map(|need| rounds[*need][0] + 1).max().unwrap_or(0);
            rounds.push(of_unit(at, unit, &units, &rounds, &outer, least, now));
        }
        Ok(Self {
            target,
            units,
            rounds,
        })
    }

    /// How many rounds there are, if every partition waits for all that begins before it.
    #[must_use]
    pub fn rounds(&self) -> usize {
        let last = self.rounds.iter().flatten().max();
        last.map_or(0, |last| *last as usize + 1)
    }

    /// What may begin in a round.
    #[must_use]
    pub fn round(&self, round: usize) -> Round {
        let mut out = Round { units: Vec::new() };
        for (at, (unit, rounds)) in self.units.iter().zip(&self.rounds).enumerate() {
            let here = |of: u32| of as usize == round;
            match &unit.wanted {
                Wanted::Whole if rounds.first().is_some_and(|of| here(*of)) => {
                    out.units.push((at, Ordinals::default()));
                }
                Wanted::Whole => {}
                Wanted::Partitions(ordinals) => {
                    let of_round = ordinals.iter().zip(rounds).filter(|(_, of)| here(**of));
                    let begin: Ordinals = of_round.map(|(ordinal, _)| ordinal).collect();
                    if !begin.is_empty() {
                        out.units.push((at, begin));
                    }
                }
            }
        }
        out
    }
}

/// The rounds of one unit. A unit that reads its own past is walked in order: what it reads comes before.
fn of_unit(
    at: usize,
    unit: &Unit,
    units: &[Unit],
    earlier: &[Vec<u32>],
    outer: &[(usize, TargetEdge<'_>)],
    least: u32,
    now: Timestamp,
) -> Vec<u32> {
    let count = usize::try_from(unit.wanted.count()).unwrap_or(usize::MAX);
    let mut own: Vec<u32> = Vec::with_capacity(count);
    let latest: Vec<u32> = earlier
        .iter()
        .map(|r| r.iter().copied().max().unwrap_or(0))
        .collect();
    let ordinals: Vec<Option<u64>> = match &unit.wanted {
        Wanted::Whole => vec![None],
        Wanted::Partitions(ordinals) => ordinals.iter().map(Some).collect(),
    };
    for ordinal in ordinals {
        let mut round = least;
        for (from, edge) in outer {
            let Wanted::Partitions(targeted) = &units[*from].wanted else {
                continue;
            };
            let needs = edge.edge.upstream(ordinal, now).ordinals;
            let rounds = if *from == at { &own } else { &earlier[*from] };
            let last = match *from != at && targeted.difference(&needs).is_empty() {
                // All of them: looked at once for every partition that reads so many.
                true => Some(latest[*from]),
                false => last_of(targeted, &needs, rounds),
            };
            round = round.max(last.map_or(0, |last| last + 1));
        }
        own.push(round);
    }
    own
}

/// The latest round of those that are needed and targeted.
fn last_of(targeted: &Ordinals, needs: &Ordinals, rounds: &[u32]) -> Option<u32> {
    let mut last = None;
    for range in needs.intersection(targeted).ranges() {
        let from = rank(targeted, range.start);
        let to = (from + (range.end - range.start) as usize).min(rounds.len());
        last = last.max(
            rounds
                .get(from..to)
                .and_then(|all| all.iter().copied().max()),
        );
    }
    last
}

/// How many targeted ordinals come before one of them.
fn rank(targeted: &Ordinals, ordinal: u64) -> usize {
    let mut before = 0;
    for range in targeted.ranges() {
        if ordinal < range.end {
            return (before + ordinal.saturating_sub(range.start)) as usize;
        }
        before += range.end - range.start;
    }
    before as usize
}
