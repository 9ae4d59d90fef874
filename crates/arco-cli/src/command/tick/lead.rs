//! Taking the lead, or seeing that another process has it.

use std::time::Duration;

use arco_core::Timestamp;
use arco_engine::Engine;
use arco_flow::{State, pending, schedule, sensor};
use arco_wire::api::WorkspaceStatus;
use tokio::time::Instant;

use crate::failure::Outcome;

/// Whoever leads answers within this, or is not there as far as can be told.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Beyond the ttl of a leader that may be dead: the margin that engines keep, and some.
const MARGIN: Duration = Duration::from_secs(4);
/// How often it is looked whether something happened.
const LOOK: Duration = Duration::from_millis(100);

/// Who leads.
#[derive(Debug)]
pub(super) enum Lead {
    /// This process.
    Here,
    /// Another one, reached at this address.
    Elsewhere(Option<String>),
}

/// Takes the lead when nobody has it. When someone has, and answers, or there is nothing to do, it stays
/// with them. When they do not answer and something waits, they may be dead: that shows when they write
/// nothing for as long as they may be silent.
pub(super) async fn take(engine: &Engine, workspace: &str) -> Outcome<Lead> {
    engine.catch_up().await?;
    if !leads(engine) && holder_answers(engine, workspace).await {
        return Ok(Lead::Elsewhere(holder(engine)));
    }
    engine.lead_if_free().await?;
    let before = engine.view();
    let until = Instant::now() + Duration::from_millis(before.state.leadership.ttl_ms) + MARGIN;
    loop {
        let view = engine.view();
        if view.leads {
            return Ok(Lead::Here);
        }
        let held = view.state.leadership.holder.is_some();
        // Whoever writes is alive, and does what is due.
        let written = view.position() > before.position();
        let waits = waits(&view.state, engine.now());
        if waits {
            // No host is here yet to look for a leader, and what only user code can say waits for hosts.
            engine.seek_lead();
        }
        if held && (written || !waits) || Instant::now() >= until {
            return Ok(Lead::Elsewhere(holder(engine)));
        }
        tokio::time::sleep(LOOK).await;
        engine.catch_up().await?;
    }
}

fn leads(engine: &Engine) -> bool {
    engine.view().leads
}

/// Where the process that leads says it is reached.
pub(super) fn holder(engine: &Engine) -> Option<String> {
    let view = engine.view();
    let leadership = &view.state.leadership;
    let held = leadership.holder.is_some() && !view.leads;
    (held && !leadership.url.is_empty()).then(|| leadership.url.clone())
}

/// Whether there is something for a leader to do.
fn waits(state: &State, now: Timestamp) -> bool {
    schedule::next_due(state).is_some_and(|due| due <= now)
        || sensor::due(state, now).next().is_some()
        || !state.active_runs.is_empty()
        || !state.retries_owed.is_empty()
        || pending::backfills(state, now).next().is_some()
}

/// Whether the very process that holds the lead answers where it said. An address may be of another
/// machine, or belong to someone else by now: who answers must say that it is the holder.
async fn holder_answers(engine: &Engine, workspace: &str) -> bool {
    let Some(url) = holder(engine) else {
        return false;
    };
    let view = engine.view();
    let Ok(http) = reqwest::Client::builder()
        .timeout(ANSWER_MAX)
        .no_proxy()
        .build()
    else {
        return false;
    };
    let status = format!(
        "{}/api/v1/workspaces/{workspace}/status",
        url.trim_end_matches('/')
    );
    let Ok(answer) = http.get(status).send().await else {
        return false;
    };
    // A server with tokens does not tell a stranger who it is. It is one of us, and it is there.
    if matches!(answer.status().as_u16(), 401 | 403) {
        return true;
    }
    let said: Option<WorkspaceStatus> = answer.json().await.ok();
    said.is_some_and(|said| said.leader.here && said.leader.holder == view.state.leadership.holder)
}
