//! Several runs asked to stop at once.

use arco_core::RunId;
use arco_core::event::Position;
use arco_flow::State;
use arco_flow::command::{Answer as Answered, Command};
use arco_flow::state::Run;
use arco_wire::api::{CancelRuns, LogPosition, RunsCancelled, RunsMatching};
use axum::http::StatusCode;

use super::ListQuery;
use super::filter::RunFilter;
use crate::codes::Code;
use crate::extract::workspace::{at, json};
use crate::extract::{Json, Writing};
use crate::limits;
use crate::problem::{Answer, Refusal};

/// The runs of a request, by where they stand.
#[derive(Debug, Default)]
struct Found {
    /// With the place of their request in the log.
    go_on: Vec<(Position, RunId)>,
    canceling: u64,
    over: u64,
}

/// Asks several runs to stop: those that are named, or all that are not over and match.
///
/// What is queued is over at once; attempts that are alive are told. Repeating the request is safe.
/// Which runs match is seen when the request comes in: a run that is asked for later goes on.
#[utoipa::path(post, path = "/runs/cancel", tag = "runs", operation_id = "cancel_runs",
    request_body = CancelRuns,
    responses((status = 200, description = "What became of the runs", body = RunsCancelled)))]
pub(crate) async fn create(writing: Writing, Json(body): Json<CancelRuns>) -> Answer {
    let engine = writing.engine();
    let view = engine.view();
    let found = match (body.runs, &body.matching) {
        (Some(runs), None) => named(&writing, &view.state, runs).await?,
        (None, Some(matching)) => matched(&view.state, matching)?,
        _ => {
            return Err(invalid(
                "give the `runs` to stop, or what they have in common in `matching` (`{}` is every run that is not over)",
            ));
        }
    };
    let (canceling, over) = (found.canceling, found.over);
    let go_on = found.oldest_first();
    let mut answer = RunsCancelled {
        position: LogPosition(view.position()),
        dry_run: body.dry_run,
        asked: Vec::new(),
        canceling,
        over,
    };
    if body.dry_run {
        answer.asked = go_on;
        return Ok(at(view.position(), json(StatusCode::OK, &answer)));
    }
    for runs in go_on.chunks(limits::CANCELS_OF_DECISION) {
        let command = Command::CancelRuns(runs.to_vec());
        let done = engine
            .submit(&writing.principal, &writing.request_id, command)
            .await?;
        answer.position = LogPosition(done.position);
        if let Answered::Stopping(asked) = done.answer {
            // The others ended, or someone else stopped them, since they were looked at.
            answer.over += (runs.len() - asked.len()) as u64;
            answer.asked.extend(asked);
        }
    }
    tracing::info!(runs = answer.asked.len(), "runs asked to stop");
    Ok(at(answer.position.0, json(StatusCode::OK, &answer)))
}

async fn named(writing: &Writing, state: &State, mut runs: Vec<RunId>) -> Answer<Found> {
    super::bounded("runs", runs.len(), limits::CANCELS_MAX)?;
    runs.sort_unstable();
    runs.dedup();
    let mut found = Found::default();
    for id in runs {
        match state.run(id) {
            Some(run) => found.add(run),
            None if writing.engine().past_run(id).await?.is_some() => found.over += 1,
            None => return Err(crate::resources::run::unknown(id)),
        }
    }
    Ok(found)
}

fn matched(state: &State, matching: &RunsMatching) -> Answer<Found> {
    let filter = RunFilter::read(&ListQuery {
        status: matching.status.clone(),
        asset: matching.asset.clone(),
        root: matching.root,
        ..ListQuery::default()
    })?;
    if filter.only_over() {
        return Err(invalid(
            "`matching.status` names runs that are over, and these cannot be stopped; give `queued`, `started` or both",
        ));
    }
    let tags = matching.tags.iter().map(|tag| {
        RunFilter::read(&ListQuery {
            tag: Some(tag.clone()),
            ..ListQuery::default()
        })
    });
    let tags: Vec<RunFilter> = tags.collect::<Answer<_>>()?;
    let mut found = Found::default();
    for run in state.active_runs.iter().filter_map(|id| state.run(*id)) {
        if filter.matches(run) && tags.iter().all(|tag| tag.matches(run)) {
            found.add(run);
        }
    }
    Ok(found)
}

impl Found {
    fn oldest_first(mut self) -> Vec<RunId> {
        self.go_on.sort_unstable();
        self.go_on.into_iter().map(|(_, run)| run).collect()
    }

    fn add(&mut self, run: &Run) {
        if run.status.is_terminal() {
            self.over += 1;
        } else if run.is_canceling() {
            self.canceling += 1;
        } else {
            self.go_on.push((run.requested.0, run.id));
        }
    }
}

fn invalid(detail: &str) -> Refusal {
    Refusal::new(Code::InvalidBody, detail)
}
