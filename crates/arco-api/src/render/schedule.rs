//! Schedules and ticks.

use arco_core::Timestamp;
use arco_flow::State;
use arco_flow::command::RunRequest;
use arco_flow::schedule::Evaluated;
use arco_flow::state::{self, ScheduleState, TickRow};
use arco_wire::api;
use serde_json::Value;

use super::run::ASSETS_IN_LIST;

/// A schedule of the definitions; `None` when the state does not know it (yet).
pub(crate) fn schedule(state: &State, name: &str) -> Option<api::Schedule> {
    let found = state.catalog.schedule(name)?;
    let row = state.schedules.get(name)?;
    let def = found.schedule.def();
    Some(api::Schedule {
        name: name.to_owned(),
        location: found.definitions.location().to_owned(),
        status: status(row),
        default_status: def.default_status,
        set: row.said.as_ref().map(|said| api::ScheduleSet {
            status: word(said.runs),
            by: said.by.clone(),
            time: said.at.1.into(),
        }),
        cron: def.cron.clone(),
        timezone: def.timezone.clone(),
        job: def.job.clone(),
        selection: def.selection.clone(),
        partitions: def.partitions,
        description: def.description.clone(),
        metadata: def.metadata.clone(),
        owners: def.owners.clone(),
        tags: def.tags.clone(),
        config: (def.config != Value::Null).then(|| def.config.clone()),
        catch_up: api::CatchUp {
            policy: def.catch_up.policy,
            window_seconds: def.catch_up.window_seconds,
            max_ticks: def.catch_up.max_ticks,
        },
        version: row.version,
        since: row.since.into(),
        next: row.due.map(Into::into),
        last_tick: state.ticks_of(name).next_back().map(tick),
    })
}

pub(crate) fn status(row: &ScheduleState) -> api::ScheduleStatus {
    word(row.is_running())
}

fn word(runs: bool) -> api::ScheduleStatus {
    match runs {
        true => api::ScheduleStatus::Running,
        false => api::ScheduleStatus::Stopped,
    }
}

/// A tick.
pub(crate) fn tick(tick: &state::Tick) -> api::Tick {
    let mut out = api::Tick {
        id: tick.id.to_string(),
        schedule: tick.id.schedule.clone(),
        instant: tick.id.instant.into(),
        status: tick_status(tick),
        runs: tick.runs().to_vec(),
        reason: None,
        error: None,
        missed: None,
        version: tick.version,
        position: tick.decided.0.into(),
        time: tick.decided.1.into(),
    };
    match &tick.outcome {
        TickRow::Success { .. } => {}
        TickRow::Skipped { reason } => out.reason = Some(reason.clone()),
        TickRow::Failure { error } => out.error = Some(error.clone()),
        TickRow::Missed {
            first,
            count,
            reason,
        } => {
            out.reason = Some(reason.in_words().to_owned());
            out.missed = Some(api::MissedInstants {
                first: (*first).into(),
                count: *count,
                reason: *reason,
            });
        }
    }
    out
}

pub(crate) fn tick_status(tick: &state::Tick) -> api::TickStatus {
    match tick.status() {
        state::TickStatus::Success => api::TickStatus::Success,
        state::TickStatus::Skipped => api::TickStatus::Skipped,
        state::TickStatus::Failure => api::TickStatus::Failure,
        state::TickStatus::Missed => api::TickStatus::Missed,
    }
}

/// What a tick would do.
pub(crate) fn trial(name: &str, instant: Timestamp, evaluated: Evaluated) -> api::TickTrial {
    let mut out = api::TickTrial {
        schedule: name.to_owned(),
        instant: instant.into(),
        status: api::TickStatus::Success,
        runs: Vec::new(),
        reason: None,
        error: None,
    };
    match evaluated {
        Evaluated::Runs(runs) => out.runs = runs.iter().map(trial_run).collect(),
        Evaluated::Wants(wanted) if wanted.runs.is_empty() && wanted.backfills.is_empty() => {
            out.status = api::TickStatus::Skipped;
            let reason = wanted.skip_reason.as_deref();
            out.reason = Some(
                reason
                    .unwrap_or("the function asked for nothing")
                    .to_owned(),
            );
        }
        Evaluated::Wants(wanted) => out.runs = wanted.runs.iter().map(trial_run).collect(),
        Evaluated::Skipped(reason) => {
            out.status = api::TickStatus::Skipped;
            out.reason = Some(reason);
        }
        Evaluated::Failed(error) => {
            out.status = api::TickStatus::Failure;
            out.error = Some(error);
        }
    }
    out
}

fn trial_run(run: &RunRequest) -> api::TickTrialRun {
    api::TickTrialRun {
        run_key: run.run_key.clone().unwrap_or_default(),
        partitions: run.partitions.clone(),
        assets: run.assets.iter().take(ASSETS_IN_LIST).cloned().collect(),
        asset_count: run.assets.len() as u64,
        tasks: run.plan.tasks.len() as u64,
        tags: run.tags.clone(),
    }
}
