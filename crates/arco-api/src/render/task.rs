//! Tasks and attempts.

use arco_core::definitions::StepDef;
use arco_core::event::{AttemptOutcome, SkipReason};
use arco_core::{AssetKey, AttemptId, TaskIndex};
use arco_flow::State;
use arco_flow::state::{AttemptRow, OutputStatus, Run, Task, TaskStatus};
use arco_wire::api;

use super::materialization;

/// Partitions shown of a task: a task of a range may have thousands.
pub(crate) const PARTITIONS: usize = 20;
const NEEDS: usize = 1_000;
const TRIES: usize = 100;
const INPUTS: usize = 1_000;

pub(crate) fn status(status: TaskStatus) -> api::TaskStatus {
    match status {
        TaskStatus::Waiting => api::TaskStatus::Waiting,
        TaskStatus::Ready => api::TaskStatus::Ready,
        TaskStatus::Leased => api::TaskStatus::Leased,
        TaskStatus::Running => api::TaskStatus::Running,
        TaskStatus::Retrying => api::TaskStatus::Retrying,
        TaskStatus::Succeeded => api::TaskStatus::Succeeded,
        TaskStatus::Failed => api::TaskStatus::Failed,
        TaskStatus::Skipped => api::TaskStatus::Skipped,
        TaskStatus::Cancelled => api::TaskStatus::Cancelled,
    }
}

/// The step of a task by the definitions its run pinned, or, when an old run's are gone from
/// memory, by the current ones of its location.
fn step<'a>(state: &'a State, run: &Run, index: TaskIndex) -> Option<&'a StepDef> {
    let planned = run.planned(index)?;
    let current = || state.catalog.locations().get(&planned.location);
    state
        .pinned(run, &planned.location)
        .or_else(current)?
        .step(&planned.step)
}

pub(crate) fn summary(state: &State, run: &Run, index: TaskIndex) -> Option<api::TaskSummary> {
    let task = run.task(index)?;
    let planned = run.planned(index)?;
    let step = step(state, run, index);
    let last = task.attempts.last();
    let failure = task.failure();
    let partitions = planned.partitions.iter().take(PARTITIONS);
    let outputs = step.map_or(&[][..], |step| planned.outputs(step));
    Some(api::TaskSummary {
        task: index,
        location: planned.location.clone(),
        step: planned.step.clone(),
        mapping_key: planned.mapping_key.clone(),
        kind: step.map(|step| step.kind),
        outputs: outputs.to_vec(),
        output_statuses: output_statuses(state, task, outputs),
        partitions: partitions.map(|key| key.display().into_owned()).collect(),
        partition_count: planned.partitions.len() as u64,
        status: status(task.status),
        attempts: u32::try_from(task.attempts.len()).unwrap_or(u32::MAX),
        started: last.and_then(|row| row.started).map(Into::into),
        ended: last.and_then(|row| row.ended).map(Into::into),
        retry_at: task.retry_at.map(Into::into),
        skipped: task.skipped.as_ref().map(skipped),
        blocked: task.blocked,
        class: failure.map(|(class, _)| class),
        error: failure.map(|(_, error)| one_line(&error.kind, &error.message)),
    })
}

/// `ValueError: …`, its first line.
fn one_line(kind: &str, message: &str) -> String {
    const CHARS: usize = 300;
    let line: String = message
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(CHARS)
        .collect();
    if line.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}: {line}")
    }
}

/// What became of each output, where it is more than the status of the task says.
fn output_statuses(state: &State, task: &Task, outputs: &[AssetKey]) -> Vec<api::TaskOutput> {
    let optional = |key: &AssetKey| state.catalog.asset(key).is_some_and(|a| a.asset.skippable);
    if outputs.len() == 1 && task.left_out.is_empty() && !optional(&outputs[0]) {
        return Vec::new();
    }
    let outputs = outputs.iter().map(|asset| api::TaskOutput {
        asset: asset.clone(),
        status: match task.output(asset) {
            OutputStatus::Pending => api::OutputStatus::Pending,
            OutputStatus::Materialized => api::OutputStatus::Materialized,
            OutputStatus::NotMade => api::OutputStatus::NotMade,
            OutputStatus::Failed => api::OutputStatus::Failed,
            OutputStatus::Skipped => api::OutputStatus::Skipped,
            OutputStatus::Cancelled => api::OutputStatus::Cancelled,
        },
    });
    outputs.collect()
}

fn skipped(reason: &SkipReason) -> api::Skipped {
    let (because, task) = match reason {
        SkipReason::UpstreamFailed(task) => (api::SkipCause::UpstreamFailed, *task),
        SkipReason::CheckFailed(task) => (api::SkipCause::CheckFailed, *task),
        SkipReason::UpstreamCancelled(task) => (api::SkipCause::UpstreamCancelled, *task),
        SkipReason::OutputNotMade { task, .. } | SkipReason::ValueNotMade { task, .. } => {
            (api::SkipCause::OutputNotMade, *task)
        }
    };
    let (asset, output) = match reason {
        SkipReason::OutputNotMade { asset, .. } => (Some(asset.clone()), None),
        SkipReason::ValueNotMade { output, .. } => (None, Some(output.clone())),
        _ => (None, None),
    };
    api::Skipped {
        because,
        task,
        output,
        asset,
    }
}

pub(crate) fn task(state: &State, run: &Run, index: TaskIndex) -> Option<api::Task> {
    let found: &Task = run.task(index)?;
    let planned = run.planned(index)?;
    let older = found.attempts.len().saturating_sub(TRIES);
    let tries = found.attempts.iter().skip(older);
    let inputs = found.inputs.iter().flat_map(|inputs| inputs.iter());
    Some(api::Task {
        summary: summary(state, run, index)?,
        needs: planned.needs.iter().take(NEEDS).copied().collect(),
        checks: step(state, run, index)
            .map_or_else(Vec::new, |step| planned.checks(step).cloned().collect()),
        tries: tries.map(|row| attempt(run, index, row)).collect(),
        inputs: inputs.take(INPUTS).map(materialization::input).collect(),
    })
}

pub(crate) fn attempt(run: &Run, index: TaskIndex, row: &AttemptRow) -> api::Attempt {
    let (status, failure) = match &row.outcome {
        None if row.started.is_some() => (api::AttemptStatus::Running, None),
        None => (api::AttemptStatus::Leased, None),
        Some(AttemptOutcome::Succeeded) => (api::AttemptStatus::Succeeded, None),
        Some(AttemptOutcome::Cancelled) => (api::AttemptStatus::Cancelled, None),
        Some(AttemptOutcome::Released) => (api::AttemptStatus::Released, None),
        Some(AttemptOutcome::Failed { class, error }) => {
            (api::AttemptStatus::Failed, Some((*class, error.clone())))
        }
    };
    let (class, error) = failure.unzip();
    api::Attempt {
        id: AttemptId {
            run: run.id,
            task: index,
            number: row.number,
        },
        number: row.number,
        host: row.host,
        status,
        leased: row.leased.into(),
        started: row.started.map(Into::into),
        ended: row.ended.map(Into::into),
        class,
        error,
        late: row.late.clone(),
    }
}
