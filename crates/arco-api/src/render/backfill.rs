//! Backfills.

use arco_core::backfill::{BackfillSelector, LeftOut, PartitionFilter};
use arco_core::event::Stored;
use arco_core::{BackfillId, PartitionKey, Timestamp};
use arco_flow::State;
use arco_flow::backfill::Outline;
use arco_flow::decide::{BACKFILL_SCOPE, chunk_key};
use arco_flow::state::Backfill;
use arco_flow::state::backfill::Shape;
use arco_wire::api;
use arco_wire::api::BackfillPartitionStatus as Status;

use super::run;

#[cfg(test)]
mod tests;

/// Assets shown of one backfill.
const ASSETS: usize = 100;

/// Rows of what is left out, of one backfill.
const LEFT_OUT: usize = 100;

/// A backfill that is over took as long at least, where its rate is shown.
const RATE_MS_MIN: u64 = 10_000;

/// Rounds of a preview.
const ROUNDS: usize = 100;

pub(crate) fn backfill(backfill: &Backfill, now: Timestamp) -> api::Backfill {
    let settings = backfill.settings;
    api::Backfill {
        id: backfill.id,
        status: backfill.status,
        state_version: backfill.state_version,
        reason: backfill.reason.clone(),
        selection: backfill.selection.clone(),
        assets: backfill.assets.iter().take(ASSETS).cloned().collect(),
        assets_count: backfill.assets.len() as u64,
        partitions: words(&backfill.selector),
        title: backfill.title.clone(),
        description: backfill.description.clone(),
        tags: backfill.tags.clone(),
        concurrency: settings.concurrency,
        priority: settings.priority,
        order: settings.order,
        runs_per_minute: settings.runs_per_minute,
        progress: progress(backfill, now),
        left_out: left_out(&backfill.target.left_out),
        dropped: backfill
            .dropped
            .iter()
            .map(|(chunk, reason)| api::BackfillDropped {
                chunk: *chunk,
                reason: reason.clone(),
            })
            .collect(),
        parent: backfill.parent,
        retried_by: backfill.retried_by,
        created_by: backfill.principal.clone(),
        created: backfill.created.1.into(),
        started: backfill.started.map(Into::into),
        ended: backfill.ended.map(|(_, at)| at.into()),
    }
}

fn progress(backfill: &Backfill, now: Timestamp) -> api::BackfillProgress {
    let tally = backfill.progress.tally();
    let partitions = backfill.count();
    let remaining = partitions - tally.done - tally.failed - tally.skipped;
    let over = backfill.started.zip(backfill.ended);
    let took = over.map(|(began, (_, ended))| ended.ms_since(began));
    let per_minute = rate(backfill.rate_per_minute(now), took);
    let goes_on = backfill.status.plans();
    api::BackfillProgress {
        partitions,
        succeeded: tally.done,
        failed: tally.failed,
        skipped: tally.skipped,
        remaining,
        runs: backfill.shape.chunks(),
        runs_requested: backfill.progress.planned() - backfill.dropped.len() as u64,
        runs_active: backfill.active.len() as u64,
        per_minute,
        estimated_end: per_minute
            .filter(|rate| goes_on && remaining > 0 && *rate > 0.0)
            .map(|rate| end(now, remaining, rate)),
    }
}

/// Of a backfill that was over in no time a rate says nothing.
fn rate(per_minute: Option<f64>, took_ms: Option<u64>) -> Option<f64> {
    per_minute.filter(|_| took_ms.is_none_or(|ms| ms >= RATE_MS_MIN))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate for people; a float beyond the range becomes its end"
)]
fn end(now: Timestamp, remaining: u64, per_minute: f64) -> api::Time {
    // A century is as good as never.
    let ms = (remaining as f64 / per_minute * 60_000.0).min(3.15e12) as u64;
    now.plus_ms(ms).into()
}

fn words(selector: &BackfillSelector) -> String {
    match selector {
        BackfillSelector::All => "all".into(),
        BackfillSelector::Range { from, to } => format!("{from}...{to}"),
        BackfillSelector::Explicit(Stored::Inline(keys)) => keys.join(", "),
        BackfillSelector::Explicit(Stored::Blob(_)) => "a list of keys".into(),
        BackfillSelector::Filter(filter) => filter_words(filter),
        BackfillSelector::Undone(parent) => format!("what {parent} left undone"),
    }
}

fn filter_words(filter: &PartitionFilter) -> String {
    let statuses = filter.statuses.iter().map(|status| {
        let word = serde_json::to_value(status).unwrap_or_default();
        word.as_str().unwrap_or_default().to_owned()
    });
    let dimensions = filter
        .dimensions
        .iter()
        .map(|(name, keys)| format!("{name}={}", keys.join("|")));
    let parts: Vec<String> = filter
        .keys
        .iter()
        .cloned()
        .chain(dimensions)
        .chain(statuses)
        .collect();
    match parts.is_empty() {
        true => "all".into(),
        false => parts.join(", "),
    }
}

fn left_out(rows: &[LeftOut]) -> Vec<api::BackfillLeftOut> {
    let shown = |key: &Option<PartitionKey>| key.as_ref().map(|key| key.display().into_owned());
    let row = |out: &LeftOut| api::BackfillLeftOut {
        asset: out.asset.clone(),
        partitions: out.partitions,
        first: shown(&out.first),
        parent: out.parent.clone(),
        lacks: shown(&out.lacks),
    };
    rows.iter().take(LEFT_OUT).map(row).collect()
}

pub(crate) fn preview(outline: &Outline) -> api::BackfillPreview {
    let unit = |at: usize| {
        let (unit, shape) = (&outline.target.units[at], &outline.shape.units[at]);
        let key = |member: Option<u32>| Some(shape.key(member?)?.display().into_owned());
        api::BackfillUnit {
            assets: unit.assets.clone(),
            partitions: shape.def.as_ref().map(|_| unit.count()),
            first: key(Some(0)),
            last: key(shape.count().checked_sub(1)),
            partitions_per_run: shape.chunk_size,
            runs: u64::from(shape.chunks()),
            needs: unit.needs.iter().map(|need| need.unit).collect(),
        }
    };
    let number = |n: &usize| u32::try_from(*n).unwrap_or(u32::MAX);
    let rounds = outline.rounds.iter().map(|round| api::BackfillRound {
        runs: round
            .units
            .iter()
            .map(|(_, runs, _)| u64::from(*runs))
            .sum(),
        partitions: round.units.iter().map(|(_, _, n)| u64::from(*n)).sum(),
        units: round
            .units
            .iter()
            .map(|(unit, _, _)| number(unit))
            .collect(),
    });
    api::BackfillPreview {
        partitions: outline.shape.count(),
        materializations: outline.materializations(),
        runs: outline.runs(),
        rounds: outline.rounds.len() as u64,
        units: (0..outline.target.units.len()).map(unit).collect(),
        first_rounds: rounds.take(ROUNDS).collect(),
        left_out: left_out(&outline.target.left_out),
    }
}

/// A member of a unit, as a partition.
pub(crate) fn partition(backfill: &Backfill, unit: usize, member: u32) -> api::BackfillPartition {
    let form = &backfill.shape.units[unit];
    let chunk = form.chunk_of(member);
    api::BackfillPartition {
        assets: backfill.target.units[unit].assets.clone(),
        partition: form.key(member).map(|key| key.display().into_owned()),
        chunk: backfill.shape.number(unit, chunk),
        status: status(backfill, unit, member),
    }
}

pub(crate) fn status(backfill: &Backfill, unit: usize, member: u32) -> Status {
    let progress = &backfill.progress.units[unit];
    let chunk = backfill.shape.units[unit].chunk_of(member);
    if progress.done.contains(member) {
        Status::Succeeded
    } else if progress.failed.contains(member) {
        Status::Failed
    } else if progress.skipped.contains(member) {
        Status::Skipped
    } else if progress.planned.contains(chunk) && progress.ready.contains(member) {
        Status::Requested
    } else if progress.ready.contains(member) {
        Status::Ready
    } else {
        Status::Waiting
    }
}

/// A chunk that was planned.
pub(crate) fn chunk(
    state: &State,
    id: BackfillId,
    backfill: &Backfill,
    (unit, within): (usize, u32),
) -> api::BackfillChunk {
    let shape: &Shape = &backfill.shape;
    let form = &shape.units[unit];
    let members = form.members_of(within);
    let key = |member: u32| form.key(member).map(|key| key.display().into_owned());
    let number = shape.number(unit, within);
    let index = State::run_key_index(BACKFILL_SCOPE, &chunk_key(id, number));
    let run = state.run_keys.get(&index).map(|known| known.run);
    let in_memory = run.and_then(|run| state.run(run));
    api::BackfillChunk {
        chunk: number,
        assets: backfill.target.units[unit].assets.clone(),
        first: key(members.start),
        last: members.end.checked_sub(1).and_then(key),
        partitions: members.len() as u64,
        run,
        run_status: in_memory.map(|run| run::status(run.status)),
    }
}
