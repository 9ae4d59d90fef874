//! The end of an attempt and all that follows from it: another try, skipped tasks, the end of the run.

use arco_core::event::{
    AttemptFinished, AttemptOutcome, ErrorInfo, FailureClass, RunFinished, SkipReason, TasksMapped,
    TasksSkipped,
};
use arco_core::{AttemptId, RunId, TaskIndex};

pub(super) use super::retry::Wish;
use super::{Deciding, retry, run_retry};
use crate::jobs;
use crate::state::{Run, TaskStatus, op, output};

/// Ends a live attempt. The caller has made sure that it is alive.
pub(super) fn attempt(d: &mut Deciding<'_>, id: AttemptId, outcome: AttemptOutcome, wish: Wish) {
    let outcome = as_asked(d, id, outcome);
    let retry_at = match &outcome {
        AttemptOutcome::Failed { class, .. } => {
            next_try_ms(d, id, *class, wish).map(|delay| d.now.plus_ms(delay))
        }
        _ => None,
    };
    if outcome == AttemptOutcome::Succeeded {
        map_tasks(d, id);
        skip_readers(d, id);
    }
    d.emit(AttemptFinished {
        attempt: id,
        outcome,
        retry_at,
    });
    after_task(d, id.run, id.task);
}

/// Skips what reads an output that a task about to succeed leaves unmade. Said before the end of
/// the attempt, which would make these tasks ready.
fn skip_readers(d: &mut Deciding<'_>, id: AttemptId) {
    for asset in output::left_out(&d.state, id.run, id.task) {
        let readers = d.state.run(id.run).map_or_else(Vec::new, |run| {
            output::readers(&d.state, run, id.task, Some(&asset))
        });
        if !readers.is_empty() {
            let because = SkipReason::OutputNotMade {
                task: id.task,
                asset,
            };
            d.emit(TasksSkipped {
                run: id.run,
                tasks: readers,
                because,
            });
        }
    }
    let Some(output) = op::left_out(&d.state, id.run, id.task).into_iter().next() else {
        return;
    };
    let readers = d.state.run(id.run).map_or_else(Vec::new, |run| {
        output::readers(&d.state, run, id.task, None)
    });
    if !readers.is_empty() {
        let because = SkipReason::ValueNotMade {
            task: id.task,
            output,
        };
        d.emit(TasksSkipped {
            run: id.run,
            tasks: readers,
            because,
        });
    }
}

/// An op about to succeed gave the keys of a dynamic output: the tasks that are there for each of them
/// join the run. Those that need something else that is over and did not succeed are skipped at once.
fn map_tasks(d: &mut Deciding<'_>, id: AttemptId) {
    let Some(run) = d.state.run(id.run) else {
        return;
    };
    let first = run.counts.total();
    if run.is_canceling() || op::keys(run, id.task).is_none_or(<[String]>::is_empty) {
        return;
    }
    d.emit(TasksMapped {
        run: id.run,
        task: id.task,
    });
    let last = d.state.run(id.run).map_or(first, |run| run.counts.total());
    for task in first..last {
        let Some((because, tasks)) = never(d, id.run, task) else {
            continue;
        };
        d.emit(TasksSkipped {
            run: id.run,
            tasks,
            because,
        });
    }
}

/// Why a task that is not begun can never be, by what it needs; and what goes with it.
fn never(d: &Deciding<'_>, id: RunId, task: TaskIndex) -> Option<(SkipReason, Vec<TaskIndex>)> {
    let run = d.state.run(id)?;
    if run.task(task)?.status != TaskStatus::Waiting {
        return None;
    }
    let reason = |need: &TaskIndex| {
        why_dependents_skip(d, id, *need).or_else(|| run.task(*need)?.skipped.clone())
    };
    let needs = run.planned(task)?.needs.iter();
    let reasons: Vec<SkipReason> = needs.filter_map(reason).collect();
    if let Some(failure) = reasons.iter().find(|because| because.is_failure()) {
        let mut tasks = brought_down(run, task);
        tasks.push(task);
        tasks.sort_unstable();
        return Some((failure.clone(), tasks));
    }
    let because = reasons.into_iter().next()?;
    let lacks = output::is_lacking(&d.state, run, task);
    lacks.then(|| (because, output::with_readers(&d.state, run, task)))
}

/// How an attempt ended that was asked to stop: what is given back, stopped or lost is over, and the
/// reason is that for which it was asked. What ended by itself before it heard of it stands.
fn as_asked(d: &Deciding<'_>, id: AttemptId, outcome: AttemptOutcome) -> AttemptOutcome {
    let (released, lost) = match &outcome {
        AttemptOutcome::Released | AttemptOutcome::Cancelled => (true, false),
        AttemptOutcome::Failed { class, .. } => (false, *class == FailureClass::WorkerLost),
        AttemptOutcome::Succeeded => (false, false),
    };
    let Some(run) = d.state.run(id.run).filter(|_| released || lost) else {
        return outcome;
    };
    if let Some(timed_out) = run.timed_out {
        return timeout("RunTimedOut", timed_out.message());
    }
    if run.is_canceling() {
        return AttemptOutcome::Cancelled;
    }
    let live = run.task(id.task).and_then(|task| task.live());
    match live.and_then(|row| row.start_timed_out) {
        // A host that is lost began nothing: the task is tried again as after any lost host.
        Some(limit_ms) if released => timeout(
            "StartTimedOut",
            format!("the host did not begin the task within its limit of {limit_ms} ms"),
        ),
        _ => outcome,
    }
}

fn timeout(kind: &str, message: String) -> AttemptOutcome {
    AttemptOutcome::Failed {
        class: FailureClass::Timeout,
        error: ErrorInfo {
            kind: kind.into(),
            message,
            traceback: String::new(),
        },
    }
}

fn next_try_ms(d: &Deciding<'_>, id: AttemptId, class: FailureClass, wish: Wish) -> Option<u64> {
    let run = d.state.run(id.run)?;
    if run.is_canceling() {
        return None;
    }
    let planned = run.planned(id.task)?;
    let own = d
        .state
        .pinned(run, &planned.location)
        .and_then(|definitions| definitions.step(&planned.step))
        .and_then(|step| step.retry.as_ref());
    let policy = jobs::retry_policy(&d.state, run, own);
    // A lost worker takes no try from the policy, nor the other way round.
    let budget = retry::Budget::of(class);
    let of_this_sort = |outcome: &AttemptOutcome| matches!(outcome, AttemptOutcome::Failed { class, .. } if retry::Budget::of(*class) == budget);
    let before = &run.task(id.task)?.attempts;
    let before = before
        .iter()
        .filter_map(|row| row.outcome.as_ref())
        .filter(|o| of_this_sort(o));
    let failures = u32::try_from(before.count())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    retry::delay_ms(policy, class, wish, failures, id)
}

/// What the end of a task brings down, and the end of the run when nothing is open any more.
fn after_task(d: &mut Deciding<'_>, id: RunId, task: TaskIndex) {
    if let Some(because) = why_dependents_skip(d, id, task) {
        let tasks = d
            .state
            .run(id)
            .map_or_else(Vec::new, |run| brought_down(run, task));
        if !tasks.is_empty() {
            d.emit(TasksSkipped {
                run: id,
                tasks,
                because,
            });
        }
    }
    finish_run(d, id);
}

fn why_dependents_skip(d: &Deciding<'_>, id: RunId, index: TaskIndex) -> Option<SkipReason> {
    let task = d.state.run(id)?.task(index)?;
    match task.status {
        TaskStatus::Failed => Some(SkipReason::UpstreamFailed(index)),
        TaskStatus::Cancelled => Some(SkipReason::UpstreamCancelled(index)),
        TaskStatus::Succeeded if task.blocked => Some(SkipReason::CheckFailed(index)),
        _ => None,
    }
}

/// Everything that needs a task, directly or not, and was not begun. In order.
fn brought_down(run: &Run, from: TaskIndex) -> Vec<TaskIndex> {
    let mut seen = std::collections::BTreeSet::new();
    let mut stack = vec![from];
    while let Some(next) = stack.pop() {
        for dependent in &run.dependents[next as usize] {
            let waiting = run
                .task(*dependent)
                .is_some_and(|task| task.status == TaskStatus::Waiting);
            if waiting && seen.insert(*dependent) {
                stack.push(*dependent);
            }
        }
    }
    seen.into_iter().collect()
}

/// Ends a run that has no open task.
pub(super) fn finish_run(d: &mut Deciding<'_>, id: RunId) {
    let Some(run) = d.state.run(id) else { return };
    if run.status.is_terminal() || run.counts.open() > 0 {
        return;
    }
    let outcome = run.outcome();
    let retry = run_retry::owed(&d.state, run, outcome);
    d.emit(RunFinished {
        run: id,
        outcome,
        retry,
    });
}
