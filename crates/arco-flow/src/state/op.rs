//! Ops of graphs: whose values a task takes, and where they are.

use std::collections::BTreeMap;

use arco_core::definitions::{Definitions, OpInput, OpSource, StepDef};
use arco_core::plan::{OutputValues, PlannedTask, StoredValues};
use arco_core::{RunId, TaskIndex};

use super::{Run, State, TaskStatus};

#[cfg(test)]
mod tests;

/// Mapping keys that one dynamic output may have: each is a task for every op mapped over it.
pub const KEYS_MAX: usize = 10_000;

/// A parameter of an op and the values it takes, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpValues {
    /// The parameter.
    pub param: String,
    /// It takes a list.
    pub list: bool,
    /// Where the values are.
    pub values: Vec<ValueAt>,
}

/// Where a value of an op is: IO managers keep it under these names, and the reader's partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueAt {
    /// The run that made it.
    pub run: RunId,
    /// `graph.op` or `graph.op[key]`.
    pub step: String,
    /// The output.
    pub output: String,
    /// Its mapping key, of a dynamic output.
    pub mapping_key: Option<String>,
}

/// The values an op takes, by the definitions its run pinned. Empty for what is no op.
#[must_use]
pub fn inputs(state: &State, run: &Run, task: TaskIndex) -> Vec<OpValues> {
    let Some(op) = Op::of(state, run, task) else {
        return Vec::new();
    };
    let of = |input: &OpInput| {
        let sources = input.sources.iter();
        let taken = sources.flat_map(|source| {
            let taken = op.taken(source).into_iter();
            taken.map(move |taken| (source, taken))
        });
        let there = taken.filter(|(source, taken)| !op.is_missing(source, taken, &[], None));
        OpValues {
            param: input.param.clone(),
            list: input.list || input.sources.iter().any(|source| source.all),
            values: there
                .map(|(source, taken)| op.place(source, &taken))
                .collect(),
        }
    };
    op.step.inputs.iter().map(of).collect()
}

/// Whether an input of an op can never be there: its source was left out, or all of them for one that
/// takes a list. `gone` are tasks that will not be tried, `ending` is one that is about to
/// succeed.
pub(super) fn lacks(
    state: &State,
    run: &Run,
    task: TaskIndex,
    gone: &[TaskIndex],
    ending: Option<TaskIndex>,
) -> bool {
    let Some(op) = Op::of(state, run, task) else {
        return false;
    };
    op.step.inputs.iter().any(|input| {
        let (mut all, mut missing) = (0, 0);
        for source in &input.sources {
            // Of a dynamic output that is never given there are no keys to wait for.
            if op
                .giver(source)
                .is_some_and(|giver| is_gone(run, giver, gone))
            {
                (all, missing) = (all + 1, missing + 1);
                continue;
            }
            for taken in op.taken(source) {
                all += 1;
                missing += usize::from(op.is_missing(source, &taken, gone, ending));
            }
        }
        all > 0 && missing == all
    })
}

/// The graph that a task is an op of.
pub(super) fn graph_of(state: &State, run: RunId, task: TaskIndex) -> Option<String> {
    let run = state.run(run)?;
    Op::of(state, run, task)?.step.graph.clone()
}

/// Outputs that an op about to succeed leaves out, as it may.
pub(crate) fn left_out(state: &State, run: RunId, task: TaskIndex) -> Vec<String> {
    let Some(run) = state.run(run) else {
        return Vec::new();
    };
    let Some(op) = Op::of(state, run, task) else {
        return Vec::new();
    };
    let given = run.task(task).and_then(|task| task.values.as_deref());
    let is_given = |name: &str| given.into_iter().flatten().any(|value| value.name == name);
    let values = op.step.values.iter();
    values
        .filter(|value| value.optional && !value.dynamic && !is_given(&value.name))
        .map(|value| value.name.clone())
        .collect()
}

/// The keys of the dynamic output that a task gave, when tasks of the plan are mapped over it.
pub(crate) fn keys(run: &Run, task: TaskIndex) -> Option<&[String]> {
    run.plan.mapped.iter().find(|mapped| mapped.over == task)?;
    let values = run.task(task)?.values.as_deref()?;
    values.iter().find_map(|value| value.keys.as_deref())
}

/// Skipped, or about to be, for no failure.
fn is_gone(run: &Run, task: TaskIndex, gone: &[TaskIndex]) -> bool {
    let left = |task: &super::Task| task.status == TaskStatus::Skipped && !task.is_brought_down();
    gone.contains(&task) || run.task(task).is_some_and(|task| left(task))
}

/// Where an op takes a value from: a task of the run, or an earlier run of the lineage.
#[derive(Clone, Copy)]
enum From<'a> {
    Task(TaskIndex),
    Stored(&'a StoredValues),
}

/// One value that a source means; `key` is that of a dynamic output.
struct Taken<'a> {
    from: From<'a>,
    key: Option<String>,
}

/// A task that is an op.
struct Op<'a> {
    run: &'a Run,
    definitions: &'a Definitions,
    step: &'a StepDef,
    planned: &'a PlannedTask,
}

impl<'a> Op<'a> {
    fn of(state: &'a State, run: &'a Run, task: TaskIndex) -> Option<Self> {
        let planned = run.planned(task)?;
        let definitions = state.pinned(run, &planned.location)?;
        let step = definitions.step(&planned.step)?;
        step.graph.as_ref()?;
        Some(Self {
            run,
            definitions,
            step,
            planned,
        })
    }

    /// Whether a task or a stored value is of an op of this graph, for these partitions.
    fn is_of(&self, other: &PlannedTask, step: &str) -> bool {
        other.step == step
            && other.location == self.planned.location
            && other.partitions == self.planned.partitions
    }

    fn stored(&self, step: &str) -> impl Iterator<Item = &'a StoredValues> {
        self.run.plan.stored.iter().filter(move |stored| {
            stored.step == step
                && stored.location == self.planned.location
                && stored.partitions == self.planned.partitions
        })
    }

    /// The values that a source means, in the order of the keys.
    fn taken(&self, source: &OpSource) -> Vec<Taken<'a>> {
        let fits =
            |key: &Option<String>| source.all || key.is_none() || *key == self.planned.mapping_key;
        let mut found: BTreeMap<Option<String>, From<'a>> = BTreeMap::new();
        for stored in self.stored(&source.step) {
            if fits(&stored.mapping_key) {
                found.insert(stored.mapping_key.clone(), From::Stored(stored));
            }
        }
        for need in &self.planned.needs {
            let Some(other) = self.run.planned(*need) else {
                continue;
            };
            if self.is_of(other, &source.step) && fits(&other.mapping_key) {
                found.insert(other.mapping_key.clone(), From::Task(*need));
            }
        }
        if self.is_dynamic(source) {
            // One task with a value for each key: all of them, or that of the reader's.
            let Some(from) = found.into_values().next() else {
                return Vec::new();
            };
            let keys = if source.all {
                self.keys(from, &source.output).to_vec()
            } else {
                self.planned.mapping_key.iter().cloned().collect()
            };
            let of = |key: String| Taken {
                from,
                key: Some(key),
            };
            return keys.into_iter().map(of).collect();
        }
        let mut found: Vec<(Option<String>, From<'a>)> = found.into_iter().collect();
        if source.all {
            let order = self.order(source);
            found.sort_by_cached_key(|(key, _)| order.get(key.as_deref().unwrap_or_default()));
        }
        let found = found.into_iter();
        found.map(|(_, from)| Taken { from, key: None }).collect()
    }

    /// Places of the keys that a mapped op is there for, as they were yielded.
    fn order(&self, source: &OpSource) -> BTreeMap<&'a str, usize> {
        let step = self.definitions.step(&source.step);
        let Some(over) = step.and_then(|step| step.over.as_ref()) else {
            return BTreeMap::new();
        };
        let task = self.giver(source).map(From::Task);
        let stored = || self.stored(&over.step).next().map(From::Stored);
        let keys = task.or_else(stored);
        let keys = keys.map_or(&[][..], |from| self.keys(from, &over.output));
        keys.iter().map(String::as_str).zip(0..).collect()
    }

    fn is_dynamic(&self, source: &OpSource) -> bool {
        let step = self.definitions.step(&source.step);
        step.is_some_and(|step| {
            let mut values = step.values.iter();
            values.any(|value| value.name == source.output && value.dynamic)
        })
    }

    /// The task whose dynamic output a source stands on, when it collects one.
    fn giver(&self, source: &OpSource) -> Option<TaskIndex> {
        let step = self.definitions.step(&source.step).filter(|_| source.all)?;
        let over = step.over.as_ref().map_or(&source.step, |over| &over.step);
        let mut needs = self.planned.needs.iter().copied();
        needs.find(|need| {
            let other = self.run.planned(*need);
            other.is_some_and(|other| self.is_of(other, over))
        })
    }

    fn outputs(&self, from: From<'a>) -> &'a [OutputValues] {
        match from {
            From::Task(task) => {
                let values = self.run.task(task).and_then(|task| task.values.as_deref());
                values.map_or(&[], Vec::as_slice)
            }
            From::Stored(stored) => &stored.outputs,
        }
    }

    fn keys(&self, from: From<'a>, output: &str) -> &'a [String] {
        let mut outputs = self.outputs(from).iter();
        let found = outputs.find(|value| value.name == output);
        found
            .and_then(|value| value.keys.as_deref())
            .unwrap_or_default()
    }

    fn is_missing(
        &self,
        source: &OpSource,
        taken: &Taken<'a>,
        gone: &[TaskIndex],
        ending: Option<TaskIndex>,
    ) -> bool {
        let mut outputs = self.outputs(taken.from).iter();
        let given = outputs.any(|value| value.name == source.output);
        match taken.from {
            From::Stored(_) => !given,
            From::Task(task) => {
                let succeeded =
                    |task: &std::sync::Arc<super::Task>| task.status == TaskStatus::Succeeded;
                let over = ending == Some(task) || self.run.task(task).is_some_and(succeeded);
                is_gone(self.run, task, gone) || (over && !given)
            }
        }
    }

    fn place(&self, source: &OpSource, taken: &Taken<'a>) -> ValueAt {
        let (run, step) = match taken.from {
            From::Task(task) => {
                let planned = self.run.planned(task);
                (self.run.id, planned.map(PlannedTask::step_key))
            }
            From::Stored(stored) => (stored.run, Some(stored.step_key())),
        };
        ValueAt {
            run,
            step: step.unwrap_or_default(),
            output: source.output.clone(),
            mapping_key: taken.key.clone(),
        }
    }
}
