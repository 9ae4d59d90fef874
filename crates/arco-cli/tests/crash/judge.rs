//! The journal and the log beside each other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arco_core::RunId;
use arco_core::event::{AttemptOutcome, Event, Fact};
use arco_flow::State;
use arco_flow::state::{Run, Task};
use arco_log::LogStore;
use arco_testkit::replay::{fold_watched, segments};

use crate::journal::Journal;

/// What a log says.
pub(crate) struct Record {
    pub(crate) state: State,
    /// Every run there ever was as it last was, also those that have left the state for history.
    pub(crate) runs: BTreeMap<RunId, Arc<Run>>,
}

impl Record {
    /// What the log in this folder says.
    pub(crate) fn read(store: &Path) -> Self {
        let store = LogStore::open_existing(store.to_str().unwrap()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let segments = runtime.block_on(segments(&store)).unwrap();
        let mut runs = BTreeMap::new();
        let state = fold_watched(State::default(), &segments, &mut |state, event: &Event| {
            if let Fact::HistoryPacked(packed) = &event.fact {
                let leaving = packed.runs.iter().filter_map(|id| state.runs.get(id));
                runs.extend(leaving.map(|run| (run.id, Arc::clone(run))));
            }
        });
        runs.extend(state.runs.values().map(|run| (run.id, Arc::clone(run))));
        Self { state, runs }
    }
}

/// Everything that does not hold.
pub(crate) fn judge(journal: &Journal, record: &Record, acknowledged: &[String]) -> Vec<String> {
    let mut wrong = journal.overlaps();
    for id in acknowledged {
        match record.runs.get(&id.parse().unwrap()) {
            None => wrong.push(format!("{id} was acknowledged and is not in the log")),
            Some(run) => judge_run(journal, run, &mut wrong),
        }
    }
    // And nothing ran that the log knows nothing of.
    for ((id, step), bodies) in &journal.0 {
        let known = record.runs.get(&id.parse().unwrap()).is_some_and(|run| {
            let task = run.plan.tasks.iter().position(|task| task.step == *step);
            task.is_some_and(|at| run.tasks[at].attempts.len() >= bodies.len())
        });
        if !known {
            wrong.push(format!("{id} {step}: more bodies than leases"));
        }
    }
    wrong
}

/// Every task ends in exactly one recorded success, of an attempt whose body came to its end.
fn judge_run(journal: &Journal, run: &Run, wrong: &mut Vec<String>) {
    for (planned, task) in run.plan.tasks.iter().zip(&run.tasks) {
        let name = format!("{} {}", run.id, planned.step);
        let succeeded = |outcome: &AttemptOutcome| *outcome == AttemptOutcome::Succeeded;
        let successes = task
            .attempts
            .iter()
            .filter(|row| row.outcome.as_ref().is_some_and(succeeded));
        if successes.count() != 1 {
            wrong.push(format!("{name}: not one success: {:?}", task.attempts));
            continue;
        }
        let bodies = journal.of(&run.id.to_string(), &planned.step);
        let retry = failures_before_success(task);
        let said: Vec<_> = bodies.iter().filter(|body| body.retry == retry).collect();
        match said.as_slice() {
            [body] if body.ended => {}
            _ => wrong.push(format!(
                "{name}: recorded a success of no whole body: {bodies:?}"
            )),
        }
    }
}

fn failures_before_success(task: &Task) -> u32 {
    let outcomes = task.attempts.iter().filter_map(|row| row.outcome.as_ref());
    let failed = outcomes.filter(|outcome| matches!(outcome, AttemptOutcome::Failed { .. }));
    u32::try_from(failed.count()).unwrap()
}
