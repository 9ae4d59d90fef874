//! What a live attempt says of assets, checks and values: that it is of its task, and the event it becomes.

use std::collections::BTreeSet;
use std::sync::Arc;

use arco_core::asset_fact::{AssetCheckResult, AssetFact, AssetMaterialization, AssetObservation};
use arco_core::definitions::{Definitions, StepDef};
use arco_core::event::{
    AssetMaterialized, AssetObserved, AttemptValues, CheckEvaluated, InputVersion,
};
use arco_core::plan::OutputValues;
use arco_core::{AssetKey, AttemptId, Digest, PartitionKey};

use super::Deciding;
use crate::command::Reported;
use crate::planner::TASKS_MAX;
use crate::state::op::KEYS_MAX;
use crate::state::{Run, State};

/// What is wrong with a report that speaks of what its task does not make or judge.
pub(super) fn misspoken(d: &Deciding<'_>, id: AttemptId, reported: &Reported) -> Option<String> {
    let (run, definitions) = pinned(d, id)?;
    let planned = run.planned(id.task)?;
    let step = definitions.step(&planned.step)?;
    let keys = &planned.partitions;
    let partition = match reported {
        Reported::Asset(AssetFact::Materialized(AssetMaterialization {
            asset, partition, ..
        })) => {
            if !step.outputs.contains(asset) {
                return Some(format!(
                    "it reported asset `{asset}`, which its step `{}` does not make",
                    step.name
                ));
            }
            if !planned.outputs(step).contains(asset) {
                return Some(format!(
                    "it reported asset `{asset}` of its step `{}`, which is not selected in this task",
                    step.name
                ));
            }
            if partition.is_none() && keys.len() > 1 {
                return Some(format!(
                    "it reported asset `{asset}` without a partition, and was to make {} of them",
                    keys.len()
                ));
            }
            partition.as_deref()?
        }
        // A body may look at any asset; of a partitioned one it says which partition.
        Reported::Asset(AssetFact::Observed(seen)) => return misobserved(&definitions, seen),
        Reported::Asset(AssetFact::Checked(AssetCheckResult {
            asset,
            check,
            partition,
            ..
        })) => {
            if !planned
                .checks(step)
                .any(|(of, name)| of == asset && name == check)
            {
                return Some(format!(
                    "it reported check `{check}` of asset `{asset}`, which its step `{}` does not judge",
                    step.name
                ));
            }
            partition.as_deref()?
        }
        Reported::Values { outputs } => return misgiven(&run, step, id, outputs),
        _ => return None,
    };
    if keys.iter().any(|key| key.display() == partition) {
        return None;
    }
    Some(format!(
        "it reported partition `{partition}`, which is not of its task"
    ))
}

fn misobserved(definitions: &Definitions, seen: &AssetObservation) -> Option<String> {
    let asset = &seen.asset;
    let Some(known) = definitions.asset(asset) else {
        return Some(format!(
            "it observed asset `{asset}`, which its code location does not define"
        ));
    };
    match (&known.partitions, seen.partition.as_deref()?) {
        (None, key) => Some(format!(
            "it observed partition `{key}` of asset `{asset}`, which is not partitioned"
        )),
        (Some(def), key) => def
            .parse_key(key)
            .err()
            .map(|error| error.of(asset.as_str())),
    }
}

/// What is wrong with the outputs that an op says it gave.
fn misgiven(run: &Run, step: &StepDef, id: AttemptId, outputs: &[OutputValues]) -> Option<String> {
    let mut names = BTreeSet::new();
    for output in outputs {
        let name = &output.name;
        let Some(known) = step.values.iter().find(|value| value.name == *name) else {
            return Some(format!(
                "it gave output `{name}`, which its step `{}` does not have",
                step.name
            ));
        };
        if !names.insert(name) {
            return Some(format!("it gave output `{name}` twice"));
        }
        if known.dynamic != output.keys.is_some() {
            let word = if known.dynamic { "without" } else { "with" };
            return Some(format!("it gave output `{name}` {word} mapping keys"));
        }
        let keys = output.keys.as_deref().unwrap_or_default();
        let good = |key: &String| {
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if let Some(bad) = keys.iter().find(|key| !good(key)) {
            return Some(format!(
                "mapping key `{bad}` of output `{name}` is not letters, digits and underscores"
            ));
        }
        let different: BTreeSet<&String> = keys.iter().collect();
        if different.len() < keys.len() {
            return Some(format!("a mapping key of output `{name}` comes twice"));
        }
        let mapped = run
            .plan
            .mapped
            .iter()
            .filter(|mapped| mapped.over == id.task);
        let more = keys.len() * mapped.count();
        if keys.len() > KEYS_MAX || run.tasks.len() + more > TASKS_MAX {
            return Some(format!(
                "output `{name}` has {} mapping keys; a dynamic output has at most {KEYS_MAX}, and a run \
                 {TASKS_MAX} tasks; let one key stand for several values",
                keys.len()
            ));
        }
    }
    None
}

pub(super) fn values(d: &mut Deciding<'_>, id: AttemptId, outputs: &[OutputValues]) {
    let given = AttemptValues {
        attempt: id,
        outputs: outputs.to_vec(),
    };
    if !was_said(&d.state, id, &given) {
        d.emit(given);
    }
}

/// The run and the pinned definitions that an attempt speaks under.
fn pinned(d: &Deciding<'_>, id: AttemptId) -> Option<(Arc<Run>, Arc<Definitions>)> {
    let run = Arc::clone(d.state.run(id.run)?);
    let location = &run.planned(id.task)?.location;
    let definitions = Arc::clone(d.state.pinned(&run, location)?);
    Some((run, definitions))
}

/// The partition a worker names, if it is one of the task's; a task of one partition need not name it.
fn task_partition(run: &Run, id: AttemptId, text: Option<&str>) -> Option<PartitionKey> {
    let keys = &run.planned(id.task)?.partitions;
    match text {
        None if keys.len() == 1 => keys.first().cloned(),
        None => None,
        Some(text) => keys.iter().find(|key| key.display() == text).cloned(),
    }
}

/// Records what an attempt says of an asset of its task.
pub(super) fn asset(d: &mut Deciding<'_>, id: AttemptId, fact: &AssetFact) {
    match fact {
        AssetFact::Materialized(made) => materialized(d, id, made),
        AssetFact::Observed(seen) => observed(d, id, seen),
        AssetFact::Checked(judged) => checked(d, id, judged),
    }
}

fn materialized(d: &mut Deciding<'_>, id: AttemptId, said: &AssetMaterialization) {
    let asset = &said.asset;
    let Some((run, definitions)) = pinned(d, id) else {
        return;
    };
    let inputs = run
        .task(id.task)
        .and_then(|task| task.inputs.clone())
        .unwrap_or_default();
    let code_version = definitions
        .asset(asset)
        .and_then(|a| a.code_version.clone());
    let key = task_partition(&run, id, said.partition.as_deref());
    let data_version = said.data_version.clone().unwrap_or_else(|| {
        derived_version(asset, key.as_ref(), code_version.as_deref(), &inputs, id)
    });
    let made = AssetMaterialized {
        asset: asset.clone(),
        partition: key,
        attempt: Some(id),
        data_version,
        code_version,
        inputs: (*inputs).clone(),
        metadata: said.metadata.clone(),
        tags: said.tags.clone(),
        idempotency: None,
    };
    if !was_said(&d.state, id, &made) {
        let about = (definitions.location().to_owned(), definitions.version());
        d.emit_about(Some(about), made);
    }
}

fn observed(d: &mut Deciding<'_>, id: AttemptId, said: &AssetObservation) {
    let Some((_, definitions)) = pinned(d, id) else {
        return;
    };
    let def = definitions
        .asset(&said.asset)
        .and_then(|known| known.partitions.as_ref());
    let key = said.partition.as_deref().zip(def);
    let seen = AssetObserved {
        asset: said.asset.clone(),
        partition: key.and_then(|(text, def)| def.parse_key(text).ok()),
        attempt: Some(id),
        data_version: said.data_version.clone(),
        description: said.description.clone(),
        metadata: said.metadata.clone(),
        tags: said.tags.clone(),
        idempotency: None,
    };
    if !was_said(&d.state, id, &seen) {
        let about = (definitions.location().to_owned(), definitions.version());
        d.emit_about(Some(about), seen);
    }
}

/// Whether the attempt said the very same before: its answer was lost, and perhaps the control plane
/// that remembered the call.
fn was_said(state: &State, attempt: AttemptId, fact: &impl serde::Serialize) -> bool {
    let task = state
        .run(attempt.run)
        .and_then(|run| run.task(attempt.task));
    task.is_some_and(|task| task.said.contains(fact))
}

/// Keyed and length-safe, unlike Dagster's concatenation (D-9, F-14): the digest of canonical JSON.
/// Without a code version the attempt stands in for it: nobody said that the same code ran (F-15).
fn derived_version(
    asset: &AssetKey,
    partition: Option<&PartitionKey>,
    code_version: Option<&str>,
    inputs: &[InputVersion],
    id: AttemptId,
) -> String {
    let read: Vec<_> = inputs
        .iter()
        .map(|input| (&input.asset, &input.partition, &input.data_version))
        .collect();
    let code = code_version.map_or_else(|| format!("attempt:{id}"), |code| format!("code:{code}"));
    Digest::of_json(&(asset, partition, code, read)).to_string()
}

fn checked(d: &mut Deciding<'_>, id: AttemptId, said: &AssetCheckResult) {
    let Some((run, definitions)) = pinned(d, id) else {
        return;
    };
    let defined = definitions.check(&said.asset, &said.check);
    let key = match &said.partition {
        Some(text) => task_partition(&run, id, Some(text)),
        None if defined.is_some_and(|c| c.partitions.is_some()) => task_partition(&run, id, None),
        None => None,
    };
    let judged = CheckEvaluated {
        asset: said.asset.clone(),
        check: said.check.clone(),
        partition: key,
        attempt: Some(id),
        passed: said.passed,
        severity: said.severity,
        blocking: defined.is_some_and(|c| c.blocking),
        description: said.description.clone(),
        metadata: said.metadata.clone(),
        idempotency: None,
    };
    if !was_said(&d.state, id, &judged) {
        d.emit(judged);
    }
}
