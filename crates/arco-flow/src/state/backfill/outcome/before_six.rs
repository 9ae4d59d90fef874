//! How logs of fold versions before 6 were settled, for those who read them. A check without partitions did not
//! speak of the assets, one that was brought down did; what may be left unmade always counted as left; what a
//! retry's parent left unmade counted as made.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::{AssetKey, TaskIndex};

use super::{Outcome, Settled, UnitShape};
use crate::state::output;
use crate::state::{Run, State, TaskStatus};

/// The first version of the fold that settles assets of a unit apart.
const MADE_PARTLY: u32 = 5;

pub(super) fn of(state: &State, run: &Run, form: &UnitShape, assets: &[AssetKey]) -> Outcome {
    let settled = settled(state, run, form);
    let made = match state.fold_version >= MADE_PARTLY {
        true => made(state, run, &settled, form, assets),
        false => BTreeMap::new(),
    };
    Outcome { settled, made }
}

/// What became of each member of a chunk that a run was to make.
fn settled(state: &State, run: &Run, form: &UnitShape) -> BTreeMap<u32, Settled> {
    let mut out: BTreeMap<u32, Settled> = BTreeMap::new();
    let mut worst = |member: u32, how: Settled| {
        let known = out.entry(member).or_insert(Settled::Done);
        if *known != Settled::Failed && how != Settled::Done {
            *known = how;
        }
    };
    // What a task without partitions came to is true of all.
    let mut of_all: BTreeSet<u8> = BTreeSet::new();
    for (index, planned) in (0..).zip(&run.plan.tasks) {
        let how = came_to(state, run, index);
        let unpartitioned = planned.partitions.is_empty();
        if unpartitioned && form.def.is_none() {
            worst(0, how);
        } else if unpartitioned {
            of_all.insert(how as u8);
        }
        for key in &planned.partitions {
            if let Some(member) = form.member(Some(key)) {
                worst(member, how);
            }
        }
    }
    if of_all.contains(&(Settled::Failed as u8)) {
        out.values_mut().for_each(|how| *how = Settled::Failed);
    }
    out
}

/// Of the members that are not done, the assets, by number, that the run made. None where something that
/// makes nothing failed, as a check does: it may speak of any of them.
fn made(
    state: &State,
    run: &Run,
    settled: &BTreeMap<u32, Settled>,
    form: &UnitShape,
    assets: &[AssetKey],
) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut out: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    if settled.values().all(|how| *how == Settled::Done) {
        return out;
    }
    if assets.len() < 2 {
        return out;
    }
    let mut unsure: BTreeSet<u32> = BTreeSet::new();
    if run.rerun.is_some() {
        // A retry makes what its parent did not.
        let numbers = |n: &u32| (*n, (0..).zip(assets).map(|(number, _)| number).collect());
        let left = settled.iter().filter(|(_, how)| **how != Settled::Done);
        out = left.map(|(member, _)| numbers(member)).collect();
        for index in (0..).take(run.plan.tasks.len()) {
            for (asset, key) in output::outputs(state, run, index) {
                let number = (0..).zip(assets).find(|(_, known)| **known == asset);
                let member = form
                    .member(key.as_ref())
                    .and_then(|member| out.get_mut(&member));
                if let (Some((number, _)), Some(made)) = (number, member) {
                    made.remove(&number);
                }
            }
        }
    }
    for (index, planned) in (0..).zip(&run.plan.tasks) {
        let how = came_to(state, run, index);
        let outputs = output::outputs(state, run, index);
        if outputs.is_empty() && how != Settled::Done {
            let members = planned.partitions.iter().map(Some);
            let members = members.chain(planned.partitions.is_empty().then_some(None));
            unsure.extend(members.filter_map(|key| form.member(key)));
        }
        if how == Settled::Failed {
            continue;
        }
        let lacking = output::left_out(state, run.id, index);
        for (asset, key) in outputs {
            let number = (0..).zip(assets).find(|(_, known)| **known == asset);
            let made = how == Settled::Done
                || run
                    .task(index)
                    .is_some_and(|task| task.status == TaskStatus::Succeeded);
            if let (Some((number, _)), Some(member)) = (number, form.member(key.as_ref()))
                && made
                && !lacking.contains(&asset)
                && settled
                    .get(&member)
                    .is_some_and(|how| *how != Settled::Done)
            {
                out.entry(member).or_default().insert(number);
            }
        }
    }
    out.retain(|member, _| !unsure.contains(member));
    out
}

fn came_to(state: &State, run: &Run, index: TaskIndex) -> Settled {
    let Some(task) = run.task(index) else {
        return Settled::Failed;
    };
    match task.status {
        TaskStatus::Succeeded if task.blocked => Settled::Failed,
        TaskStatus::Succeeded if output::left_out(state, run.id, index).is_empty() => Settled::Done,
        TaskStatus::Succeeded => Settled::Skipped,
        TaskStatus::Skipped if !task.is_brought_down() => Settled::Skipped,
        _ => Settled::Failed,
    }
}
