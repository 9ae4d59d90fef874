//! The fold arms of backfills. Runs move them too: a run that names a chunk plans it when it is asked for,
//! and settles its partitions when it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arco_core::backfill::{BackfillStatus, ChunkOf};
use arco_core::event::{
    BackfillChunkDropped, BackfillCreated, BackfillEdited, BackfillMoved, Event, Position, Stored,
};
use arco_core::{BackfillId, RunId, TaskIndex, Timestamp};
use imbl::{OrdMap, Vector};

use super::progress::{Progress, Settled};
use super::shape::Shape;
use super::{Backfill, DROPPED_MAX, ENDED_MAX, RECENT_MAX};
use crate::state::fold::{ApplyError, Blobs};
use crate::state::output;
use crate::state::run_fold::IDEMPOTENCY_HORIZON_MS;
use crate::state::{Run, State, TaskStatus};

/// The first version of the fold that settles assets of a unit apart.
const MADE_PARTLY: u32 = 5;

pub(in crate::state) fn created(
    state: &mut State,
    at: Position,
    event: &Event,
    e: &BackfillCreated,
    blobs: &dyn Blobs,
) -> Result<(), ApplyError> {
    let target = match &e.target {
        Stored::Inline(target) => Arc::new(target.clone()),
        Stored::Blob(digest) => {
            let bytes = blobs.get(digest).ok_or(ApplyError::MissingBlob(*digest))?;
            let read = serde_json::from_slice(bytes);
            Arc::new(read.map_err(|error| ApplyError::Blob {
                digest: *digest,
                reason: error.to_string(),
            })?)
        }
    };
    // A target whose mappings do not hold was never decided: nothing of it can be made.
    let shape = Arc::new(Shape::of(&target).unwrap_or_default());
    let backfill = Backfill {
        id: e.backfill,
        created: (at, event.time),
        principal: event.principal.clone(),
        selection: e.selection.clone(),
        assets: Arc::new(e.assets.clone()),
        selector: Arc::new(e.selector.clone()),
        title: e.title.clone(),
        description: e.description.clone(),
        tags: e.tags.clone(),
        config: Arc::new(e.config.clone()),
        settings: e.settings,
        policy: e.policy,
        parent: e.parent,
        retried_by: None,
        status: BackfillStatus::Pending,
        state_version: 0,
        reason: None,
        progress: Progress::new(&shape, &target),
        target,
        shape,
        active: OrdMap::new(),
        recent: Vector::new(),
        dropped: Vector::new(),
        started: None,
        last_planned: None,
        ended: None,
    };
    if let Some(parent) = e.parent.and_then(|parent| state.backfills.get_mut(&parent)) {
        Arc::make_mut(parent).retried_by = Some(e.backfill);
    }
    if let Some((key, digest)) = &e.idempotency {
        remember(state, event.time, key, (*digest, e.backfill));
    }
    state.open_backfills.insert(e.backfill);
    state.backfills.insert(e.backfill, Arc::new(backfill));
    Ok(())
}

fn remember(
    state: &mut State,
    now: Timestamp,
    key: &str,
    (digest, backfill): (arco_core::Digest, BackfillId),
) {
    // As for runs: once in a thousand insertions what is past the horizon goes.
    if state.backfill_keys.len() % 1_000 == 999 {
        state.backfill_keys = state
            .backfill_keys
            .iter()
            .filter(|(_, (_, _, then))| now.ms_since(*then) <= IDEMPOTENCY_HORIZON_MS)
            .map(|(key, known)| (key.clone(), *known))
            .collect();
    }
    state
        .backfill_keys
        .insert(key.to_owned(), (digest, backfill, now));
}

pub(in crate::state) fn moved(state: &mut State, at: Position, time: Timestamp, e: &BackfillMoved) {
    let Some(backfill) = edit(state, e.backfill) else {
        return;
    };
    if backfill.status.is_terminal() || e.state_version != backfill.state_version + 1 {
        return;
    }
    backfill.state_version = e.state_version;
    backfill.status = e.to;
    backfill.reason.clone_from(&e.reason);
    if e.to.is_terminal() {
        backfill.ended = Some((at, time));
        state.open_backfills.remove(&e.backfill);
        state.ended_backfills.insert((at, e.backfill));
        if state.ended_backfills.len() > ENDED_MAX
            && let Some((_, oldest)) = state.ended_backfills.remove_min()
        {
            state.backfills.remove(&oldest);
        }
    }
}

pub(in crate::state) fn edited(state: &mut State, e: &BackfillEdited) {
    if let Some(backfill) = edit(state, e.backfill) {
        backfill.settings = e.settings;
    }
}

pub(in crate::state) fn chunk_dropped(state: &mut State, e: &BackfillChunkDropped) {
    let Some(backfill) = edit(state, e.backfill) else {
        return;
    };
    let shape = Arc::clone(&backfill.shape);
    let Some((unit, chunk)) = shape.place(e.chunk) else {
        return;
    };
    let members = backfill.progress.members(&shape, unit, chunk);
    if !backfill.progress.plan(unit, chunk) {
        return;
    }
    for member in members {
        backfill
            .progress
            .settle(&shape, unit, member, Settled::Failed);
    }
    if backfill.dropped.len() < DROPPED_MAX {
        backfill.dropped.push_back((e.chunk, e.reason.clone()));
    }
}

/// A run that makes a chunk was asked for: the first one, or the retry of one that failed.
pub(in crate::state) fn run_asked(state: &mut State, time: Timestamp, run: &Run) {
    let Some(ChunkOf { backfill, chunk }) = run.backfill else {
        return;
    };
    let Some(backfill) = edit(state, backfill) else {
        return;
    };
    if let Some(rerun) = &run.rerun {
        backfill.active.remove(&rerun.parent);
    } else if let Some((unit, within)) = backfill.shape.place(chunk) {
        backfill.progress.plan(unit, within);
        backfill.started.get_or_insert(time);
        backfill.last_planned = Some(time);
    }
    backfill.active.insert(run.id, chunk);
}

/// A run is over, or will not be retried after all: settles the partitions it was to make. Those that its
/// retry does again are still open.
pub(in crate::state) fn run_ended(state: &mut State, time: Timestamp, id: RunId, owed: bool) {
    let Some(run) = state.run(id).cloned() else {
        return gone(state, id);
    };
    let Some(ChunkOf { backfill, chunk }) = run.backfill else {
        return;
    };
    let Some((shape, place)) = state.backfills.get(&backfill).and_then(|backfill| {
        let place = backfill.shape.place(chunk)?;
        Some((Arc::clone(&backfill.shape), place))
    }) else {
        return;
    };
    let settled = settled(state, &run, &shape, place.0);
    let made = match state.fold_version >= MADE_PARTLY {
        true => made(state, &run, &settled, place.0),
        false => BTreeMap::new(),
    };
    let Some(backfill) = edit(state, backfill) else {
        return;
    };
    let (before, none) = (backfill.progress.tally(), BTreeSet::new());
    for (member, how) in settled {
        if !owed || how != Settled::Failed {
            let made = made.get(&member).unwrap_or(&none);
            let progress = &mut backfill.progress;
            progress.settle_partly(&shape, place.0, member, how, made);
        }
    }
    let after = backfill.progress.tally();
    let count = |tally: super::Tally| tally.done + tally.failed + tally.skipped;
    let settled = u32::try_from(count(after) - count(before)).unwrap_or(u32::MAX);
    if settled > 0 {
        backfill.recent.push_back((time, settled));
        if backfill.recent.len() > RECENT_MAX {
            backfill.recent.pop_front();
        }
    }
    if !owed {
        backfill.active.remove(&id);
    }
}

/// A run whose retry is given up after it left memory: what of its chunk is not settled was not made.
fn gone(state: &mut State, id: RunId) {
    let of = |backfill: &&BackfillId| {
        let known = state.backfills.get(*backfill);
        known.is_some_and(|known| known.active.contains_key(&id))
    };
    let Some(backfill) = state.open_backfills.iter().find(of).copied() else {
        return;
    };
    let Some(backfill) = edit(state, backfill) else {
        return;
    };
    let shape = Arc::clone(&backfill.shape);
    let chunk = backfill.active.remove(&id);
    if let Some((unit, within)) = chunk.and_then(|chunk| shape.place(chunk)) {
        for member in backfill.progress.members(&shape, unit, within) {
            backfill
                .progress
                .settle(&shape, unit, member, Settled::Failed);
        }
    }
}

/// What became of each member of a chunk that a run was to make.
fn settled(state: &State, run: &Run, shape: &Shape, unit: usize) -> BTreeMap<u32, Settled> {
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
        if unpartitioned && shape.units[unit].def.is_none() {
            worst(0, how);
        } else if unpartitioned {
            of_all.insert(how as u8);
        }
        for key in &planned.partitions {
            if let Some(member) = shape.units[unit].member(Some(key)) {
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
    unit: usize,
) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut out: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let backfill = run
        .backfill
        .and_then(|chunk| state.backfills.get(&chunk.backfill));
    let Some(backfill) = backfill.filter(|_| settled.values().any(|how| *how != Settled::Done))
    else {
        return out;
    };
    let (form, assets) = (
        &backfill.shape.units[unit],
        &backfill.target.units[unit].assets,
    );
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

fn edit(state: &mut State, id: BackfillId) -> Option<&mut Backfill> {
    state.backfills.get_mut(&id).map(Arc::make_mut)
}
