//! A look ahead over a whole backfill: what would become a run when, if every run succeeds. It walks the
//! same progress as the controller does, so that what is shown is what will happen.

use arco_core::backfill::{BackfillOrder, BackfillTarget};
use arco_core::partition::Ordinals;

use crate::Rejection;
use crate::state::backfill::{Progress, Settled, Shape};

use super::resolve::shape;

/// A whole backfill at a glance.
#[derive(Debug, Clone)]
pub struct Outline {
    /// What is made.
    pub target: BackfillTarget,
    /// Its members and chunks.
    pub shape: Shape,
    /// What may begin at once when all before it is done: per unit the chunks, in order.
    pub rounds: Vec<Round>,
}

/// What may begin at once when all before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// (Unit, chunks of it that begin, members of those).
    pub units: Vec<(usize, u32, u32)>,
    /// All members that begin, per unit; kept for the first rounds only.
    pub members: Vec<(usize, Ordinals)>,
}

/// Rounds whose members are kept.
const DETAILED_MAX: usize = 1_000;

impl Outline {
    /// Looks ahead over the whole target.
    ///
    /// # Errors
    /// [`Rejection`] when a mapping does not fit its definitions.
    pub fn of(target: BackfillTarget) -> Result<Self, Rejection> {
        let shape = shape(&target)?;
        let mut progress = Progress::new(&shape, &target);
        let mut rounds: Vec<Round> = Vec::new();
        loop {
            let mut open: Vec<(usize, u32)> = progress.next(BackfillOrder::Oldest).collect();
            if open.is_empty() {
                open = progress.rest(&shape).collect();
            }
            if open.is_empty() {
                break;
            }
            rounds.push(walk(
                &shape,
                &mut progress,
                &open,
                rounds.len() < DETAILED_MAX,
            ));
        }
        Ok(Self {
            target,
            shape,
            rounds,
        })
    }

    /// How many runs it is.
    #[must_use]
    pub fn runs(&self) -> u64 {
        let units = self.rounds.iter().flat_map(|round| &round.units);
        units.map(|(_, chunks, _)| u64::from(*chunks)).sum()
    }

    /// Materializations in all: members times assets.
    #[must_use]
    pub fn materializations(&self) -> u64 {
        let units = self.target.units.iter();
        units
            .map(|unit| unit.count() * unit.assets.len() as u64)
            .sum()
    }
}

fn walk(shape: &Shape, progress: &mut Progress, open: &[(usize, u32)], detailed: bool) -> Round {
    let mut round = Round {
        units: Vec::new(),
        members: Vec::new(),
    };
    for same in open.chunk_by(|a, b| a.0 == b.0) {
        let unit = same[0].0;
        let mut members: Vec<u32> = Vec::with_capacity(same.len());
        for (_, chunk) in same {
            match progress.units[unit].open.contains(*chunk) {
                true => members.extend(shape.units[unit].members_of(*chunk)),
                false => members.extend(progress.members(shape, unit, *chunk)),
            }
        }
        same.iter().for_each(|(_, chunk)| {
            progress.plan(unit, *chunk);
        });
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        round
            .units
            .push((unit, count(same.len()), count(members.len())));
        if detailed {
            let form = &shape.units[unit];
            let ordinals = match form.def {
                Some(_) => form.members.ordinals(members.iter().copied()),
                None => Ordinals::default(),
            };
            round.members.push((unit, ordinals));
        }
        progress.settle_all(shape, unit, &members, Settled::Done);
    }
    round
}
