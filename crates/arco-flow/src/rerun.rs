//! Doing a run again: whole, from failure, or a part of it (statements, D-39).
//!
//! What is done again is a set of the parent's *tasks*, so a run over thirty partitions in which one
//! failed is rerun for that one. The tasks are planned with the definitions deployed now, and what they
//! read of tasks that are not done again comes from storage, as in any run
//! (`docs/adr/0011-reruns.md`).

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use arco_core::definitions::{Catalog, StepDef};
use arco_core::event::{RerunKind, RerunOf};
use arco_core::plan::{PlannedTask, StoredValues};
use arco_core::{AssetKey, Digest, RunId, TaskIndex, graph};

use crate::Rejection;
use crate::state::{Run, State, Task, TaskStatus};

/// Assets named when a selection selects nothing of a run: enough to see the mistake.
const ASSETS_NAMED: usize = 10;
/// Partitions named of a rerun.
const PARTITIONS_NAMED: usize = 3;

/// Tags by which scripts written for Dagster find the parent and the root of a run, and Arco's own
/// words for them. Arco writes the former; nobody else may write any.
const LINEAGE_TAGS: [&str; 11] = [
    PARENT_TAG,
    ROOT_TAG,
    FROM_FAILURE_TAG,
    RETRY_NUMBER_TAG,
    WILL_RETRY_TAG,
    RETRIED_BY_TAG,
    "dagster/failure_reason",
    "dagster/is_asset_resume_retry",
    "arco/parent_run",
    "arco/root_run",
    "arco/rerun",
];
/// Tags by which the runs of a backfill are found (`backfill::plan` writes them).
const CHUNK_TAGS: [&str; 2] = ["dagster/backfill", "arco/chunk"];
const PARENT_TAG: &str = "dagster/parent_run_id";
const ROOT_TAG: &str = "dagster/root_run_id";
const FROM_FAILURE_TAG: &str = "dagster/is_resume_retry";
/// Of an automatic retry: its number in the lineage.
const RETRY_NUMBER_TAG: &str = "dagster/retry_number";
/// Of a run that failed: whether it is owed a retry.
pub(crate) const WILL_RETRY_TAG: &str = "dagster/will_retry";
/// Of a run that failed: its automatic retry.
pub(crate) const RETRIED_BY_TAG: &str = "dagster/auto_retry_run_id";

/// Whether a tag says which run a run does again.
#[must_use]
pub fn is_lineage_tag(tag: &str) -> bool {
    LINEAGE_TAGS.contains(&tag)
}

/// Whether a tag says of which chunk of a backfill a run is. Arco writes it on these runs and on no other: a
/// rerun by hand is nobody's chunk.
#[must_use]
pub fn is_chunk_tag(tag: &str) -> bool {
    CHUNK_TAGS.contains(&tag)
}

/// The tags that a rerun carries.
pub(crate) fn tags(rerun: &RerunOf) -> Vec<(String, String)> {
    let mut tags = vec![
        (PARENT_TAG.to_owned(), rerun.parent.to_string()),
        (ROOT_TAG.to_owned(), rerun.root.to_string()),
    ];
    if rerun.kind == RerunKind::FromFailure {
        tags.push((FROM_FAILURE_TAG.to_owned(), "true".to_owned()));
    }
    let number = rerun.retry.map(|number| number.to_string());
    tags.extend(number.map(|number| (RETRY_NUMBER_TAG.to_owned(), number)));
    tags
}

/// The first run of the lineage that a rerun of `parent` belongs to.
#[must_use]
pub fn root_of(parent: &Run) -> RunId {
    parent.rerun.as_ref().map_or(parent.id, |rerun| rerun.root)
}

/// The run key of a rerun that was given none: `rerun:{parent}:{what}:{number}`. While a rerun is not
/// over its key stays, so that asking for the same again is that rerun; afterwards the number grows.
pub(crate) fn own_key(state: &State, scope: &str, rerun: &RerunOf) -> String {
    if rerun.retry.is_some() {
        // A run is owed one retry, so that whoever makes it twice finds the first.
        return format!("rerun:{}:retry", rerun.parent);
    }
    let what = match rerun.kind {
        RerunKind::Whole => "whole".to_owned(),
        RerunKind::FromFailure => "from-failure".to_owned(),
        RerunKind::Subset => {
            let asked = (&rerun.selection, rerun.with_upstream, rerun.with_downstream);
            let digest = Digest::of_json(&serde_json::json!(asked)).to_string();
            format!("subset-{}", &digest[..12])
        }
    };
    let key = |number: u64| format!("rerun:{}:{what}:{number}", rerun.parent);
    let mut number = 1;
    while let Some(known) = state
        .run_keys
        .get(&State::run_key_index(scope, &key(number)))
    {
        if state.active_runs.contains(&known.run) {
            break;
        }
        number += 1;
    }
    key(number)
}

/// The parent's tasks to do again, in order; `selected` are the assets of a subset. Of a step that can
/// make a part of its assets, a task names those to make again.
///
/// # Errors
/// [`Rejection`] when the parent is not over, when nothing of it failed, when nothing is selected.
pub fn tasks(
    parent: &Run,
    catalog: &Catalog,
    rerun: &RerunOf,
    selected: &BTreeSet<AssetKey>,
) -> Result<Vec<PlannedTask>, Rejection> {
    if !parent.status.is_terminal() {
        return Err(Rejection::RunNotOver {
            run: parent.id,
            status: parent.status.as_str(),
        });
    }
    let again = match rerun.kind {
        RerunKind::Whole => (0..parent.counts.total())
            .map(|task| (task, Again::Whole))
            .collect(),
        RerunKind::FromFailure => match unsuccessful(parent, catalog) {
            none if none.is_empty() => return Err(Rejection::NothingFailed(parent.id)),
            tasks => tasks,
        },
        RerunKind::Subset => match of_assets(parent, catalog, selected) {
            none if none.is_empty() => {
                return Err(Rejection::NotOfRun {
                    run: parent.id,
                    selection: rerun.selection.clone().unwrap_or_default(),
                    assets: names(parent),
                });
            }
            tasks => closure(parent, tasks, rerun),
        },
    };
    let tasks = again
        .into_iter()
        .filter_map(|(index, again)| Some(again.of(parent.planned(index)?, catalog)));
    Ok(tasks.collect())
}

/// The values of ops that these tasks may read and that are not given again: of the parent, or of a run
/// that the parent took them from.
#[must_use]
pub fn stored(parent: &Run, tasks: &[PlannedTask]) -> Vec<StoredValues> {
    let again: BTreeSet<_> = tasks
        .iter()
        .map(|task| (&task.location, task.step_key(), &task.partitions))
        .collect();
    let own = parent.plan.tasks.iter().zip(&parent.tasks);
    let own = own.filter_map(|(planned, task)| {
        let outputs = task.values.as_deref().cloned()?;
        (task.status == TaskStatus::Succeeded).then(|| StoredValues {
            location: planned.location.clone(),
            step: planned.step.clone(),
            partitions: planned.partitions.clone(),
            mapping_key: planned.mapping_key.clone(),
            run: parent.id,
            outputs,
        })
    });
    let taken = parent.plan.stored.iter().cloned();
    let of_again = |values: &StoredValues| {
        let graph = |step: &str| step.split('.').next().unwrap_or_default().to_owned();
        tasks.iter().any(|task| {
            task.location == values.location
                && graph(&task.step) == graph(&values.step)
                && task.partitions == values.partitions
        })
    };
    let kept = |values: &StoredValues| {
        !again.contains(&(&values.location, values.step_key(), &values.partitions))
    };
    taken
        .chain(own)
        .filter(|values| kept(values) && of_again(values))
        .collect()
}

/// What of a task is done again.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Again {
    Whole,
    /// These of its assets, if its step can.
    Assets(BTreeSet<AssetKey>),
}

impl Again {
    fn and(&mut self, other: Self) {
        match (self, other) {
            (Self::Assets(own), Self::Assets(more)) => own.extend(more),
            (own, Self::Whole) => *own = Self::Whole,
            (Self::Whole, _) => {}
        }
    }

    fn of(self, planned: &PlannedTask, catalog: &Catalog) -> PlannedTask {
        let mut task = planned.clone();
        let step = step(catalog, planned).filter(|step| step.can_subset);
        if let (Self::Assets(assets), Some(step)) = (self, step) {
            let mut outputs = planned.outputs(step).to_vec();
            outputs.retain(|key| assets.contains(key));
            if !outputs.is_empty() {
                task.outputs = outputs;
            }
        }
        task
    }
}

type Tasks = BTreeMap<TaskIndex, Again>;

fn add(tasks: &mut Tasks, index: TaskIndex, again: Again) {
    match tasks.entry(index) {
        Entry::Vacant(entry) => {
            entry.insert(again);
        }
        Entry::Occupied(mut entry) => entry.get_mut().and(again),
    }
}

/// The parent's assets that are defined now: what a selection of a subset chooses from.
#[must_use]
pub fn assets(parent: &Run, catalog: &Catalog) -> BTreeSet<AssetKey> {
    let tasks = parent.plan.tasks.iter();
    tasks.flat_map(|task| touched(catalog, task)).collect()
}

/// The parent's assets that these tasks make or judge, in the order the parent has them.
#[must_use]
pub fn assets_of(parent: &Run, catalog: &Catalog, tasks: &[PlannedTask]) -> Vec<AssetKey> {
    let all: BTreeSet<AssetKey> = tasks
        .iter()
        .flat_map(|task| touched(catalog, task))
        .collect();
    let own = parent.assets.iter().filter(|key| all.contains(*key));
    own.cloned().collect()
}

/// The partitions of these tasks in a person's words: the parent's, unless it is some of them.
#[must_use]
pub fn partitions_of(parent: &Run, tasks: &[PlannedTask]) -> Option<String> {
    let keys_of = |tasks: &[PlannedTask]| {
        let mut keys: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        for key in tasks.iter().flat_map(|task| &task.partitions) {
            if seen.insert(key) {
                keys.push(key.display().into_owned());
            }
        }
        keys
    };
    let all = keys_of(&parent.plan.tasks);
    let keys = keys_of(tasks);
    match keys.len() {
        0 => None,
        n if n == all.len() => parent.partitions.clone(),
        n if n <= PARTITIONS_NAMED => Some(keys.join(", ")),
        n => Some(format!(
            "{} and {} more",
            keys[..PARTITIONS_NAMED].join(", "),
            n - PARTITIONS_NAMED
        )),
    }
}

/// Tasks that did not succeed. A blocking check that failed makes its asset unsuccessful too: to judge
/// the same data again would fail again, and what is downstream must not pass by it (D-39). A task that
/// was skipped because an output was left unmade, which is no failure, is done again when something it
/// needs is. Assets that a failed task had made are not made again, where its step can do without.
fn unsuccessful(parent: &Run, catalog: &Catalog) -> Tasks {
    let mut out = Tasks::new();
    let is_left_out = |task: &Task| task.status == TaskStatus::Skipped && !task.is_brought_down();
    for (index, task) in (0_u32..).zip(&parent.tasks) {
        let Some(planned) = parent.planned(index) else {
            continue;
        };
        let again = match task.status {
            TaskStatus::Succeeded => task.blocked,
            _ => !is_left_out(task),
        };
        if again {
            add(&mut out, index, not_made(task, planned, catalog));
        }
        let Some(judge) = step(catalog, planned).filter(|_| task.blocked) else {
            continue;
        };
        for need in &planned.needs {
            let Some(maker) = parent.planned(*need) else {
                continue;
            };
            let Some(made) = step(catalog, maker).map(|step| maker.outputs(step)) else {
                continue;
            };
            let judged = judge.checks.iter().map(|(asset, _)| asset);
            let judged: BTreeSet<AssetKey> =
                judged.filter(|key| made.contains(key)).cloned().collect();
            if !judged.is_empty() {
                add(&mut out, *need, Again::Assets(judged));
            }
        }
    }
    let dependents = dependents(parent);
    let left_out = |below: TaskIndex| parent.task(below).is_some_and(|task| is_left_out(task));
    let below = |task: &TaskIndex| {
        let mut below = dependents[*task as usize].clone();
        below.retain(|task| left_out(*task));
        below
    };
    for below in graph::reachable(out.keys().copied().collect::<Vec<_>>(), None, below) {
        out.entry(below).or_insert(Again::Whole);
    }
    out
}

/// For each task of the parent, the tasks that need it.
fn dependents(parent: &Run) -> Vec<Vec<TaskIndex>> {
    let mut out = vec![Vec::new(); parent.plan.tasks.len()];
    for (index, task) in (0_u32..).zip(&parent.plan.tasks) {
        for need in &task.needs {
            out[*need as usize].push(index);
        }
    }
    out
}

/// What a task that did not succeed has yet to make; all of it when that is nothing.
fn not_made(task: &Task, planned: &PlannedTask, catalog: &Catalog) -> Again {
    let Some(step) = step(catalog, planned).filter(|_| !task.blocked && !task.made.is_empty())
    else {
        return Again::Whole;
    };
    let outputs = planned.outputs(step).iter();
    let left: BTreeSet<AssetKey> = outputs
        .filter(|key| !task.made.contains(key))
        .cloned()
        .collect();
    if left.is_empty() {
        Again::Whole
    } else {
        Again::Assets(left)
    }
}

fn of_assets(parent: &Run, catalog: &Catalog, selected: &BTreeSet<AssetKey>) -> Tasks {
    let mut out = Tasks::new();
    for (index, planned) in (0_u32..).zip(&parent.plan.tasks) {
        let chosen = touched(catalog, planned);
        let chosen: BTreeSet<AssetKey> = chosen
            .into_iter()
            .filter(|key| selected.contains(key))
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let again = match graph_of(catalog, planned) {
            // The ops of a graph are carried out together.
            Some(_) => Again::Whole,
            None => Again::Assets(chosen),
        };
        add(&mut out, index, again);
        for (other, task) in (0_u32..).zip(&parent.plan.tasks) {
            let same = graph_of(catalog, planned).is_some()
                && task.location == planned.location
                && task.partitions == planned.partitions
                && graph_of(catalog, task) == graph_of(catalog, planned);
            if same {
                add(&mut out, other, Again::Whole);
            }
        }
    }
    out
}

/// The graph of which a task is an op.
fn graph_of<'a>(catalog: &'a Catalog, planned: &PlannedTask) -> Option<&'a str> {
    step(catalog, planned)?.graph.as_deref()
}

/// What the selected tasks need, and what needs them, as asked.
fn closure(parent: &Run, selected: Tasks, rerun: &RerunOf) -> Tasks {
    let mut out = selected.clone();
    if rerun.with_upstream {
        let needs = |task: &TaskIndex| {
            parent
                .planned(*task)
                .map_or_else(Vec::new, |task| task.needs.clone())
        };
        for above in graph::reachable(selected.keys().flat_map(needs), None, needs) {
            add(&mut out, above, Again::Whole);
        }
    }
    if rerun.with_downstream {
        let dependents = dependents(parent);
        let below = |task: &TaskIndex| dependents[*task as usize].clone();
        for below in graph::reachable(selected.keys().flat_map(below), None, below) {
            add(&mut out, below, Again::Whole);
        }
    }
    out
}

/// The step of a task as it is defined now.
fn step<'a>(catalog: &'a Catalog, planned: &PlannedTask) -> Option<&'a StepDef> {
    let definitions = catalog.locations().get(&planned.location)?;
    definitions.step(&planned.step)
}

/// Assets that a task makes or judges, by its step as it is defined now.
fn touched(catalog: &Catalog, planned: &PlannedTask) -> Vec<AssetKey> {
    let Some(step) = step(catalog, planned) else {
        return Vec::new();
    };
    let judged = planned.checks(step).map(|(asset, _)| asset);
    let made = planned.outputs(step).iter();
    made.chain(judged).cloned().collect()
}

fn names(parent: &Run) -> String {
    let shown = parent.assets.iter().take(ASSETS_NAMED);
    let shown: Vec<String> = shown.map(|key| format!("`{key}`")).collect();
    let more = parent.assets.len().saturating_sub(ASSETS_NAMED);
    match more {
        0 => shown.join(", "),
        n => format!("{} and {n} more", shown.join(", ")),
    }
}
