//! Runs.

use arco_core::event::{ErrorInfo, FailureClass, RerunOf};
use arco_flow::state::{Counts, Run, RunStatus, TaskStatus, TimedOut};
use arco_wire::api;

/// Assets shown of a run in a list.
pub(crate) const ASSETS_IN_LIST: usize = 20;
/// Assets shown of one run.
pub(crate) const ASSETS_IN_RUN: usize = 10_000;
/// Failures shown of one run: the first tell the story.
const FAILURES: usize = 10;

pub(crate) fn summary(run: &Run, assets_max: usize) -> api::RunSummary {
    api::RunSummary {
        id: run.id,
        status: status(run.status),
        requested: run.requested.1.into(),
        position: run.requested.0.into(),
        requested_by: run.principal.clone(),
        started: run.started.map(Into::into),
        ended: run.ended.map(|(_, time)| time.into()),
        selection: run.selection.clone(),
        partitions: run.partitions.clone(),
        assets: run.assets.iter().take(assets_max).cloned().collect(),
        asset_count: run.assets.len() as u64,
        asset_checks: run.asset_checks.as_ref().map(|checks| {
            let shown = checks.iter().take(assets_max);
            shown
                .map(|(asset, name)| format!("{asset}:{name}"))
                .collect()
        }),
        run_key: run.run_key.clone(),
        scope: run.scope.clone(),
        tags: run.tags.clone(),
        priority: run.priority,
        job: run.job.clone(),
        rerun: run.rerun.as_ref().map(rerun),
        timed_out: run.timed_out.as_ref().map(timed_out),
        retried: run.retried.as_ref().map(|retried| api::Retried {
            number: retried.owed.number,
            kind: retried.owed.kind,
            by: retried.by,
            dropped: retried.dropped.clone(),
        }),
        tick: run.tick.as_ref().map(ToString::to_string),
        evaluation: run.evaluation.as_ref().map(ToString::to_string),
        tasks: counts(&run.counts),
        materializations: run.materializations,
        observations: run.observations,
        checks_passed: run.checks.0,
        checks_failed: run.checks.1,
    }
}

pub(crate) fn run(run: &Run) -> api::Run {
    api::Run {
        summary: summary(run, ASSETS_IN_RUN),
        config: (*run.config).clone(),
        definitions: run.definitions.clone(),
        fingerprint: run.fingerprint,
        time_limits: run.time_limits,
        failures: failures(run),
    }
}

fn rerun(rerun: &RerunOf) -> api::RerunOf {
    api::RerunOf {
        parent: rerun.parent,
        root: rerun.root,
        kind: rerun.kind,
        selection: rerun.selection.clone(),
        with_upstream: rerun.with_upstream,
        with_downstream: rerun.with_downstream,
        retry: rerun.retry,
    }
}

fn timed_out(of: &TimedOut) -> api::RunTimedOut {
    api::RunTimedOut {
        limit: of.limit,
        limit_ms: of.limit_ms,
        at: of.at.into(),
    }
}

fn failures(run: &Run) -> Vec<api::TaskFailure> {
    let blocked = ErrorInfo {
        kind: "BlockingCheckFailed".into(),
        message: "a blocking check failed, and what needs the asset was not begun".into(),
        traceback: String::new(),
    };
    if run.counts.of(TaskStatus::Failed) == 0 && run.status != RunStatus::Failure {
        return Vec::new();
    }
    let failed = (0_u32..)
        .zip(&run.tasks)
        .filter(|(_, task)| task.status == TaskStatus::Failed || task.blocked);
    failed
        .filter_map(|(index, task)| {
            let planned = run.planned(index)?;
            let (class, error) = match task.status {
                TaskStatus::Failed => task.failure()?,
                _ => (FailureClass::DataQuality, &blocked),
            };
            Some(api::TaskFailure {
                task: index,
                step: planned.step.clone(),
                mapping_key: planned.mapping_key.clone(),
                partition: planned
                    .partitions
                    .first()
                    .map(|key| key.display().into_owned()),
                class,
                error: error.clone(),
            })
        })
        .take(FAILURES)
        .collect()
}

pub(crate) fn status(status: RunStatus) -> api::RunStatus {
    match status {
        RunStatus::Queued => api::RunStatus::Queued,
        RunStatus::Started => api::RunStatus::Started,
        RunStatus::Canceling => api::RunStatus::Canceling,
        RunStatus::Success => api::RunStatus::Success,
        RunStatus::Failure => api::RunStatus::Failure,
        RunStatus::Canceled => api::RunStatus::Canceled,
    }
}

pub(crate) fn counts(counts: &Counts) -> api::TaskCounts {
    api::TaskCounts {
        total: counts.total(),
        waiting: counts.of(TaskStatus::Waiting),
        ready: counts.of(TaskStatus::Ready),
        leased: counts.of(TaskStatus::Leased),
        running: counts.of(TaskStatus::Running),
        retrying: counts.of(TaskStatus::Retrying),
        succeeded: counts.of(TaskStatus::Succeeded),
        failed: counts.of(TaskStatus::Failed),
        skipped: counts.of(TaskStatus::Skipped),
        cancelled: counts.of(TaskStatus::Cancelled),
    }
}

/// The sum of two counts.
pub(crate) fn add(a: api::TaskCounts, b: api::TaskCounts) -> api::TaskCounts {
    api::TaskCounts {
        total: a.total + b.total,
        waiting: a.waiting + b.waiting,
        ready: a.ready + b.ready,
        leased: a.leased + b.leased,
        running: a.running + b.running,
        retrying: a.retrying + b.retrying,
        succeeded: a.succeeded + b.succeeded,
        failed: a.failed + b.failed,
        skipped: a.skipped + b.skipped,
        cancelled: a.cancelled + b.cancelled,
    }
}
