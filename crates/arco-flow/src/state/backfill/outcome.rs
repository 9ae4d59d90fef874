//! What a run came to, for each partition of the chunk it was to make and each asset of it
//! (`docs/adr/0020-what-goes-together-in-a-backfill.md`).

use std::collections::{BTreeMap, BTreeSet};

use arco_core::definitions::StepKind;
use arco_core::{AssetKey, TaskIndex};

use super::progress::Settled;
use super::shape::UnitShape;
use crate::state::output;
use crate::state::{Run, Slot, State, Task, TaskStatus};

mod before_six;

/// The first version of the fold that settles as this module says; what came before is settled as it was.
const BY_ASSET: u32 = 6;

/// By member of the unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// What became of each that the run was to make.
    pub(super) settled: BTreeMap<u32, Settled>,
    /// Of those that are not done, the assets, by number, that were made though.
    pub(super) made: BTreeMap<u32, BTreeSet<u32>>,
}

/// What a run that is over came to for a unit with these assets.
pub(super) fn of(state: &State, run: &Run, form: &UnitShape, assets: &[AssetKey]) -> Outcome {
    if state.fold_version < BY_ASSET {
        return before_six::of(state, run, form, assets);
    }
    let mut members = tasks(state, run, form, assets);
    for (asset, slot) in left_out_before(state, run) {
        if let Some(number) = number(assets, &asset)
            && let Some(member) = form
                .member(slot.as_ref())
                .and_then(|at| members.get_mut(&at))
        {
            member.assets.entry(number).or_insert(Settled::Skipped);
        }
    }
    let mut out = Outcome::default();
    for (at, member) in members {
        let how = member.how();
        out.settled.insert(at, how);
        if how != Settled::Done && assets.len() > 1 && !member.is_doubted {
            // A retry makes what its parent did not.
            let before = |number: &u32| run.rerun.is_some() && !member.assets.contains_key(number);
            let numbers = (0..).zip(assets).map(|(number, _)| number);
            let is_made =
                |number: &u32| before(number) || member.assets.get(number) == Some(&Settled::Done);
            let made: BTreeSet<u32> = numbers.filter(is_made).collect();
            if !made.is_empty() {
                out.made.insert(at, made);
            }
        }
    }
    out
}

/// What became of one member.
#[derive(Debug, Default)]
struct Member {
    /// Its assets, by number.
    assets: BTreeMap<u32, Settled>,
    /// Of what makes nothing.
    others: Vec<Settled>,
    /// A check failed or was not judged: it speaks of all that goes together, so nothing of it counts as made.
    is_doubted: bool,
}

impl Member {
    fn how(&self) -> Settled {
        let all = || self.assets.values().chain(&self.others);
        if all().any(|how| *how == Settled::Failed) {
            Settled::Failed
        } else if all().any(|how| *how == Settled::Skipped) {
            Settled::Skipped
        } else {
            Settled::Done
        }
    }

    fn judged(&mut self, how: Settled, is_doubted: bool) {
        self.others.push(how);
        self.is_doubted |= is_doubted;
    }
}

/// What the tasks of the run came to.
fn tasks(state: &State, run: &Run, form: &UnitShape, assets: &[AssetKey]) -> BTreeMap<u32, Member> {
    let mut members: BTreeMap<u32, Member> = BTreeMap::new();
    // What is judged once for all the partitions of the run.
    let mut of_all: Vec<(Settled, bool)> = Vec::new();
    for (index, planned) in (0..).zip(&run.plan.tasks) {
        let Some(task) = run.task(index) else {
            continue;
        };
        let outputs = output::outputs(state, run, index);
        for (asset, slot) in &outputs {
            if let Some(member) = form.member(slot.as_ref()) {
                let member = members.entry(member).or_default();
                if let Some(number) = number(assets, asset) {
                    member.assets.insert(number, of_asset(task, asset));
                }
            }
        }
        if !outputs.is_empty() {
            continue;
        }
        let how = of_judge(task);
        // What was brought down says nothing of the others: that which brought it down does.
        let is_doubted = how == Settled::Failed
            && task.status != TaskStatus::Skipped
            && is_check(state, run, index);
        let keys = planned.partitions.iter().map(Some);
        let of_these: Vec<u32> = match &form.def {
            None => form.member(None).into_iter().collect(),
            Some(_) => keys.filter_map(|key| form.member(key)).collect(),
        };
        if planned.partitions.is_empty() && form.def.is_some() {
            of_all.push((how, is_doubted));
        }
        for member in of_these {
            members.entry(member).or_default().judged(how, is_doubted);
        }
    }
    for member in members.values_mut() {
        for (how, is_doubted) in &of_all {
            member.judged(*how, *is_doubted);
        }
    }
    members
}

fn number(assets: &[AssetKey], asset: &AssetKey) -> Option<u32> {
    let found = (0..).zip(assets).find(|(_, known)| *known == asset);
    found.map(|(number, _)| number)
}

fn is_check(state: &State, run: &Run, index: TaskIndex) -> bool {
    let planned = &run.plan.tasks[index as usize];
    let definitions = state.pinned(run, &planned.location);
    let step = definitions.and_then(|definitions| definitions.step(&planned.step));
    // Of what is not known it is not said that it is none.
    step.is_none_or(|step| step.kind == StepKind::Check)
}

fn of_asset(task: &Task, asset: &AssetKey) -> Settled {
    match task.status {
        TaskStatus::Succeeded if task.blocked => Settled::Failed,
        TaskStatus::Succeeded if task.left_out.contains(asset) => Settled::Skipped,
        TaskStatus::Succeeded => Settled::Done,
        TaskStatus::Skipped if !task.is_brought_down() => Settled::Skipped,
        _ => Settled::Failed,
    }
}

fn of_judge(task: &Task) -> Settled {
    match task.status {
        TaskStatus::Succeeded if task.blocked => Settled::Failed,
        TaskStatus::Succeeded => Settled::Done,
        TaskStatus::Skipped if !task.is_brought_down() => Settled::Skipped,
        _ => Settled::Failed,
    }
}

/// What the runs that this one retries left unmade on purpose, and it does not make either. Nothing is known of
/// a run that left memory.
fn left_out_before(state: &State, run: &Run) -> BTreeSet<(AssetKey, Slot)> {
    let mut out = BTreeSet::new();
    let mut next = run.rerun.as_ref().map(|rerun| rerun.parent);
    while let Some(parent) = next.and_then(|id| state.run(id)) {
        for index in (0..).take(parent.plan.tasks.len()) {
            let Some(task) = parent.task(index) else {
                continue;
            };
            let outputs = output::outputs(state, parent, index).into_iter();
            out.extend(outputs.filter(|(asset, _)| of_asset(task, asset) == Settled::Skipped));
        }
        next = parent.rerun.as_ref().map(|rerun| rerun.parent);
    }
    out
}
