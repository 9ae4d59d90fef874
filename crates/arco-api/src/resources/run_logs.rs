//! What tasks of a run write, as it comes: server-sent events of all its attempts.

mod attempt;
mod begin;
mod cursor;
mod filter;
mod follow;
mod lines;
mod reading;
mod sent;

use arco_wire::api::LogStream;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use self::cursor::Cursor;
use self::filter::Filter;
use self::follow::Follower;
use crate::app::App;
use crate::codes::Code;
use crate::extract::{Path, Query, Reading};
use crate::problem::{Answer, Refusal};

use super::event_stream::OpenStream;
use super::run::{self, RunPath};
use super::{event_stream, logs};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunLogsQuery {
    /// Only this task.
    task: Option<u32>,
    /// Only this try of the task, from 1.
    attempt: Option<u32>,
    /// Only tasks of this step.
    step: Option<String>,
    /// Only tasks of the step that are carried out for this key of a dynamic output.
    mapping_key: Option<String>,
    /// Only tasks of the step that have this partition.
    partition: Option<String>,
    /// Only `stdout`, `stderr` or `log`.
    stream: Option<String>,
}

impl RunLogsQuery {
    fn filter(self) -> Answer<Filter> {
        let invalid = |message: &str| Err(Refusal::new(Code::InvalidQuery, message));
        if self.attempt.is_some() && self.task.is_none() {
            return invalid("`attempt` is a try of a task; say which with `task`");
        }
        if (self.partition.is_some() || self.mapping_key.is_some()) && self.step.is_none() {
            return invalid(
                "`partition` and `mapping_key` are those of a step; say which with `step`",
            );
        }
        let streams = match self.stream.as_deref() {
            Some(name) => vec![logs::stream(name)?],
            None => LogStream::ALL.to_vec(),
        };
        Ok(Filter {
            task: self.task,
            attempt: self.attempt,
            step: self.step,
            mapping_key: self.mapping_key,
            partition: self.partition,
            streams,
        })
    }
}

/// Follows what tasks of a run write, all attempts together, until the run is over.
///
/// Each server-sent event is one line (`output`: `LogOutput`), the end of an attempt (`attempt`:
/// `LogAttempt`) or of all that was followed (`end`: `LogEnd`; the stream ends there), or says what is
/// not shown (`lost`: `LogLost`, `skipped`: `LogSkipped`). Attempts that begin later join by
/// themselves. Of attempts that were over before, the last 200 are shown.
///
/// A client that comes back with `Last-Event-ID` goes on there. Ids are opaque; an event without
/// one is part of a chunk that goes on, so after a break in the middle of a chunk (at most 1 MiB) its
/// lines come again.
#[utoipa::path(get, path = "/runs/{run}/logs", tag = "runs", operation_id = "follow_run_logs",
    params(("run" = String, Path, description = "Run id"), RunLogsQuery,
           ("last-event-id" = Option<String>, Header, description = "Go on after this event")),
    responses((status = 200, description = "A stream of events", content_type = "text/event-stream", body = String)))]
pub(crate) async fn follow(
    State(app): State<App>,
    mut reading: Reading,
    Path(path): Path<RunPath>,
    Query(query): Query<RunLogsQuery>,
    headers: HeaderMap,
) -> Answer {
    let filter = query.filter()?;
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .filter(|text| !text.is_empty());
    let cursor = last.map(Cursor::read).transpose()?;
    if let Some(cursor) = &cursor {
        // Another server may have sent it, which had read more of the log.
        let wait = app.settings().min_position_wait();
        reading.reach(cursor.reached(), wait).await?;
    }
    // Listens before it looks, so that nothing falls between.
    let news = reading.workspace.log_news.follow(path.run);
    let run = run::find(&reading, path.run).await?;
    filter.check(&run)?;
    let open = OpenStream::take(&app)?;
    let shutdown = app.shutdown().clone();
    let follower = Follower::new(&reading, run, filter, cursor, news, shutdown, open);
    Ok(event_stream::answer(
        &app,
        reading.view.position(),
        follow::stream(follower),
    ))
}
