//! Why a run stands where it stands.

use std::collections::BTreeMap;

use arco_core::TaskIndex;
use arco_core::event::{RerunOf, SkipReason};
use arco_core::explanation::{Reason, Unknown, Why};
use arco_core::run_retries::RunRetries;

use super::{Explainer, Missing, name};
use crate::state::{Run, RunStatus, TaskStatus};

/// Tasks shown of one sort: the first tell the story.
const TASKS: usize = 5;
/// Generations of reruns that are followed.
const GENERATIONS: usize = 5;

impl Explainer<'_> {
    /// What must be read from history before a run, its tasks or its assets can be explained. What was
    /// read may name more: ask again until nothing new is missing.
    #[must_use]
    pub fn missing_of_run(&self, run: &Run) -> Missing {
        let mut missing = Missing::default();
        self.missing_parents(run, &mut missing);
        missing
    }

    /// The first of the runs that are done again that left memory.
    pub(super) fn missing_parents(&self, run: &Run, missing: &mut Missing) {
        let mut next = run.rerun.as_ref().map(|rerun| rerun.parent);
        for _ in 0..GENERATIONS {
            let Some(parent) = next else { return };
            let Some(known) = self.known_run(parent) else {
                return missing.run(parent);
            };
            next = known.rerun.as_ref().map(|rerun| rerun.parent);
        }
    }

    pub(super) fn why_run(&self, run: &Run) -> Why {
        let ended = run.ended.map(|(_, time)| time);
        let took = ended.unwrap_or(self.now).ms_since(run.requested.1);
        Why::from(Reason::Run {
            run: run.id,
            status: run.status.as_str().to_owned(),
            tasks: run.counts.total(),
            succeeded: run.counts.of(TaskStatus::Succeeded),
            failed: run.counts.of(TaskStatus::Failed),
            skipped: run.counts.of(TaskStatus::Skipped),
            cancelled: run.counts.of(TaskStatus::Cancelled),
        })
        .at(ended)
        .lasted(took)
        .because(self.cancelled(run))
        .because(match run.status {
            RunStatus::Failure => self.failures(run),
            RunStatus::Success if run.counts.total() == 0 => vec![Reason::NothingToDo.into()],
            RunStatus::Success | RunStatus::Canceled => Vec::new(),
            RunStatus::Queued => self.waits_to_begin(run),
            RunStatus::Started | RunStatus::Canceling => self.open(run),
        })
        .because(self.retried(run))
        .because(begun(run))
        .because([self.asked(run)])
    }

    /// Who asked for a run, under which definitions, and which run it does again.
    pub(super) fn asked(&self, run: &Run) -> Why {
        self.asked_since(run, 0)
    }

    fn asked_since(&self, run: &Run, generations: usize) -> Why {
        let definitions = run.definitions.iter().map(|(location, version)| {
            let known = self.state.locations.get(location);
            let current = known.filter(|known| known.version == Some(*version));
            let deployed = current.and_then(|known| known.deployed);
            Why::from(Reason::Definitions {
                location: location.clone(),
                version: *version,
                current: current.is_some(),
            })
            .at(deployed.map(|(_, time)| time))
            .standing(deployed.map(|(at, _)| at))
        });
        Why::from(Reason::Asked {
            run: run.id,
            by: run.principal.clone(),
            selection: run.selection.clone(),
            partitions: run.partitions.clone(),
            run_key: run.run_key.clone(),
            tick: run.tick.as_ref().map(ToString::to_string),
            evaluation: run.evaluation.as_ref().map(ToString::to_string),
            assets: run.assets.len() as u64,
        })
        .at(run.requested.1)
        .standing(run.requested.0)
        .because(definitions)
        .because(
            run.rerun
                .as_ref()
                .map(|rerun| self.again(rerun, generations)),
        )
    }

    /// The run that is done again, who had asked for that one, and so on.
    fn again(&self, rerun: &RerunOf, generations: usize) -> Why {
        let parent = self.known_run(rerun.parent);
        let why = Why::from(Reason::Again {
            parent: rerun.parent,
            what: rerun.kind,
            selection: rerun.selection.clone(),
            retry: rerun.retry,
            status: parent.map(|parent| parent.status.as_str().to_owned()),
        })
        .at(parent.and_then(|parent| parent.ended).map(|(_, at)| at));
        match parent {
            Some(parent) if generations < GENERATIONS => {
                why.because([self.asked_since(parent, generations + 1)])
            }
            Some(_) => why,
            None => why.because([Reason::BeforeHistory {
                unknown: Unknown::Parent,
            }
            .into()]),
        }
    }

    /// Who asked to stop a run, when someone did.
    pub(super) fn cancelled(&self, run: &Run) -> Option<Why> {
        if let Some(timed_out) = run.timed_out {
            let (limit, limit_ms) = (timed_out.limit, timed_out.limit_ms);
            let why = Why::from(Reason::RunTimedOut { limit, limit_ms });
            return Some(why.at(timed_out.at));
        }
        if let Some((at, time, by)) = &run.cancelled {
            let why = Why::from(Reason::CancelAsked { by: by.clone() });
            return Some(why.at(*time).standing(*at));
        }
        let stopped = matches!(run.status, RunStatus::Canceling | RunStatus::Canceled);
        stopped.then(|| {
            let unknown = Unknown::Canceller;
            Reason::BeforeHistory { unknown }.into()
        })
    }

    /// Of a run that failed: whether it is done again without anyone asking, and why not.
    fn retried(&self, run: &Run) -> Option<Why> {
        if let Some(retried) = &run.retried {
            let number = retried.owed.number;
            return Some(Why::from(match (&retried.dropped, retried.by) {
                (Some(reason), _) => Reason::RunRetryDropped {
                    number,
                    reason: reason.clone(),
                },
                (None, by) => Reason::RunRetried { number, by },
            }));
        }
        let policy = RunRetries::of(&run.tags, self.state.run_retries).ok()?;
        if run.status != RunStatus::Failure || policy.max_retries == 0 {
            return None;
        }
        let max = policy.max_retries;
        Some(Why::from(if policy.covers(crate::decide::failures(run)) {
            Reason::RunRetriesUsedUp { max }
        } else {
            Reason::RunRetriesNotForTasks
        }))
    }

    /// The tasks that failed, or whose checks stopped others, each with what it brought down.
    fn failures(&self, run: &Run) -> Vec<Why> {
        let mut brought_down: BTreeMap<TaskIndex, (u64, TaskIndex)> = BTreeMap::new();
        for (index, task) in (0..).zip(&run.tasks) {
            if let Some(of) = task.skipped.as_ref().map(root) {
                brought_down.entry(of).or_insert((0, index)).0 += 1;
            }
        }
        let at_fault = (0..)
            .zip(&run.tasks)
            .filter(|(_, task)| task.status == TaskStatus::Failed || task.blocked)
            .map(|(index, _)| index);
        let mut out = Vec::new();
        for index in at_fault.take(TASKS) {
            out.extend(self.why_task(run, index));
            if let Some((tasks, first)) = brought_down.get(&index) {
                out.push(Why::from(Reason::SkippedTasks {
                    tasks: *tasks,
                    first: name(run, *first),
                    of: name(run, index),
                }));
            }
        }
        out
    }

    /// What a run that goes on is at: tasks in hosts' hands, else those that may be, else those that
    /// wait for others.
    fn open(&self, run: &Run) -> Vec<Why> {
        let stages: [&[TaskStatus]; 3] = [
            &[TaskStatus::Leased, TaskStatus::Running],
            &[TaskStatus::Ready, TaskStatus::Retrying],
            &[TaskStatus::Waiting],
        ];
        for stage in stages {
            let tasks = (0..)
                .zip(&run.tasks)
                .filter(|(_, task)| stage.contains(&task.status))
                .take(TASKS);
            let found: Vec<Why> = tasks
                .filter_map(|(index, _)| self.why_task(run, index))
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }
}

/// The task whose end skipped others.
pub(super) fn root(reason: &SkipReason) -> TaskIndex {
    match reason {
        SkipReason::UpstreamFailed(task)
        | SkipReason::CheckFailed(task)
        | SkipReason::UpstreamCancelled(task)
        | SkipReason::OutputNotMade { task, .. }
        | SkipReason::ValueNotMade { task, .. } => *task,
    }
}

fn begun(run: &Run) -> Option<Why> {
    let started = run.started?;
    let waited = started.ms_since(run.requested.1);
    Some(Why::from(Reason::Begun).at(started).lasted(waited))
}
