//! No lease goes beyond a limit that holds where it stands in the log.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::event::{Event, Fact, Position, Stored};
use arco_core::limits::Limits;
use arco_core::{AttemptId, RunId};

use crate::operator::POOL;

/// Who holds what, as the log tells it.
#[derive(Debug, Default)]
pub(super) struct Slots {
    limits: Limits,
    /// Tasks of the pool, by run: those of step `b`.
    pooled: BTreeMap<RunId, BTreeSet<u32>>,
    under_way: BTreeSet<RunId>,
    alive: BTreeSet<AttemptId>,
}

impl Slots {
    /// Hears an event; says what is wrong with it.
    pub(super) fn hear(&mut self, at: Position, event: &Event) -> Option<String> {
        match &event.fact {
            Fact::LimitsSet(e) => self.limits = e.limits.clone(),
            Fact::RunRequested(e) => {
                if let Stored::Inline(plan) = &e.plan {
                    let tasks = (0..).zip(&plan.tasks);
                    let pooled = tasks.filter(|(_, task)| task.step == "b");
                    let pooled = pooled.map(|(task, _)| task).collect();
                    self.pooled.insert(e.run, pooled);
                }
            }
            Fact::AttemptFinished(e) => drop(self.alive.remove(&e.attempt)),
            Fact::RunFinished(e) => drop(self.under_way.remove(&e.run)),
            Fact::AttemptLeased(e) => return self.lease(at, e.attempt),
            _ => {}
        }
        None
    }

    fn lease(&mut self, at: Position, attempt: AttemptId) -> Option<String> {
        self.alive.insert(attempt);
        let begins = self.under_way.insert(attempt.run);
        let runs = self.under_way.len();
        if begins && self.limits.runs.is_some_and(|most| runs > most as usize) {
            return Some(format!(
                "{attempt} at {at} begins run {runs} of {:?}",
                self.limits.runs
            ));
        }
        let is_pooled = |id: &AttemptId| {
            let tasks = self.pooled.get(&id.run);
            tasks.is_some_and(|tasks| tasks.contains(&id.task))
        };
        let held = self.alive.iter().filter(|id| is_pooled(id)).count();
        let most = self.limits.task_pool(POOL)?;
        let beyond = is_pooled(&attempt) && held > most as usize;
        beyond.then(|| format!("{attempt} at {at} takes slot {held} of {most} of `{POOL}`"))
    }
}
