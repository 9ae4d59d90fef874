//! A workspace on one page.

use arco_engine::View;
use arco_flow::state::RunStatus;
use arco_flow::{State, schedule};
use arco_wire::api::{ActiveRuns, Leader, TaskCounts, WorkspaceStatus};

use crate::extract::Reading;
use crate::problem::Answer;
use crate::render;

const HOSTS: usize = 1_000;

/// Shows the position, the leader, the hosts and what is under way.
#[utoipa::path(get, path = "/status", tag = "status", operation_id = "get_status",
    responses((status = 200, description = "The workspace", body = WorkspaceStatus)))]
pub(crate) async fn show(reading: Reading) -> Answer {
    let view = &reading.view;
    let state = &view.state;
    let (runs, tasks) = active(state);
    let hosts = state.hosts.iter().take(HOSTS);
    let running = state
        .schedules
        .values()
        .filter(|row| row.is_running())
        .count() as u64;
    Ok(reading.json(&WorkspaceStatus {
        workspace: reading.workspace.name.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        position: view.position().into(),
        time: state.time.into(),
        leader: leader(view),
        hosts: hosts
            .map(|(id, host)| render::host::host(*id, host))
            .collect(),
        runs,
        tasks,
        locations: state.locations.len() as u64,
        locations_failed: state
            .locations
            .values()
            .filter(|l| l.failure.is_some())
            .count() as u64,
        assets: state.catalog.keys().count() as u64,
        schedules_running: running,
        schedules: state.catalog.schedules().len() as u64,
        next_due: schedule::next_due(state).map(Into::into),
        clock_off_ms: reading.engine().clock_off_ms(),
    }))
}

fn leader(view: &View) -> Leader {
    let leadership = &view.state.leadership;
    let held = leadership.holder.is_some();
    Leader {
        epoch: leadership.epoch,
        holder: leadership.holder.clone(),
        url: held.then(|| leadership.url.clone()),
        here: view.leads,
    }
}

fn active(state: &State) -> (ActiveRuns, TaskCounts) {
    let mut runs = ActiveRuns::default();
    let mut tasks = TaskCounts::default();
    for run in state.active_runs.iter().filter_map(|id| state.run(*id)) {
        runs.total += 1;
        match run.status {
            RunStatus::Queued => runs.queued += 1,
            RunStatus::Started => runs.started += 1,
            RunStatus::Canceling => runs.canceling += 1,
            RunStatus::Success | RunStatus::Failure | RunStatus::Canceled => {}
        }
        tasks = render::run::add(tasks, render::run::counts(&run.counts));
    }
    (runs, tasks)
}
