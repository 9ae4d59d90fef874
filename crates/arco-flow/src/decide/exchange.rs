//! A host reports and asks for work: finishing a task and leasing the next is one decision.

use std::sync::Arc;

use arco_core::definitions::Definitions;
use arco_core::event::{
    AssetMaterialized, AssetObserved, AttemptLeased, AttemptOutcome, AttemptStarted,
    CheckEvaluated, ErrorInfo, FailureClass,
};
use arco_core::{AssetKey, AttemptId, Digest, HostId, PartitionKey, RunId, TaskIndex};

use super::finish::{self, Wish};
use super::{Deciding, hosts, late};
use crate::Rejection;
use crate::command::{Answer, HostExchange, Reported};
use crate::state::{Run, State, TaskStatus};

/// Leases one exchange may bring: more would only sit in the host's hands.
const LEASES_MAX: u32 = 256;

pub(super) fn exchange(d: &mut Deciding<'_>, e: &HostExchange) -> Result<Answer, Rejection> {
    if let Err(rejection) = hosts::alive(&d.state, e.host) {
        return if late::of_a_lost_host(d, e) {
            Ok(Answer::Fenced(e.host))
        } else {
            Err(rejection)
        };
    }
    let mut refused = Vec::new();
    for (at, (attempt, reported)) in e.reports.iter().enumerate() {
        match standing(&d.state, e.host, *attempt) {
            Standing::Held => {
                let ends = |(id, r): &(AttemptId, Reported)| id == attempt && r.is_end();
                let ends_too = e.reports[at..].iter().any(ends);
                report(d, *attempt, reported, ends_too);
            }
            Standing::EndedHere if late::contradicts(&d.state, e.host, *attempt, reported) => {
                late::one(d, e.host, *attempt, reported);
                refused.push((*attempt, "the attempt is over"));
            }
            // Said before, by this host: a repeated call after a lost answer.
            Standing::EndedHere => {}
            Standing::Foreign(reason) => refused.push((*attempt, reason)),
        }
    }
    let given: Vec<AttemptId> = undelivered(&d.state, e);
    let room = e
        .want
        .min(LEASES_MAX)
        .saturating_sub(u32::try_from(given.len()).unwrap_or(u32::MAX));
    let mut leases = given;
    leases.extend(lease(d, e.host, room));
    Ok(Answer::Exchanged { leases, refused })
}

enum Standing {
    Held,
    EndedHere,
    Foreign(&'static str),
}

fn standing(state: &State, host: HostId, attempt: AttemptId) -> Standing {
    if hosts::holds(state, host, attempt) {
        return Standing::Held;
    }
    let Some(run) = state.run(attempt.run) else {
        return Standing::Foreign("the run is not known");
    };
    let row = run.task(attempt.task).and_then(|task| {
        task.attempts
            .iter()
            .find(|row| row.number == attempt.number)
    });
    match row {
        Some(row) if row.host == host => Standing::EndedHere,
        Some(_) => Standing::Foreign("the attempt belongs to another host"),
        None => Standing::Foreign("the attempt is not known"),
    }
}

/// Attempts the state says the host holds and the host does not speak of: their lease was decided
/// and its answer lost. They are given again, the same attempts.
fn undelivered(state: &State, e: &HostExchange) -> Vec<AttemptId> {
    let Some(host) = state.hosts.get(&e.host) else {
        return Vec::new();
    };
    let known: std::collections::BTreeSet<&AttemptId> = e.live.iter().collect();
    host.attempts
        .iter()
        .filter(|attempt| !known.contains(attempt))
        .copied()
        .collect()
}

fn report(d: &mut Deciding<'_>, id: AttemptId, reported: &Reported, ends_too: bool) {
    if let Some(wrong) = misspoken(d, id, reported) {
        // Nothing that is said of other assets or partitions may stand, and what the body did is
        // not what was asked: the attempt ends here, and what is said of it later is too late.
        let error = ErrorInfo {
            kind: "InvalidReport".into(),
            message: wrong,
            traceback: String::new(),
        };
        let outcome = AttemptOutcome::Failed {
            class: FailureClass::UserCode,
            error,
        };
        let wish = Wish {
            allow_retries: false,
            ..Wish::default()
        };
        return finish::attempt(d, id, outcome, wish);
    }
    match reported {
        // An attempt that ends in the same breath needs no event of its beginning.
        Reported::Started if ends_too => {}
        Reported::Started => {
            let leased = d
                .state
                .run(id.run)
                .and_then(|run| run.task(id.task))
                .map(|t| t.status);
            if leased == Some(TaskStatus::Leased) {
                d.emit(AttemptStarted { attempt: id });
            }
        }
        Reported::Materialized { .. } => materialized(d, id, reported),
        Reported::Observed { .. } => observed(d, id, reported),
        Reported::Checked { .. } => checked(d, id, reported),
        Reported::Succeeded => finish::attempt(d, id, AttemptOutcome::Succeeded, Wish::default()),
        Reported::Cancelled => stopped(d, id),
        Reported::Released => finish::attempt(d, id, AttemptOutcome::Released, Wish::default()),
        Reported::Failed {
            class,
            error,
            allow_retries,
            retry_after_ms,
            max_retries,
        } => {
            let wish = Wish {
                allow_retries: *allow_retries,
                retry_after_ms: *retry_after_ms,
                max_retries: *max_retries,
            };
            let outcome = AttemptOutcome::Failed {
                class: *class,
                error: error.clone(),
            };
            finish::attempt(d, id, outcome, wish);
        }
    }
}

/// What is wrong with a report that speaks of what its task does not make or judge.
fn misspoken(d: &Deciding<'_>, id: AttemptId, reported: &Reported) -> Option<String> {
    let (run, definitions) = pinned(d, id)?;
    let planned = run.planned(id.task)?;
    let step = definitions.step(&planned.step)?;
    let keys = &planned.partitions;
    let partition = match reported {
        Reported::Materialized {
            asset, partition, ..
        } => {
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
        Reported::Observed {
            asset, partition, ..
        } => return misobserved(&definitions, asset, partition.as_deref()),
        Reported::Checked {
            asset,
            check,
            partition,
            ..
        } => {
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
        _ => return None,
    };
    if keys.iter().any(|key| key.display() == partition) {
        return None;
    }
    Some(format!(
        "it reported partition `{partition}`, which is not of its task"
    ))
}

fn misobserved(
    definitions: &Definitions,
    asset: &AssetKey,
    partition: Option<&str>,
) -> Option<String> {
    let Some(known) = definitions.asset(asset) else {
        return Some(format!(
            "it observed asset `{asset}`, which its code location does not define"
        ));
    };
    match (&known.partitions, partition?) {
        (None, key) => Some(format!(
            "it observed partition `{key}` of asset `{asset}`, which is not partitioned"
        )),
        (Some(def), key) => def
            .parse_key(key)
            .err()
            .map(|error| error.of(asset.as_str())),
    }
}

/// Stopped on request; a host that stops a task nobody asked it to stop has interrupted it, and the
/// task is tried again as after a lost worker.
fn stopped(d: &mut Deciding<'_>, id: AttemptId) {
    let asked = crate::pending::is_to_stop(&d.state, id);
    let outcome = if asked {
        AttemptOutcome::Cancelled
    } else {
        AttemptOutcome::Failed {
            class: FailureClass::WorkerLost,
            error: ErrorInfo {
                kind: "Interrupted".into(),
                message: "the host stopped the task although its run goes on".into(),
                traceback: String::new(),
            },
        }
    };
    finish::attempt(d, id, outcome, Wish::default());
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

fn materialized(d: &mut Deciding<'_>, id: AttemptId, reported: &Reported) {
    let Reported::Materialized {
        asset,
        partition,
        metadata,
        data_version,
        tags,
    } = reported
    else {
        return;
    };
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
    let key = task_partition(&run, id, partition.as_deref());
    let data_version = data_version.clone().unwrap_or_else(|| {
        derived_version(asset, key.as_ref(), code_version.as_deref(), &inputs, id)
    });
    let made = AssetMaterialized {
        asset: asset.clone(),
        partition: key,
        attempt: Some(id),
        data_version,
        code_version,
        inputs: (*inputs).clone(),
        metadata: metadata.clone(),
        tags: tags.clone(),
        idempotency: None,
    };
    if !was_said(&d.state, id, &made) {
        let about = (definitions.location().to_owned(), definitions.version());
        d.emit_about(Some(about), made);
    }
}

fn observed(d: &mut Deciding<'_>, id: AttemptId, reported: &Reported) {
    let Reported::Observed {
        asset,
        partition,
        metadata,
        data_version,
        description,
        tags,
    } = reported
    else {
        return;
    };
    let Some((_, definitions)) = pinned(d, id) else {
        return;
    };
    let def = definitions
        .asset(asset)
        .and_then(|known| known.partitions.as_ref());
    let key = partition.as_deref().zip(def);
    let seen = AssetObserved {
        asset: asset.clone(),
        partition: key.and_then(|(text, def)| def.parse_key(text).ok()),
        attempt: Some(id),
        data_version: data_version.clone(),
        description: description.clone(),
        metadata: metadata.clone(),
        tags: tags.clone(),
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
    inputs: &[arco_core::event::InputVersion],
    id: AttemptId,
) -> String {
    let read: Vec<_> = inputs
        .iter()
        .map(|input| (&input.asset, &input.partition, &input.data_version))
        .collect();
    let code = code_version.map_or_else(|| format!("attempt:{id}"), |code| format!("code:{code}"));
    Digest::of_json(&(asset, partition, code, read)).to_string()
}

fn checked(d: &mut Deciding<'_>, id: AttemptId, reported: &Reported) {
    let Reported::Checked {
        asset,
        check,
        partition,
        passed,
        severity,
        description,
        metadata,
    } = reported
    else {
        return;
    };
    let Some((run, definitions)) = pinned(d, id) else {
        return;
    };
    let defined = definitions.check(asset, check);
    let key = match partition {
        Some(text) => task_partition(&run, id, Some(text)),
        None if defined.is_some_and(|c| c.partitions.is_some()) => task_partition(&run, id, None),
        None => None,
    };
    let judged = CheckEvaluated {
        asset: asset.clone(),
        check: check.clone(),
        partition: key,
        attempt: Some(id),
        passed: *passed,
        severity: *severity,
        blocking: defined.is_some_and(|c| c.blocking),
        description: description.clone(),
        metadata: metadata.clone(),
        idempotency: None,
    };
    if !was_said(&d.state, id, &judged) {
        d.emit(judged);
    }
}

/// Leases the best tasks of the host's location that limits have room for, one after the other.
fn lease(d: &mut Deciding<'_>, host: HostId, want: u32) -> Vec<AttemptId> {
    let Some(location) = d.state.hosts.get(&host).map(|h| h.location.clone()) else {
        return Vec::new();
    };
    let spare = super::spare(&d.state, &location);
    let mut leased = Vec::new();
    while leased.len() < want as usize {
        let Some(task) = super::next_task(&d.state, &location, d.now, &spare) else {
            break;
        };
        let number = next_number(&d.state, task).expect("the indexes name tasks of runs in memory");
        let attempt = AttemptId {
            run: task.0,
            task: task.1,
            number,
        };
        d.emit(AttemptLeased { attempt, host });
        leased.push(attempt);
    }
    leased
}

fn next_number(state: &State, (run, task): (RunId, TaskIndex)) -> Option<u32> {
    let task = state.run(run)?.task(task)?;
    Some(task.attempts.last().map_or(1, |row| row.number + 1))
}

impl Reported {
    fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed { .. } | Self::Cancelled | Self::Released
        )
    }
}
