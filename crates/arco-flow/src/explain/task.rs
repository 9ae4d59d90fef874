//! Why a task stands where it stands: what it waited for, its attempts, and its end.

use arco_core::event::{AttemptOutcome, FailureClass, Severity, SkipReason};
use arco_core::explanation::{Reason, Unknown, Why};
use arco_core::{AssetKey, AttemptId, PartitionKey, TaskIndex, Timestamp};

use super::{Explainer, name, run};
use crate::decide::{Budget, INFRASTRUCTURE_RETRIES_MAX, WORKER_LOST_RETRIES_MAX};
use crate::state::{AttemptRow, Run, Slot, Task, TaskStatus};

/// Attempts shown of a task, the last ones.
const ATTEMPTS: usize = 5;
/// Tasks shown of those a task still needs.
const NEEDS: usize = 3;
/// How far a chain of waiting tasks is followed.
const DEPTH: usize = 8;

impl Explainer<'_> {
    pub(super) fn why_task(&self, run: &Run, index: TaskIndex) -> Option<Why> {
        self.why_task_at(run, index, 0)
    }

    fn why_task_at(&self, run: &Run, index: TaskIndex, depth: usize) -> Option<Why> {
        let task = run.task(index)?;
        let why = Why::from(Reason::Task {
            run: run.id,
            task: name(run, index),
            status: task.status.as_str().to_owned(),
        });
        let ended = task.attempts.last().and_then(|row| row.ended);
        Some(
            why.at(ended.filter(|_| task.status.is_terminal()))
                .because(waited(run, index, task))
                .because(self.attempts(run, index, task))
                .because(self.checks(run, index, task))
                .because(self.end(run, index, task, depth)),
        )
    }

    fn attempts(&self, run: &Run, index: TaskIndex, task: &Task) -> Vec<Why> {
        let older = task.attempts.len().saturating_sub(ATTEMPTS);
        let mut out = Vec::new();
        if older > 0 {
            let attempts = older as u64;
            out.push(Reason::EarlierAttempts { attempts }.into());
        }
        let mut before = older.checked_sub(1).and_then(|at| task.attempts.get(at));
        for row in task.attempts.iter().skip(older) {
            if let Some(ended) = before.and_then(|row| row.ended) {
                let waited = row.leased.ms_since(ended);
                let again = Why::from(Reason::WaitedForRetry);
                out.push(again.at(row.leased).lasted(waited));
            }
            out.push(self.attempt(run, index, row));
            before = Some(row);
        }
        out
    }

    fn attempt(&self, run: &Run, index: TaskIndex, row: &AttemptRow) -> Why {
        let host = self.state.hosts.get(&row.host);
        let took = row.ended.unwrap_or(self.now).ms_since(row.leased);
        Why::from(Reason::Attempt {
            attempt: AttemptId {
                run: run.id,
                task: index,
                number: row.number,
            },
            host: row.host,
            hostname: host.map(|host| host.hostname.clone()),
            status: attempt_status(row).to_owned(),
        })
        .at(row.leased)
        .lasted(took)
        .because(self.failure(run, index, row))
    }

    fn failure(&self, run: &Run, index: TaskIndex, row: &AttemptRow) -> Option<Why> {
        let Some(AttemptOutcome::Failed { class, error }) = &row.outcome else {
            return None;
        };
        let planned = run.planned(index)?;
        let step = self
            .definitions(run, &planned.location)
            .and_then(|definitions| definitions.step(&planned.step));
        let limit_ms = step.and_then(|step| step.timeout_ms);
        let why = Why::from(Reason::Failed {
            class: *class,
            error_type: error.kind.clone(),
            message: error.message.clone(),
            limit_ms: limit_ms.filter(|_| *class == FailureClass::Timeout),
        });
        Some(why.at(row.ended))
    }

    /// The blocking checks of a task that stopped what needs it.
    fn checks(&self, run: &Run, index: TaskIndex, task: &Task) -> Vec<Why> {
        if !task.blocked {
            return Vec::new();
        }
        let found = self.failed_checks(run, index).unwrap_or_default();
        if found.is_empty() {
            let unknown = Unknown::CheckResult;
            return vec![Reason::BeforeHistory { unknown }.into()];
        }
        found
    }

    fn failed_checks(&self, run: &Run, index: TaskIndex) -> Option<Vec<Why>> {
        let planned = run.planned(index)?;
        let definitions = self.definitions(run, &planned.location)?;
        let step = definitions.step(&planned.step)?;
        let blocking = step.checks.iter().filter(|(asset, check)| {
            definitions
                .check(asset, check)
                .is_some_and(|check| check.blocking)
        });
        let slots: Vec<Slot> = planned
            .partitions
            .iter()
            .cloned()
            .map(Some)
            .chain([None])
            .collect();
        let rows = blocking.flat_map(|(asset, check)| {
            slots
                .iter()
                .filter_map(move |slot| self.failed_check(run, index, asset, check, slot))
        });
        Some(rows.take(ATTEMPTS).collect())
    }

    fn failed_check(
        &self,
        run: &Run,
        index: TaskIndex,
        asset: &AssetKey,
        check: &str,
        slot: &Slot,
    ) -> Option<Why> {
        let facts = self.state.assets.get(asset)?;
        let row = facts.checks.get(check)?.get(&facts.ordinal(slot)?)?;
        // A later run may have judged it again: what it said is not what stopped this one.
        let judge = row.attempt.map(|attempt| (attempt.run, attempt.task));
        let ours = judge == Some((run.id, index));
        let failed = ours && !row.passed && row.severity == Severity::Error;
        failed.then(|| {
            Why::from(Reason::CheckFailed {
                asset: asset.clone(),
                check: check.to_owned(),
                partition: slot.as_ref().map(|key| key.display().into_owned()),
                severity: row.severity,
                description: row.description.clone(),
            })
            .at(row.time)
            .standing(row.position)
        })
    }

    /// What holds a task up, or why it ended as it did.
    fn end(&self, run: &Run, index: TaskIndex, task: &Task, depth: usize) -> Vec<Why> {
        match task.status {
            TaskStatus::Waiting => vec![self.waits_for_tasks(run, task, depth)],
            TaskStatus::Ready => self.waits_for_host(run, index),
            TaskStatus::Retrying => {
                let left = task.retry_at.filter(|due| *due > self.now);
                let why = Why::from(Reason::RetryDue)
                    .at(task.retry_at)
                    .lasted(left.map(|due| due.ms_since(self.now)));
                match left {
                    Some(_) => vec![why],
                    None => vec![why.because(self.waits_for_host(run, index))],
                }
            }
            TaskStatus::Failed => self.no_other_try(run, index, task).into_iter().collect(),
            TaskStatus::Skipped => self.skipped(run, task, depth).into_iter().collect(),
            TaskStatus::Cancelled => self.cancelled(run).into_iter().collect(),
            TaskStatus::Leased | TaskStatus::Running | TaskStatus::Succeeded => Vec::new(),
        }
    }

    /// The tasks it still needs, and what those wait for, down to one that does not wait for others.
    fn waits_for_tasks(&self, run: &Run, task: &Task, depth: usize) -> Why {
        let shown = if depth == 0 { NEEDS } else { 1 };
        let shown = if depth < DEPTH { shown } else { 0 };
        let needs = task.unmet.iter().take(shown);
        Why::from(Reason::WaitsForTasks {
            needs: task.unmet.len(),
        })
        .lasted(self.now.ms_since(run.requested.1))
        .because(needs.filter_map(|need| self.why_task_at(run, need, depth + 1)))
    }

    fn skipped(&self, run: &Run, task: &Task, depth: usize) -> Option<Why> {
        let because = task.skipped.as_ref()?;
        let of = run::root(because);
        let reason = match because {
            SkipReason::UpstreamFailed(_) => Reason::UpstreamFailed,
            SkipReason::CheckFailed(_) => Reason::BlockedByCheck,
            SkipReason::UpstreamCancelled(_) => Reason::UpstreamCancelled,
            SkipReason::OutputNotMade { asset, .. } => Reason::OutputNotMade {
                asset: asset.clone(),
            },
            SkipReason::ValueNotMade { output, .. } => Reason::ValueNotMade {
                output: output.clone(),
            },
        };
        let ended = run.task(of)?.attempts.last().and_then(|row| row.ended);
        Some(
            Why::from(reason)
                .at(ended)
                .because(self.why_task_at(run, of, depth + 1)),
        )
    }

    fn no_other_try(&self, run: &Run, index: TaskIndex, task: &Task) -> Option<Why> {
        if let Some(cancelled) = self.cancelled(run) {
            return Some(cancelled);
        }
        let (class, _) = task.failure()?;
        let of_class = tries(task, Budget::of(class));
        let used_up = |max| Reason::RetriesUsedUp { max };
        Some(Why::from(match class {
            FailureClass::WorkerLost => used_up(WORKER_LOST_RETRIES_MAX),
            FailureClass::Infrastructure => used_up(INFRASTRUCTURE_RETRIES_MAX),
            FailureClass::Config | FailureClass::DataQuality => Reason::NotRetried,
            FailureClass::RetryRequested => used_up(of_class.saturating_sub(1)),
            _ => {
                let planned = run.planned(index)?;
                let definitions = self.definitions(run, &planned.location);
                match definitions.and_then(|definitions| definitions.step(&planned.step)) {
                    None => Reason::BeforeHistory {
                        unknown: Unknown::RetryPolicy,
                    },
                    Some(step) => match &step.retry {
                        None => Reason::NoRetryPolicy,
                        Some(policy) if of_class > policy.max_retries => {
                            used_up(policy.max_retries)
                        }
                        Some(_) => Reason::NotRetried,
                    },
                }
            }
        }))
    }

    /// Why a run makes an asset, or does not.
    pub(super) fn why_asset_of_run(
        &self,
        run: &Run,
        asset: &AssetKey,
        partition: Option<&PartitionKey>,
    ) -> Why {
        let found = self.tasks_of(run, asset);
        let wanted = |index: &TaskIndex| {
            let keys = run.planned(*index).map(|planned| &planned.partitions);
            partition.is_none_or(|key| keys.is_some_and(|keys| keys.contains(key)))
        };
        if let Some(index) = found.iter().copied().find(wanted)
            && let Some(why) = self.why_task(run, index)
        {
            return why.because([self.asked(run)]);
        }
        let why = match partition {
            Some(key) if !found.is_empty() => Reason::PartitionNotAsked {
                asset: asset.clone(),
                partition: key.display().into_owned(),
            },
            _ => Reason::NotSelected {
                asset: asset.clone(),
            },
        };
        let external = self.is_external(asset).then(|| {
            Why::from(Reason::External {
                asset: asset.clone(),
            })
        });
        Why::from(why).because(external).because([self.asked(run)])
    }

    /// The tasks of a run that make an asset, by the definitions it pinned.
    pub(super) fn tasks_of(&self, run: &Run, asset: &AssetKey) -> Vec<TaskIndex> {
        let step = run.definitions.keys().find_map(|location| {
            let definitions = self.definitions(run, location)?;
            Some((location, definitions.asset(asset)?.step.as_ref()?))
        });
        // Of an old run whose definitions left memory, the current ones name the step.
        let current = || {
            let step = self.state.catalog.step_of(asset)?;
            Some((step.definitions.location(), step.step.name.as_str()))
        };
        let step = step.map(|(location, step)| (location.as_str(), step.as_str()));
        let Some((location, step)) = step.or_else(current) else {
            return Vec::new();
        };
        let made = (0..).zip(&run.plan.tasks);
        made.filter(|(_, planned)| planned.location == location && planned.step == step)
            .map(|(index, _)| index)
            .collect()
    }
}

/// What a task that was begun, or may be, waited for: others, and then a host.
fn waited(run: &Run, index: TaskIndex, task: &Task) -> Vec<Why> {
    let unmet = !task.unmet.is_empty() || task.status == TaskStatus::Waiting;
    let Some(planned) = run.planned(index).filter(|_| !unmet) else {
        return Vec::new();
    };
    let ends = planned.needs.iter().filter_map(|need| {
        let ended = run.task(*need)?.attempts.last()?.ended?;
        Some((ended, *need))
    });
    let last: Option<(Timestamp, TaskIndex)> = ends.max();
    let mut out = Vec::new();
    if let Some((met, last)) = last {
        let why = Why::from(Reason::WaitedForTasks {
            needs: planned.needs.len() as u64,
            last: name(run, last),
        });
        out.push(why.at(met).lasted(met.ms_since(run.requested.1)));
    }
    let ready = last.map_or(run.requested.1, |(met, _)| met);
    if let Some(first) = task.attempts.first() {
        let why = Why::from(Reason::WaitedForHost {
            location: planned.location.clone(),
        });
        out.push(why.at(first.leased).lasted(first.leased.ms_since(ready)));
    }
    out
}

/// Failed tries of a task that count against a budget.
fn tries(task: &Task, budget: Budget) -> u32 {
    let failed = task.attempts.iter().filter(|row| {
        matches!(&row.outcome, Some(AttemptOutcome::Failed { class, .. })
            if Budget::of(*class) == budget)
    });
    u32::try_from(failed.count()).unwrap_or(u32::MAX)
}

fn attempt_status(row: &AttemptRow) -> &'static str {
    match &row.outcome {
        None if row.started.is_some() => "running",
        None => "leased",
        Some(AttemptOutcome::Succeeded) => "succeeded",
        Some(AttemptOutcome::Failed { .. }) => "failed",
        Some(AttemptOutcome::Cancelled) => "cancelled",
        Some(AttemptOutcome::Released) => "released",
    }
}
