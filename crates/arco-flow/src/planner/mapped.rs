//! Ops that are carried out for each key of a dynamic output: not tasks yet, but what the plan grows by
//! when the keys are known (R-43, `docs/adr/0013-plans-that-grow.md`).

use std::collections::BTreeMap;

use arco_core::plan::{MappedTask, Plan, PlannedTask};
use arco_core::{PartitionKey, TaskIndex};

use super::units::Unit;

/// Where a task goes: among the tasks, or among those that will be there for each key.
#[derive(Clone, Copy)]
enum Place {
    Task(TaskIndex),
    Mapped(u32),
}

/// Takes such ops out of the tasks, which are in order. What needed one of them needs the task that
/// gives the keys, and all instances once there are any.
pub(super) fn split(tasks: Vec<PlannedTask>, units: &[Unit<'_>]) -> Plan {
    let mut over: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for unit in units {
        let step = unit.definitions.step(unit.step);
        if let Some(source) = step.and_then(|step| step.over.as_ref()) {
            over.insert((unit.definitions.location(), unit.step), &source.step);
        }
    }
    let over_of = |task: &PlannedTask| {
        let name = (task.location.as_str(), task.step.as_str());
        over.get(&name)
            .filter(|_| task.mapping_key.is_none())
            .copied()
    };
    if over.is_empty() || !tasks.iter().any(|task| over_of(task).is_some()) {
        return Plan {
            tasks,
            ..Plan::default()
        };
    }
    let mut places = Vec::with_capacity(tasks.len());
    let (mut plain, mut later): (TaskIndex, u32) = (0, 0);
    let mut given: BTreeMap<(&str, &str, &[PartitionKey]), TaskIndex> = BTreeMap::new();
    for task in &tasks {
        if over_of(task).is_some() {
            places.push(Place::Mapped(later));
            later += 1;
        } else {
            given.insert((&task.location, &task.step, &task.partitions), plain);
            places.push(Place::Task(plain));
            plain += 1;
        }
    }
    let giver = |task: &PlannedTask| {
        let name = (
            task.location.as_str(),
            over_of(task)?,
            task.partitions.as_slice(),
        );
        given.get(&name).copied()
    };
    let givers: Vec<Option<TaskIndex>> = tasks.iter().map(giver).collect();
    let mut plan = Plan::default();
    for (at, mut task) in tasks.into_iter().enumerate() {
        let mut needs: Vec<TaskIndex> = givers[at].into_iter().collect();
        let mut mapped: Vec<u32> = Vec::new();
        for need in &task.needs {
            match places[*need as usize] {
                Place::Task(index) => needs.push(index),
                Place::Mapped(index) => {
                    mapped.push(index);
                    needs.extend(givers[*need as usize]);
                }
            }
        }
        needs.sort_unstable();
        needs.dedup();
        task.needs = needs;
        match givers[at] {
            Some(over) => plan.mapped.push(MappedTask {
                task,
                over,
                after: mapped,
                before: Vec::new(),
            }),
            None => {
                let index = TaskIndex::try_from(plan.tasks.len()).unwrap_or(TaskIndex::MAX);
                for mapped in mapped {
                    plan.mapped[mapped as usize].before.push(index);
                }
                plan.tasks.push(task);
            }
        }
    }
    plan
}
