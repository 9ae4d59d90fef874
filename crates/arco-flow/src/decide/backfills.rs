//! Backfills: asked for, steered, and carried on chunk by chunk (`docs/adr/0018-backfills.md`).

use std::collections::BTreeSet;

use arco_core::BackfillId;
use arco_core::backfill::{BackfillSettings, BackfillStatus, CONCURRENCY_MAX};
use arco_core::event::{
    BackfillChunkDropped, BackfillCreated, BackfillEdited, BackfillMoved, RunRetryDropped, Stored,
};

use super::{Deciding, runs};
use crate::Rejection;
use crate::command::{
    Answer, BackfillAdvance, BackfillRequest, BackfillSteer, SettingsEdit, Steer,
};
use crate::state::{Backfill, State};

/// The scope of the run keys of chunks.
pub const SCOPE: &str = "backfill";

/// The run key of a chunk: a chunk planned twice is one run.
#[must_use]
pub fn run_key(backfill: BackfillId, chunk: u64) -> String {
    format!("backfill:{backfill}:{chunk}")
}

/// The backfill that already stands for a request: by its idempotency key, or as the retry of its parent.
///
/// # Errors
/// [`Rejection`] when the key stands for another request, or the parent cannot be retried.
pub fn known(state: &State, r: &BackfillRequest) -> Result<Option<BackfillId>, Rejection> {
    if r.frees_key {
        return Ok(None);
    }
    if let Some(key) = &r.idempotency_key
        && let Some((digest, backfill, _)) = state.backfill_keys.get(key)
    {
        if *digest == r.fingerprint {
            return Ok(Some(*backfill));
        }
        return Err(Rejection::BackfillConflict {
            key: key.clone(),
            backfill: *backfill,
        });
    }
    let Some(parent) = r.parent else {
        return Ok(None);
    };
    let parent = get(state, parent)?;
    if !parent.status.is_terminal() {
        return Err(Rejection::BackfillNotOver {
            backfill: parent.id,
            status: parent.status.as_str(),
        });
    }
    Ok(parent.retried_by)
}

pub(super) fn create(d: &mut Deciding<'_>, r: &BackfillRequest) -> Result<Answer, Rejection> {
    if let Some(backfill) = known(&d.state, r)? {
        return Ok(Answer::Backfill {
            backfill,
            created: false,
        });
    }
    check(r.settings)?;
    // Its runs will have them, and must not be refused one by one.
    runs::check_tags(&r.tags)?;
    // A retry carries the tags of its parent, which may be of an older log.
    if r.parent.is_none() {
        runs::check_chunk_tags(&r.tags)?;
    }
    let moved = r.definitions.iter().any(|(location, version)| {
        d.state.locations.get(location).and_then(|l| l.version) != Some(*version)
    });
    if moved {
        return Err(Rejection::Replan);
    }
    let idempotency = r.idempotency_key.clone().map(|key| (key, r.fingerprint));
    d.emit(BackfillCreated {
        backfill: r.backfill,
        selection: r.selection.clone(),
        assets: r.assets.clone(),
        selector: r.selector.clone(),
        target: match r.target_blob {
            Some(digest) => Stored::Blob(digest),
            None => Stored::Inline((*r.target).clone()),
        },
        title: r.title.clone(),
        description: r.description.clone(),
        tags: r.tags.clone(),
        config: r.config.clone(),
        settings: r.settings,
        policy: r.policy,
        parent: r.parent,
        idempotency,
    });
    Ok(Answer::Backfill {
        backfill: r.backfill,
        created: true,
    })
}

fn check(settings: BackfillSettings) -> Result<(), Rejection> {
    let bad = |text: String| Err(Rejection::BadBackfill(text));
    if !(1..=CONCURRENCY_MAX).contains(&settings.concurrency) {
        return bad(format!(
            "a backfill has 1 to {CONCURRENCY_MAX} runs going on at once, and {} were asked for; pause it to have none",
            settings.concurrency
        ));
    }
    match settings.runs_per_minute {
        Some(0) => bad("a throttle of 0 runs a minute is a pause; pause the backfill".into()),
        Some(more) if more > 60_000 => bad(format!(
            "{more} runs a minute is no throttle; leave it out, or ask for 60000 at most"
        )),
        _ => Ok(()),
    }
}

pub(super) fn steer(d: &mut Deciding<'_>, steer: &BackfillSteer) -> Result<Answer, Rejection> {
    let id = steer.backfill;
    let backfill = get(&d.state, id)?;
    if let Some(seen) = steer.state_version.filter(|v| *v != backfill.state_version) {
        return Err(Rejection::BackfillMoved {
            backfill: id,
            status: backfill.status.as_str(),
            known: backfill.state_version,
            seen,
        });
    }
    use BackfillStatus as S;
    match (steer.to, backfill.status) {
        (Steer::Pause, S::Pending | S::Running) => moved(d, id, S::Paused, None),
        (Steer::Resume, S::Paused) => {
            let begun = backfill.started.is_some();
            moved(d, id, if begun { S::Running } else { S::Pending }, None);
        }
        (Steer::Pause, S::Paused) | (Steer::Resume, S::Pending | S::Running) => {}
        (Steer::Cancel { drain }, status) if !status.is_terminal() => cancel(d, id, drain),
        (Steer::Cancel { .. }, _) => {}
        (Steer::Edit(edit), S::Pending | S::Running | S::Paused) => {
            let settings = edited(backfill.settings, edit);
            check(settings)?;
            if settings != backfill.settings {
                d.emit(BackfillEdited {
                    backfill: id,
                    settings,
                });
            }
        }
        (to, status) => {
            return Err(Rejection::BackfillOver {
                backfill: id,
                status: status.as_str(),
                what: match to {
                    Steer::Pause => "paused",
                    Steer::Resume => "resumed",
                    Steer::Cancel { .. } => "canceled",
                    Steer::Edit(_) => "changed",
                },
            });
        }
    }
    Ok(Answer::Backfill {
        backfill: id,
        created: false,
    })
}

fn edited(mut settings: BackfillSettings, edit: SettingsEdit) -> BackfillSettings {
    settings.concurrency = edit.concurrency.unwrap_or(settings.concurrency);
    settings.priority = edit.priority.unwrap_or(settings.priority);
    settings.order = edit.order.unwrap_or(settings.order);
    settings.runs_per_minute = edit.runs_per_minute.unwrap_or(settings.runs_per_minute);
    settings
}

/// Plans nothing from here on. What is owed a retry is not retried; what goes on is stopped, or drained.
fn cancel(d: &mut Deciding<'_>, id: BackfillId, drain: bool) {
    let Some(backfill) = d.state.backfills.get(&id).cloned() else {
        return;
    };
    if backfill.status != BackfillStatus::Canceling {
        moved(d, id, BackfillStatus::Canceling, None);
    }
    for run in backfill.active.keys().copied() {
        if d.state.retries_owed.contains_key(&run) {
            d.emit(RunRetryDropped {
                run,
                reason: format!("backfill {id} was canceled"),
            });
        } else if !drain {
            runs::stop(d, run);
        }
    }
    end_if_exhausted(d, id);
}

/// Chunks that are still open become runs, as far as there is room; the rest is judged again.
pub(super) fn advance(
    d: &mut Deciding<'_>,
    advance: &BackfillAdvance,
) -> Result<Answer, Rejection> {
    let id = advance.backfill;
    let backfill = get(&d.state, id)?;
    // Chunks that are open only in part: judged before the first of them goes on.
    let rest: BTreeSet<(usize, u32)> =
        match backfill.active.is_empty() && backfill.progress.open() == 0 {
            true => backfill.progress.rest(&backfill.shape).collect(),
            false => BTreeSet::new(),
        };
    for (chunk, request) in &advance.chunks {
        let backfill = get(&d.state, id)?;
        let Some((unit, within)) = backfill.shape.place(*chunk) else {
            continue;
        };
        let unit_progress = &backfill.progress.units[unit];
        let is_rest = rest.contains(&(unit, within)) && !unit_progress.planned.contains(within);
        if !backfill.status.plans() || !unit_progress.open.contains(within) && !is_rest {
            continue;
        }
        match request {
            Ok(request) if backfill.room(d.now) > 0 => {
                if backfill.status == BackfillStatus::Pending {
                    moved(d, id, BackfillStatus::Running, None);
                }
                runs::request(d, request)?;
            }
            Ok(_) => {}
            Err(reason) => d.emit(BackfillChunkDropped {
                backfill: id,
                chunk: *chunk,
                reason: reason.clone(),
            }),
        }
    }
    end_if_exhausted(d, id);
    Ok(Answer::Done)
}

fn end_if_exhausted(d: &mut Deciding<'_>, id: BackfillId) {
    let Some(backfill) = d.state.backfills.get(&id) else {
        return;
    };
    if backfill.status.is_terminal() || !backfill.is_exhausted() {
        return;
    }
    let to = backfill.outcome();
    let tally = backfill.progress.tally();
    let untried = backfill.count() - tally.done - tally.failed - tally.skipped;
    let reason = (to == BackfillStatus::Failed).then(|| {
        let not_tried = match untried {
            0 => String::new(),
            1 => ", 1 was not tried because of what failed".to_owned(),
            n => format!(", {n} were not tried because of what failed"),
        };
        let of = match tally.failed {
            1 => "1 partition failed".to_owned(),
            n => format!("{n} partitions failed"),
        };
        format!("{of}{not_tried}")
    });
    moved(d, id, to, reason);
}

fn moved(d: &mut Deciding<'_>, id: BackfillId, to: BackfillStatus, reason: Option<String>) {
    let version = d.state.backfills.get(&id).map_or(0, |b| b.state_version);
    d.emit(BackfillMoved {
        backfill: id,
        state_version: version + 1,
        to,
        reason,
    });
}

pub(super) fn get(state: &State, id: BackfillId) -> Result<&Backfill, Rejection> {
    let known = state.backfills.get(&id).map(AsRef::as_ref);
    known.ok_or(Rejection::UnknownBackfill(id))
}
