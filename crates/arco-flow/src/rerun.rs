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

use std::collections::BTreeSet;

use arco_core::definitions::{Catalog, StepDef};
use arco_core::event::{RerunKind, RerunOf};
use arco_core::plan::PlannedTask;
use arco_core::{AssetKey, Digest, RunId, TaskIndex};

use crate::Rejection;
use crate::state::{Run, State, TaskStatus};

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

/// The parent's tasks to do again, in order; `selected` are the assets of a subset.
///
/// # Errors
/// [`Rejection`] when the parent is not over, when nothing of it failed, when nothing is selected.
pub fn tasks(
    parent: &Run,
    catalog: &Catalog,
    rerun: &RerunOf,
    selected: &BTreeSet<AssetKey>,
) -> Result<BTreeSet<TaskIndex>, Rejection> {
    if !parent.status.is_terminal() {
        return Err(Rejection::RunNotOver {
            run: parent.id,
            status: parent.status.as_str(),
        });
    }
    match rerun.kind {
        RerunKind::Whole => Ok((0..parent.counts.total()).collect()),
        RerunKind::FromFailure => match unsuccessful(parent, catalog) {
            none if none.is_empty() => Err(Rejection::NothingFailed(parent.id)),
            tasks => Ok(tasks),
        },
        RerunKind::Subset => match of_assets(parent, catalog, selected) {
            none if none.is_empty() => Err(Rejection::NotOfRun {
                run: parent.id,
                selection: rerun.selection.clone().unwrap_or_default(),
                assets: names(parent),
            }),
            tasks => Ok(closure(parent, tasks, rerun)),
        },
    }
}

/// The parent's assets that are defined now: what a selection of a subset chooses from.
#[must_use]
pub fn assets(parent: &Run, catalog: &Catalog) -> BTreeSet<AssetKey> {
    let steps = parent
        .plan
        .tasks
        .iter()
        .filter_map(|task| step(catalog, task));
    steps.flat_map(touched).cloned().collect()
}

/// The parent's assets that these tasks make or judge, in the order the parent has them.
#[must_use]
pub fn assets_of(parent: &Run, catalog: &Catalog, tasks: &BTreeSet<TaskIndex>) -> Vec<AssetKey> {
    let planned = tasks.iter().filter_map(|task| parent.planned(*task));
    let steps = planned.filter_map(|task| step(catalog, task));
    let all: BTreeSet<&AssetKey> = steps.flat_map(touched).collect();
    let own = parent.assets.iter().filter(|key| all.contains(key));
    own.cloned().collect()
}

/// The partitions of these tasks in a person's words: the parent's, unless it is some of them.
#[must_use]
pub fn partitions_of(parent: &Run, tasks: &BTreeSet<TaskIndex>) -> Option<String> {
    let keys_of = |tasks: &mut dyn Iterator<Item = &PlannedTask>| {
        let mut keys: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        for key in tasks.flat_map(|task| &task.partitions) {
            if seen.insert(key) {
                keys.push(key.display().into_owned());
            }
        }
        keys
    };
    let all = keys_of(&mut parent.plan.tasks.iter());
    let keys = keys_of(&mut tasks.iter().filter_map(|task| parent.planned(*task)));
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
/// the same data again would fail again, and what is downstream must not pass by it (D-39).
fn unsuccessful(parent: &Run, catalog: &Catalog) -> BTreeSet<TaskIndex> {
    let mut out = BTreeSet::new();
    for (index, task) in (0_u32..).zip(&parent.tasks) {
        if task.status != TaskStatus::Succeeded || task.blocked {
            out.insert(index);
        }
        if !task.blocked {
            continue;
        }
        let Some((planned, judge)) = parent
            .planned(index)
            .and_then(|planned| Some((planned, step(catalog, planned)?)))
        else {
            continue;
        };
        let judged = |need: &&TaskIndex| {
            let maker = parent
                .planned(**need)
                .and_then(|planned| step(catalog, planned));
            maker.is_some_and(|maker| {
                let mut checks = judge.checks.iter();
                checks.any(|(asset, _)| maker.outputs.contains(asset))
            })
        };
        out.extend(planned.needs.iter().filter(judged));
    }
    out
}

fn of_assets(
    parent: &Run,
    catalog: &Catalog,
    selected: &BTreeSet<AssetKey>,
) -> BTreeSet<TaskIndex> {
    let chosen = |planned: &PlannedTask| {
        step(catalog, planned).is_some_and(|step| touched(step).any(|key| selected.contains(key)))
    };
    (0_u32..)
        .zip(&parent.plan.tasks)
        .filter(|(_, planned)| chosen(planned))
        .map(|(index, _)| index)
        .collect()
}

/// What the selected tasks need, and what needs them, as asked. One pass each way is enough: in a plan
/// every task comes after those it needs.
fn closure(parent: &Run, selected: BTreeSet<TaskIndex>, rerun: &RerunOf) -> BTreeSet<TaskIndex> {
    let mut out = selected.clone();
    if rerun.with_upstream {
        let mut above = selected.clone();
        for index in (0..parent.counts.total()).rev() {
            if above.contains(&index) {
                above.extend(
                    parent
                        .planned(index)
                        .into_iter()
                        .flat_map(|task| &task.needs),
                );
            }
        }
        out.extend(above);
    }
    if rerun.with_downstream {
        let mut below = selected;
        for (index, planned) in (0_u32..).zip(&parent.plan.tasks) {
            if planned.needs.iter().any(|need| below.contains(need)) {
                below.insert(index);
            }
        }
        out.extend(below);
    }
    out
}

/// The step of a task as it is defined now.
fn step<'a>(catalog: &'a Catalog, planned: &PlannedTask) -> Option<&'a StepDef> {
    let definitions = catalog.locations().get(&planned.location)?;
    definitions.step(&planned.step)
}

/// Assets that a step makes or judges.
fn touched(step: &StepDef) -> impl Iterator<Item = &AssetKey> {
    let judged = step.checks.iter().map(|(asset, _)| asset);
    step.outputs.iter().chain(judged)
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
