//! What user code wants, carried out in one decision: changes of dynamic partitions, then runs, then
//! backfills (N-16), then facts about assets (N-17).

use arco_core::backfill::BackfillStatus;
use arco_core::definitions::RunKeyPolicy;
use arco_core::event::{EvaluationId, KeptBack, PartitionsChange, Position};
use arco_core::{BackfillId, RunId};

use super::{Deciding, backfills, partition_sets, report, runs};
use crate::Rejection;
use crate::command::{Answer, BackfillRequest, RunRequest};
use crate::evaluation::{DynamicChange, Resolved};
use crate::state::State;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// Runs, each once, in order.
    pub(super) runs: Vec<RunId>,
    /// Backfills, each once, in order.
    pub(super) backfills: Vec<BackfillId>,
    /// What was there already.
    pub(super) kept: Vec<KeptBack>,
    /// Changes of dynamic partitions.
    pub(super) dynamic_partitions: Vec<PartitionsChange>,
    /// Where facts about assets stand.
    pub(super) asset_events: Vec<Position>,
    /// Run key of the last run.
    pub(super) last_run_key: Option<String>,
}

pub(super) fn carry_out(
    d: &mut Deciding<'_>,
    wanted: &Resolved,
    policy: RunKeyPolicy,
    evaluation: Option<&EvaluationId>,
) -> Result<Made, Rejection> {
    let mut made = Made::default();
    for change in &wanted.dynamic_partitions {
        made.dynamic_partitions.push(change_set(d, change)?);
    }
    for request in &wanted.runs {
        run(d, request, policy, evaluation, &mut made)?;
    }
    for request in &wanted.backfills {
        backfill(d, request, policy, &mut made)?;
    }
    for fact in &wanted.asset_events {
        made.asset_events.push(report::record(d, fact)?);
    }
    Ok(made)
}

fn change_set(d: &mut Deciding<'_>, change: &DynamicChange) -> Result<PartitionsChange, Rejection> {
    let count = |answer: Answer| match answer {
        Answer::Partitions { changed, .. } => changed,
        _ => 0,
    };
    let added = count(partition_sets::add(d, &change.name, &change.add)?);
    let removed = count(partition_sets::remove(d, &change.name, &change.remove));
    let asked = (change.add.len() + change.remove.len()) as u64;
    Ok(PartitionsChange {
        name: change.name.clone(),
        added,
        removed,
        passed_over: asked - added - removed,
    })
}

fn run(
    d: &mut Deciding<'_>,
    request: &RunRequest,
    policy: RunKeyPolicy,
    evaluation: Option<&EvaluationId>,
    made: &mut Made,
) -> Result<(), Rejection> {
    let key = request.run_key.as_deref().filter(|_| evaluation.is_some());
    if let Some(key) = key
        && let Some(run) = held_by(d, &request.scope, key, policy)
    {
        made.kept.push(KeptBack {
            run_key: key.to_owned(),
            run: Some(run),
            backfill: None,
        });
        return Ok(());
    }
    let request = RunRequest {
        evaluation: evaluation.cloned(),
        frees_key: key.is_some(),
        ..request.clone()
    };
    if let Answer::Run { run, .. } = runs::request(d, &request)?
        && !made.runs.contains(&run)
    {
        made.runs.push(run);
        made.last_run_key = request.run_key.or(made.last_run_key.take());
    }
    Ok(())
}

/// The run that holds a key of a sensor, so that it is not asked for again (N-12, and the policies).
fn held_by(d: &Deciding<'_>, scope: &str, key: &str, policy: RunKeyPolicy) -> Option<RunId> {
    let known = d.state.run_keys.get(&State::run_key_index(scope, key))?;
    let holds = match policy {
        RunKeyPolicy::Once => true,
        RunKeyPolicy::UntilSuccess => !known.ended_badly,
        RunKeyPolicy::Window { seconds } => {
            let since = known.requested.map_or(0, |at| d.now.ms_since(at));
            since < seconds.saturating_mul(1000)
        }
    };
    holds.then_some(known.run)
}

fn backfill(
    d: &mut Deciding<'_>,
    request: &BackfillRequest,
    policy: RunKeyPolicy,
    made: &mut Made,
) -> Result<(), Rejection> {
    let mut request = request.clone();
    if let Some(key) = &request.idempotency_key
        && let Some((_, known, since)) = d.state.backfill_keys.get(key)
    {
        let ended_badly = d.state.backfills.get(known).is_some_and(|known| {
            known.status.is_terminal() && known.status != BackfillStatus::Succeeded
        });
        let holds = match policy {
            RunKeyPolicy::Once => true,
            RunKeyPolicy::UntilSuccess => !ended_badly,
            RunKeyPolicy::Window { seconds } => {
                d.now.ms_since(*since) < seconds.saturating_mul(1000)
            }
        };
        if holds {
            made.kept.push(KeptBack {
                run_key: key.clone(),
                run: None,
                backfill: Some(*known),
            });
            return Ok(());
        }
        request.frees_key = true;
    }
    if let Answer::Backfill { backfill, .. } = backfills::create(d, &request)?
        && !made.backfills.contains(&backfill)
    {
        made.backfills.push(backfill);
    }
    Ok(())
}
