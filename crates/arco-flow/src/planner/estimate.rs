//! How long a plan may take, from how long its steps took lately.
//!
//! Three figures, because none alone is the answer: all the work, the longest chain of tasks (no number
//! of hosts makes it shorter), and the time with the slots of the hosts there are now, by handing out
//! tasks as they are leased. Steps without history count as nothing, and are counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use arco_core::TaskIndex;
use arco_core::plan::Plan;

use crate::State;
use crate::state::HostStatus;

#[cfg(test)]
mod tests;

/// What is expected of a plan. All times in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Of each task, in the order of the plan; `None` when its step never succeeded.
    pub tasks: Vec<Option<u64>>,
    /// All tasks one after the other.
    pub work_ms: u64,
    /// The longest chain of tasks that need each other.
    pub critical_path_ms: u64,
    /// With the slots there are now, nothing else going on; `None` when a location has no host.
    pub elapsed_ms: Option<u64>,
    /// Slots of the living hosts of the plan's locations.
    pub slots: BTreeMap<String, u64>,
    /// The place of each task in its longest chain, from 0: tasks of one stage need none of each other.
    pub stages: Vec<u32>,
}

impl Estimate {
    /// Tasks of which history says nothing.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.tasks.iter().filter(|ms| ms.is_none()).count() as u64
    }
}

/// Estimates a plan by what the state remembers.
#[must_use]
pub fn estimate(state: &State, plan: &Plan) -> Estimate {
    let medians: BTreeMap<(&str, &str), Option<u64>> = steps(plan)
        .into_iter()
        .map(|(location, step)| {
            let known = state.durations.get(&(location.to_owned(), step.to_owned()));
            ((location, step), known.and_then(|known| known.median_ms()))
        })
        .collect();
    let tasks: Vec<Option<u64>> = plan
        .tasks
        .iter()
        .map(|task| medians[&(task.location.as_str(), task.step.as_str())])
        .collect();
    let (stages, ends) = chains(plan, &tasks);
    let slots = slots(state, plan);
    Estimate {
        work_ms: tasks.iter().flatten().sum(),
        critical_path_ms: ends.into_iter().max().unwrap_or(0),
        elapsed_ms: elapsed(plan, &tasks, &slots),
        tasks,
        slots,
        stages,
    }
}

fn steps(plan: &Plan) -> BTreeSet<(&str, &str)> {
    let steps = plan.tasks.iter();
    steps
        .map(|task| (task.location.as_str(), task.step.as_str()))
        .collect()
}

/// Stage and earliest end of each task. In a plan every task comes after those it needs.
fn chains(plan: &Plan, tasks: &[Option<u64>]) -> (Vec<u32>, Vec<u64>) {
    let (mut stages, mut ends) = (Vec::new(), Vec::new());
    for (task, ms) in plan.tasks.iter().zip(tasks) {
        let needs = || task.needs.iter().map(|need| *need as usize);
        let stage = needs().map(|need| stages[need] + 1).max().unwrap_or(0);
        let begin = needs().map(|need| ends[need]).max().unwrap_or(0);
        stages.push(stage);
        ends.push(begin + ms.unwrap_or(0));
    }
    (stages, ends)
}

fn slots(state: &State, plan: &Plan) -> BTreeMap<String, u64> {
    let mut out: BTreeMap<String, u64> = steps(plan)
        .into_iter()
        .map(|(location, _)| (location.to_owned(), 0))
        .collect();
    let alive = state.hosts.values();
    for host in alive.filter(|host| host.status == HostStatus::Alive) {
        if let Some(slots) = out.get_mut(&host.location) {
            *slots += u64::from(host.slots);
        }
    }
    out
}

/// Hands out tasks in the order of the plan, as many at once as there are slots.
fn elapsed(plan: &Plan, tasks: &[Option<u64>], slots: &BTreeMap<String, u64>) -> Option<u64> {
    if slots.values().any(|slots| *slots == 0) {
        return None;
    }
    let mut dependents: Vec<Vec<TaskIndex>> = vec![Vec::new(); plan.tasks.len()];
    let mut unmet: Vec<usize> = Vec::with_capacity(plan.tasks.len());
    let mut ready: BTreeMap<&str, BTreeSet<TaskIndex>> = BTreeMap::new();
    for (index, task) in (0..).zip(&plan.tasks) {
        unmet.push(task.needs.len());
        for need in &task.needs {
            dependents[*need as usize].push(index);
        }
        if task.needs.is_empty() {
            ready.entry(&task.location).or_default().insert(index);
        }
    }
    let mut free: BTreeMap<&str, u64> = slots
        .iter()
        .map(|(location, slots)| (location.as_str(), *slots))
        .collect();
    let mut running: BinaryHeap<Reverse<(u64, TaskIndex)>> = BinaryHeap::new();
    let mut now = 0;
    loop {
        for (location, waiting) in &mut ready {
            let free = free.get_mut(location)?;
            while *free > 0 {
                let Some(task) = waiting.pop_first() else {
                    break;
                };
                *free -= 1;
                running.push(Reverse((now + tasks[task as usize].unwrap_or(0), task)));
            }
        }
        let Some(Reverse((end, task))) = running.pop() else {
            return Some(now);
        };
        now = end;
        *free.get_mut(plan.tasks[task as usize].location.as_str())? += 1;
        for dependent in &dependents[task as usize] {
            let left = &mut unmet[*dependent as usize];
            *left -= 1;
            if *left == 0 {
                let location = plan.tasks[*dependent as usize].location.as_str();
                ready.entry(location).or_default().insert(*dependent);
            }
        }
    }
}
