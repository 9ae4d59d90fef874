//! The journal and the log beside each other.

use std::path::Path;

use arco_core::event::AttemptOutcome;
use arco_flow::State;
use arco_flow::state::{Run, Task};
use arco_log::LogStore;
use arco_testkit::replay::replay;

use crate::journal::Journal;

/// The state that the log in this folder says.
pub(crate) fn state(store: &Path) -> State {
    let store = LogStore::open_existing(store.to_str().unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(replay(&store))
}

/// Everything that does not hold.
pub(crate) fn judge(journal: &Journal, state: &State, acknowledged: &[String]) -> Vec<String> {
    let mut wrong = journal.overlaps();
    for id in acknowledged {
        match state.run(id.parse().unwrap()) {
            None => wrong.push(format!("{id} was acknowledged and is not in the log")),
            Some(run) => judge_run(journal, run, &mut wrong),
        }
    }
    // And nothing ran that the log knows nothing of.
    for ((id, step), bodies) in &journal.0 {
        let known = state.run(id.parse().unwrap()).is_some_and(|run| {
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
