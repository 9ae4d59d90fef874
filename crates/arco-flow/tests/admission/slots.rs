//! What a log says of limits, read event by event, without the fold.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::event::{Event, Fact, Stored};
use arco_core::limits::{Granularity, Limits};
use arco_core::{AttemptId, RunId};

/// What runs and attempts are, and which are under way.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    limits: Limits,
    tags: BTreeMap<RunId, BTreeMap<String, String>>,
    pools: BTreeMap<(RunId, u32), String>,
    under_way: BTreeSet<RunId>,
    alive: BTreeSet<AttemptId>,
    /// Leases that took the last slot of something.
    pub(crate) filled: usize,
}

impl Slots {
    /// Hears one event, and says which limits a lease of it goes beyond.
    pub(crate) fn hear(
        &mut self,
        event: &Event,
        pool_of: impl Fn(&str) -> Option<String>,
    ) -> Vec<String> {
        match &event.fact {
            Fact::LimitsSet(e) => self.limits = e.limits.clone(),
            Fact::RunRequested(e) => {
                let Stored::Inline(plan) = &e.plan else {
                    panic!("the harness keeps plans in their event");
                };
                self.tags.insert(e.run, e.tags.clone());
                for (task, planned) in (0..).zip(&plan.tasks) {
                    self.pools
                        .extend(pool_of(&planned.step).map(|pool| ((e.run, task), pool)));
                }
            }
            Fact::AttemptLeased(e) => {
                let begins = self.under_way.insert(e.attempt.run);
                self.alive.insert(e.attempt);
                return self.beyond(e.attempt, begins);
            }
            Fact::AttemptFinished(e) => drop(self.alive.remove(&e.attempt)),
            Fact::RunFinished(e) => drop(self.under_way.remove(&e.run)),
            _ => {}
        }
        Vec::new()
    }

    /// What a lease goes beyond: limits that were lowered may be exceeded, but nothing is added to them.
    fn beyond(&mut self, attempt: AttemptId, begins: bool) -> Vec<String> {
        let mut used: Vec<(String, usize, u32)> = Vec::new();
        if begins {
            let own = self.tags[&attempt.run].clone();
            used.extend(
                self.limits
                    .runs
                    .map(|most| ("runs".into(), self.under_way.len(), most)),
            );
            for rule in &self.limits.tags {
                let Some(value) = own.get(&rule.key) else {
                    continue;
                };
                if rule.value.as_ref().is_some_and(|wanted| wanted != value) {
                    continue;
                }
                let alike = |run: &&RunId| {
                    let theirs = self.tags[*run].get(&rule.key);
                    theirs == Some(value)
                        || (theirs.is_some() && rule.value.is_none() && !rule.per_value)
                };
                let count = self.under_way.iter().filter(alike).count();
                used.push((format!("{rule:?}"), count, rule.limit));
            }
        }
        for (name, pool) in &self.limits.pools {
            let of_pool = |run: RunId, task: u32| self.pools.get(&(run, task)) == Some(name);
            let uses = |run: &RunId| {
                self.pools
                    .iter()
                    .any(|((of, _), pool)| of == run && pool == name)
            };
            match pool.granularity {
                Granularity::Task if of_pool(attempt.run, attempt.task) => {
                    let alive = self.alive.iter().filter(|id| of_pool(id.run, id.task));
                    used.push((format!("tasks of {name}"), alive.count(), pool.limit));
                }
                Granularity::Run if begins && uses(&attempt.run) => {
                    let count = self.under_way.iter().filter(|run| uses(run)).count();
                    used.push((format!("runs of {name}"), count, pool.limit));
                }
                _ => {}
            }
        }
        let full = used
            .iter()
            .filter(|(_, count, most)| *count == *most as usize);
        self.filled += full.count();
        let beyond = used
            .into_iter()
            .filter(|(_, count, most)| *count > *most as usize);
        beyond
            .map(|(name, count, most)| format!("{name}: {count} of {most}"))
            .collect()
    }
}
