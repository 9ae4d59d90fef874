//! Schedules: list and show them, set them going, stop them, see what is to come and what would be done.

use std::ops::Bound;

use arco_core::Timestamp;
use arco_flow::State;
use arco_flow::command::Command;
use arco_flow::decide::unknown_schedule;
use arco_wire::api::{
    NextInstant, NextInstants, Page, Schedule, ScheduleStatus, TickTrial, TimersFired,
};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::codes::Code;
use crate::extract::workspace::{at, json};
use crate::extract::{Path, Query, Reading, Writing};
use crate::page::{self, PageAsked};
use crate::problem::{Answer, Refusal};
use crate::render;

/// Instants shown when no number is asked for, and at most.
const NEXT_DEFAULT: usize = 10;
const NEXT_MAX: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SchedulesQuery {
    /// Only the schedules of this code location.
    location: Option<String>,
    /// `running` or `stopped`.
    status: Option<String>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Filter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<ScheduleStatus>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SchedulePath {
    pub(super) schedule: String,
}

/// Lists schedules by name.
#[utoipa::path(get, path = "/schedules", tag = "schedules", operation_id = "list_schedules",
    params(SchedulesQuery),
    responses((status = 200, description = "A page of schedules", body = Page<Schedule>)))]
pub(crate) async fn list(reading: Reading, Query(query): Query<SchedulesQuery>) -> Answer {
    let status = crate::words::read("status", query.status.as_deref())?;
    let filter = Filter {
        location: query.location,
        // Both words are all schedules, as is none.
        status: status.first().copied().filter(|_| status.len() == 1),
    };
    let asked: PageAsked<_, String> = PageAsked::read(
        "schedules",
        filter,
        query.page_token.as_deref(),
        query.limit,
    )?;
    let state = &reading.view.state;
    let filter = &asked.filter;
    let from = asked
        .after
        .as_ref()
        .map_or(Bound::Unbounded, Bound::Excluded);
    let mut names = state
        .catalog
        .schedules()
        .range::<String, _>((from, Bound::Unbounded))
        .filter(|(_, location)| filter.location.as_ref().is_none_or(|of| of == *location))
        .filter(|(name, _)| {
            filter.status.is_none_or(|status| {
                let row = state.schedules.get(*name);
                row.is_some_and(|row| render::schedule::status(row) == status)
            })
        })
        .map(|(name, _)| name);
    let mut items = Vec::new();
    let mut last = None;
    for name in names.by_ref().take(asked.limit) {
        items.extend(render::schedule::schedule(state, name));
        last = Some(name.clone());
    }
    let next = names.next().and(last);
    Ok(reading.json(&asked.page(items, next)))
}

/// Shows one schedule.
#[utoipa::path(get, path = "/schedules/{schedule}", tag = "schedules", operation_id = "get_schedule",
    params(("schedule" = String, Path, description = "Name of the schedule")),
    responses((status = 200, description = "The schedule", body = Schedule)))]
pub(crate) async fn show(reading: Reading, Path(path): Path<SchedulePath>) -> Answer {
    Ok(reading.json(&find(&reading.view.state, &path.schedule)?))
}

/// Sets a schedule going, whatever the code says. It counts from now: what passed is not fired.
#[utoipa::path(post, path = "/schedules/{schedule}/start", tag = "schedules", operation_id = "start_schedule",
    params(("schedule" = String, Path, description = "Name of the schedule")),
    responses((status = 200, description = "The schedule as it stands now", body = Schedule)))]
pub(crate) async fn start(writing: Writing, Path(path): Path<SchedulePath>) -> Answer {
    tell(writing, path, Command::StartSchedule).await
}

/// Stops a schedule, whatever the code says. Its runs go on.
#[utoipa::path(post, path = "/schedules/{schedule}/stop", tag = "schedules", operation_id = "stop_schedule",
    params(("schedule" = String, Path, description = "Name of the schedule")),
    responses((status = 200, description = "The schedule as it stands now", body = Schedule)))]
pub(crate) async fn stop(writing: Writing, Path(path): Path<SchedulePath>) -> Answer {
    tell(writing, path, Command::StopSchedule).await
}

/// Leaves it to the code again whether a schedule runs.
#[utoipa::path(post, path = "/schedules/{schedule}/reset", tag = "schedules", operation_id = "reset_schedule",
    params(("schedule" = String, Path, description = "Name of the schedule")),
    responses((status = 200, description = "The schedule as it stands now", body = Schedule)))]
pub(crate) async fn reset(writing: Writing, Path(path): Path<SchedulePath>) -> Answer {
    tell(writing, path, Command::ResetSchedule).await
}

async fn tell(writing: Writing, path: SchedulePath, command: fn(String) -> Command) -> Answer {
    let engine = writing.engine();
    let done = engine
        .submit(
            &writing.principal,
            &writing.request_id,
            command(path.schedule.clone()),
        )
        .await?;
    let schedule = find(&engine.view().state, &path.schedule)?;
    tracing::info!(
        schedule = path.schedule,
        status = schedule.status.as_str(),
        "schedule set"
    );
    Ok(at(done.position, json(StatusCode::OK, &schedule)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NextQuery {
    /// Instants, 1 to 1,000; 10 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// From this instant on, RFC 3339; from now on when absent.
    from: Option<String>,
}

/// Shows when a schedule is due next, also while it is stopped.
#[utoipa::path(get, path = "/schedules/{schedule}/next", tag = "schedules", operation_id = "next_of_schedule",
    params(("schedule" = String, Path, description = "Name of the schedule"), NextQuery),
    responses((status = 200, description = "The instants", body = NextInstants)))]
pub(crate) async fn next(
    reading: Reading,
    Path(path): Path<SchedulePath>,
    Query(query): Query<NextQuery>,
) -> Answer {
    let limit = page::limit(query.limit, NEXT_DEFAULT, NEXT_MAX)?;
    let from = match &query.from {
        Some(text) => instant("from", text)?,
        None => reading.engine().now(),
    };
    let state = &reading.view.state;
    let (found, row) = state
        .catalog
        .schedule(&path.schedule)
        .zip(state.schedules.get(&path.schedule))
        .ok_or_else(|| missing(state, &path.schedule))?;
    let cron = found.schedule.cron();
    let instants = cron.instants_from(from).take(limit);
    Ok(reading.json(&NextInstants {
        status: render::schedule::status(row),
        instants: instants
            .map(|instant| NextInstant {
                instant: instant.into(),
                local: cron.local(instant),
            })
            .collect(),
        schedule: path.schedule,
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrialQuery {
    /// The instant to try, RFC 3339; the next due one when absent.
    instant: Option<String>,
}

/// Shows what a tick would do at an instant. Nothing is done, and the instant need not be due.
#[utoipa::path(get, path = "/schedules/{schedule}/test", tag = "schedules", operation_id = "test_schedule",
    params(("schedule" = String, Path, description = "Name of the schedule"), TrialQuery),
    responses((status = 200, description = "What would come of it", body = TickTrial)))]
pub(crate) async fn test(
    reading: Reading,
    Path(path): Path<SchedulePath>,
    Query(query): Query<TrialQuery>,
) -> Answer {
    let engine = reading.engine();
    let instant = match &query.instant {
        Some(text) => instant("instant", text)?,
        None => {
            let state = &reading.view.state;
            let found = state.catalog.schedule(&path.schedule);
            let found = found.ok_or_else(|| missing(state, &path.schedule))?;
            let mut next = found.schedule.cron().instants_from(engine.now());
            next.next().unwrap_or_else(|| engine.now())
        }
    };
    let evaluated = engine
        .try_schedule(&path.schedule, instant)
        .await
        .map_err(not_found)?;
    Ok(reading.json(&render::schedule::trial(&path.schedule, instant, evaluated)))
}

/// Wakes the timers: what is due is fired now. Early, late and repeated calls do no harm, so that a
/// cron job or a cloud scheduler may call at any time.
#[utoipa::path(post, path = "/timers/fire", tag = "schedules", operation_id = "fire_timers",
    responses((status = 200, description = "What was done", body = TimersFired)))]
pub(crate) async fn fire(writing: Writing) -> Answer {
    let engine = writing.engine();
    let fired = engine.fire_timers().await?;
    let view = engine.view();
    let answer = TimersFired {
        steps: fired.steps as u64,
        leads: view.leads,
        next_due: fired.next_due.map(Into::into),
    };
    Ok(at(view.position(), json(StatusCode::OK, &answer)))
}

fn find(state: &State, name: &str) -> Answer<Schedule> {
    render::schedule::schedule(state, name).ok_or_else(|| missing(state, name))
}

/// The path names a schedule that is not there.
pub(super) fn missing(state: &State, name: &str) -> Refusal {
    Refusal::from(unknown_schedule(state, name))
}

fn not_found(error: arco_engine::EngineError) -> Refusal {
    error.into()
}

pub(super) fn instant(what: &str, text: &str) -> Answer<Timestamp> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| {
        Refusal::new(
            Code::InvalidQuery,
            format!(
                "`{what}` is `{text}`, which is not an instant; write it as `2026-01-31T02:00:00Z`"
            ),
        )
    })
}
