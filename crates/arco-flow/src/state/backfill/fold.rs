//! The fold arms of backfills. Runs move them too: a run that names a chunk plans it when it is asked for,
//! and settles its partitions when it is over.

use std::collections::BTreeSet;
use std::sync::Arc;

use arco_core::backfill::{BackfillStatus, ChunkOf};
use arco_core::event::{
    BackfillChunkDropped, BackfillCreated, BackfillEdited, BackfillMoved, Event, Position, Stored,
};
use arco_core::{BackfillId, RunId, Timestamp};
use imbl::{OrdMap, Vector};

use super::outcome::{self, Outcome};
use super::progress::{Progress, Settled};
use super::shape::Shape;
use super::{Backfill, DROPPED_MAX, ENDED_MAX, RECENT_MAX};
use crate::state::fold::{ApplyError, Blobs};
use crate::state::run_fold::IDEMPOTENCY_HORIZON_MS;
use crate::state::{Run, State};

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
    let Some(target) = state
        .backfills
        .get(&backfill)
        .map(|known| Arc::clone(&known.target))
    else {
        return;
    };
    let (form, assets) = (&shape.units[place.0], &target.units[place.0].assets);
    let Outcome { settled, made } = outcome::of(state, &run, form, assets);
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

fn edit(state: &mut State, id: BackfillId) -> Option<&mut Backfill> {
    state.backfills.get_mut(&id).map(Arc::make_mut)
}
