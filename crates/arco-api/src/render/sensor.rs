//! Sensors and evaluations.

use super::run::ASSETS_IN_LIST;
use arco_core::PartitionKey;
use arco_core::asset_fact::AssetFact;
use arco_core::definitions::SensorKind;
use arco_core::event::EvaluationOf;
use arco_engine::Engine;
use arco_engine::TrialOutcome;
use arco_flow::State;
use arco_flow::command::RunRequest;
use arco_flow::sensor::Found;
use arco_flow::state::{self, EvaluationRow, HostStatus, SensorState};
use arco_wire::api::{self, AssetEventWord, EvaluationStatus, SensorKindWord, SensorStatus};

/// A sensor of the definitions; `None` when the state does not know it (yet).
pub(crate) fn sensor(engine: &Engine, state: &State, name: &str) -> Option<api::Sensor> {
    let now = engine.now();
    let found = state.catalog.sensor(name)?;
    let row = state.sensors.get(name)?;
    let def = found.sensor.def();
    let mut out = api::Sensor {
        name: name.to_owned(),
        location: found.definitions.location().to_owned(),
        kind: SensorKindWord::Poll,
        status: status(row),
        default_status: def.default_status,
        set: row.said.as_ref().map(|said| api::SensorSet {
            status: word(said.runs),
            by: said.by.clone(),
            time: said.at.1.into(),
        }),
        minimum_interval_seconds: None,
        assets: Vec::new(),
        run_statuses: Vec::new(),
        monitored_jobs: Vec::new(),
        monitor_all_code_locations: false,
        jobs: def.jobs.clone(),
        selection: def.selection.clone(),
        run_keys: def.run_keys,
        timeout_seconds: def.timeout_seconds,
        max_attempts: def.max_attempts,
        description: def.description.clone(),
        metadata: def.metadata.clone(),
        owners: def.owners.clone(),
        tags: def.tags.clone(),
        version: row.version,
        since: row.since.into(),
        cursor: row.cursor.clone(),
        state_version: row.state_version,
        failures: row.failures,
        last_evaluated: row.last_evaluated.map(Into::into),
        last_run_key: row.last_run_key.clone(),
        next: row.due.map(Into::into),
        waiting: row.queue.len() as u64,
        waiting_since: row.queue.front().map(|first| first.time.into()),
        asked: engine.sensor_under_way(name).and_then(|under_way| {
            Some(api::SensorAsked {
                host: under_way.host?.to_string(),
                since: under_way.since?.into(),
            })
        }),
        no_host: row.due.is_some_and(|due| due <= now) && !has_host(state, &row.location),
        last_evaluation: state.evaluations_of(name).next_back().map(evaluation),
    };
    match &def.kind {
        SensorKind::Poll {
            minimum_interval_seconds,
        } => out.minimum_interval_seconds = Some(*minimum_interval_seconds),
        SensorKind::Push {} => out.kind = SensorKindWord::Push,
        SensorKind::Asset { assets } => {
            out.kind = SensorKindWord::Asset;
            out.assets.clone_from(assets);
        }
        SensorKind::RunStatus {
            statuses,
            monitored_jobs,
            monitor_all_code_locations,
        } => {
            out.kind = SensorKindWord::RunStatus;
            out.run_statuses.clone_from(statuses);
            out.monitored_jobs.clone_from(monitored_jobs);
            out.monitor_all_code_locations = *monitor_all_code_locations;
        }
    }
    Some(out)
}

fn has_host(state: &State, location: &str) -> bool {
    let mut hosts = state.hosts.values();
    hosts.any(|host| host.location == location && host.status == HostStatus::Alive)
}

pub(crate) fn status(row: &SensorState) -> SensorStatus {
    word(row.is_running())
}

fn word(runs: bool) -> SensorStatus {
    match runs {
        true => SensorStatus::Running,
        false => SensorStatus::Stopped,
    }
}

/// An evaluation.
pub(crate) fn evaluation(row: &state::Evaluation) -> api::Evaluation {
    let mut out = api::Evaluation {
        id: row.id.to_string(),
        sensor: row.id.sensor.clone(),
        number: row.id.number,
        status: evaluation_status(row),
        messages: Vec::new(),
        events: Vec::new(),
        runs: row.runs().to_vec(),
        backfills: Vec::new(),
        kept: Vec::new(),
        dynamic_partitions: row.dynamic_partitions.clone(),
        asset_events: row.asset_events.iter().map(|at| (*at).into()).collect(),
        reason: None,
        error: None,
        attempt: None,
        passed_over: false,
        idle: None,
        cursor: row.cursor.clone(),
        started: row.asked.as_ref().map(|asked| asked.started.into()),
        took_ms: row.asked.as_ref().map(|asked| asked.took_ms),
        log: row
            .asked
            .iter()
            .flat_map(|asked| asked.log.clone())
            .collect(),
        version: row.version,
        position: row.decided.0.into(),
        time: row.decided.1.into(),
    };
    match &row.of {
        Some(EvaluationOf::Messages { ids }) => out.messages.clone_from(ids),
        Some(EvaluationOf::Events { positions }) => {
            out.events = positions.iter().map(|at| (*at).into()).collect();
        }
        Some(EvaluationOf::Look { .. }) | None => {}
    }
    match &row.outcome {
        EvaluationRow::Success {
            backfills, kept, ..
        } => {
            out.backfills.clone_from(backfills);
            out.kept.clone_from(kept);
        }
        EvaluationRow::Skipped { reason } => out.reason = Some(reason.clone()),
        EvaluationRow::Failure {
            error,
            attempt,
            passed_over,
        } => {
            out.error = Some(error.clone());
            out.attempt = Some(*attempt);
            out.passed_over = *passed_over;
        }
        EvaluationRow::Idle {
            count,
            first,
            last,
            reason,
        } => {
            out.reason.clone_from(reason);
            out.idle = Some(api::IdleLooks {
                count: *count,
                first: (*first).into(),
                last: (*last).into(),
            });
        }
    }
    out
}

pub(crate) fn evaluation_status(row: &state::Evaluation) -> EvaluationStatus {
    match row.status() {
        state::EvaluationStatus::Success => EvaluationStatus::Success,
        state::EvaluationStatus::Skipped => EvaluationStatus::Skipped,
        state::EvaluationStatus::Failure => EvaluationStatus::Failure,
        state::EvaluationStatus::Idle => EvaluationStatus::Idle,
    }
}

/// What a sensor would do.
pub(crate) fn trial(name: &str, trial: TrialOutcome) -> api::SensorTrial {
    let mut out = api::SensorTrial {
        sensor: name.to_owned(),
        status: EvaluationStatus::Success,
        runs: Vec::new(),
        backfills: 0,
        dynamic_partitions: Vec::new(),
        asset_events: Vec::new(),
        reason: None,
        error: None,
        cursor: trial.cursor,
        took_ms: trial.took_ms,
        log: trial.log,
    };
    match trial.found {
        Found::Failed(error) => {
            out.status = EvaluationStatus::Failure;
            out.error = Some(error);
        }
        Found::Wants(wants) => {
            let keys = |keys: Vec<PartitionKey>| {
                let text = keys.iter().map(|key| key.display().into_owned());
                text.collect::<Vec<String>>()
            };
            if wants.runs.is_empty() && wants.backfills.is_empty() {
                out.status = EvaluationStatus::Skipped;
                let reason = wants.skip_reason;
                out.reason = Some(reason.unwrap_or_else(|| "it asked for nothing".into()));
            }
            out.runs = wants.runs.iter().map(trial_run).collect();
            out.backfills = wants.backfills.len() as u64;
            let sets = wants.dynamic_partitions.into_iter();
            out.dynamic_partitions = sets
                .map(|set| api::TrialPartitions {
                    name: set.name,
                    add: keys(set.add),
                    remove: keys(set.remove),
                })
                .collect();
            out.asset_events = wants.asset_events.iter().map(trial_event).collect();
        }
    }
    out
}

fn trial_event(fact: &AssetFact) -> api::TrialAssetEvent {
    let (event, check) = match fact {
        AssetFact::Materialized(_) => (AssetEventWord::Materialization, None),
        AssetFact::Observed(_) => (AssetEventWord::Observation, None),
        AssetFact::Checked(judged) => (AssetEventWord::Check, Some(&judged.check)),
    };
    api::TrialAssetEvent {
        event,
        asset: fact.asset().clone(),
        partition: fact.partition().map(ToOwned::to_owned),
        check: check.cloned(),
    }
}

fn trial_run(run: &RunRequest) -> api::SensorTrialRun {
    api::SensorTrialRun {
        run_key: run.run_key.clone(),
        partitions: run.partitions.clone(),
        assets: run.assets.iter().take(ASSETS_IN_LIST).cloned().collect(),
        asset_count: run.assets.len() as u64,
        tasks: run.plan.tasks.len() as u64,
        tags: run.tags.clone(),
    }
}
