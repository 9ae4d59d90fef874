//! What an attempt wrote: its standard streams as they are, its log records as JSON lines.

use arco_core::{AttemptId, RunId, TaskIndex};
use arco_wire::api::{LOG_COMPLETE_HEADER, LogStream, NEXT_CHUNK_HEADER};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::codes::Code;
use crate::extract::workspace::at;
use crate::extract::{Path, Query, Reading};
use crate::limits;
use crate::problem::{Answer, Refusal};

use super::{run, tasks};

/// The stream that a path or a query names.
pub(crate) fn stream(text: &str) -> Answer<LogStream> {
    match text {
        "stdout" => Ok(LogStream::Stdout),
        "stderr" => Ok(LogStream::Stderr),
        "log" => Ok(LogStream::Log),
        other => Err(Refusal::new(
            Code::UnknownStream,
            format!("attempts have no stream `{other}`; they have `stdout`, `stderr` and `log`"),
        )),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct LogPath {
    run: RunId,
    task: TaskIndex,
    attempt: u32,
    stream: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogQuery {
    /// The first chunk wanted; 0 when absent. Go on with header `arco-next-chunk`.
    from_chunk: Option<u64>,
}

/// Reads what an attempt wrote, at most 8 MiB at a time.
///
/// Header `arco-next-chunk` says where to go on, `arco-log-complete` whether the attempt is over and
/// everything was given.
#[utoipa::path(get, path = "/runs/{run}/tasks/{task}/attempts/{attempt}/logs/{stream}", tag = "runs", operation_id = "get_attempt_log",
    params(("run" = String, Path, description = "Run id"), ("task" = u32, Path, description = "Number in the run"),
           ("attempt" = u32, Path, description = "Which try, from 1"),
           ("stream" = String, Path, description = "`stdout`, `stderr` or `log`"), LogQuery),
    responses((status = 200, description = "The bytes as they were written; `log` is JSON lines", content_type = "text/plain", body = String,
        headers(("arco-next-chunk" = u64, description = "The chunk to ask for next"),
                ("arco-log-complete" = bool, description = "The attempt is over and everything was given")))))]
pub(crate) async fn show(
    reading: Reading,
    Path(path): Path<LogPath>,
    Query(query): Query<LogQuery>,
) -> Answer {
    let stream = stream(&path.stream)?;
    let ended = has_ended(&reading, &path).await?;
    let attempt = AttemptId {
        run: path.run,
        task: path.task,
        number: path.attempt,
    };
    let mut next = query.from_chunk.unwrap_or(0);
    let mut bytes = Vec::new();
    let mut more = false;
    while let Some(chunk) = reading
        .engine()
        .get_attempt_log(attempt, stream.as_str(), next)
        .await?
    {
        // The first chunk is given in any case, so that a reader always gets on.
        if !bytes.is_empty() && bytes.len() + chunk.len() > limits::LOG_ANSWER_BYTES_MAX {
            more = true;
            break;
        }
        bytes.extend_from_slice(&chunk);
        next += 1;
    }
    Ok(at(
        reading.view.position(),
        text(stream, bytes, next, ended && !more),
    ))
}

/// Whether the attempt is over; refuses when there is none.
async fn has_ended(reading: &Reading, path: &LogPath) -> Answer<bool> {
    let run = run::find(reading, path.run).await?;
    let task = run.task(path.task);
    let task = task.ok_or_else(|| tasks::unknown(path.run, path.task, run.tasks.len()))?;
    let row = task.attempts.iter().find(|row| row.number == path.attempt);
    let tries = task.attempts.len();
    let row = row.ok_or_else(|| unknown_attempt(path.run, path.task, path.attempt, tries))?;
    Ok(row.outcome.is_some())
}

pub(super) fn unknown_attempt(run: RunId, task: TaskIndex, number: u32, tries: usize) -> Refusal {
    Refusal::new(
        Code::UnknownAttempt,
        format!("task {task} of run {run} has no attempt {number}; it was tried {tries} times"),
    )
}

fn text(stream: LogStream, bytes: Vec<u8>, next: u64, complete: bool) -> Response {
    let kind = match stream {
        LogStream::Log => "application/x-ndjson",
        LogStream::Stdout | LogStream::Stderr => "text/plain; charset=utf-8",
    };
    let mut response = Body::from(bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        HeaderName::from_static(NEXT_CHUNK_HEADER),
        HeaderValue::from(next),
    );
    let complete = HeaderValue::from_static(if complete { "true" } else { "false" });
    headers.insert(HeaderName::from_static(LOG_COMPLETE_HEADER), complete);
    response
}
