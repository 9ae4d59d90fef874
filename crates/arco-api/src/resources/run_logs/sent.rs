//! The events of the stream, from what they tell.

use arco_core::TaskIndex;
use arco_flow::state::{AttemptRow, Run};
use arco_wire::api::{LogAttempt, LogEnd, LogLost, LogOutput, LogSkipped, LogSource, LogStream};
use axum::response::sse::Event as Sent;
use serde::Serialize;
use serde_json::Value;

use super::cursor::Cursor;
use super::lines::Line;
use crate::render;

/// An event with the id to go on after, when there is one.
pub(super) fn event(name: &str, data: &impl Serialize, id: Option<String>) -> Sent {
    let text = serde_json::to_string(data).expect("wire types have string keys");
    let sent = Sent::default().event(name).data(text);
    match id {
        Some(id) => sent.id(id),
        None => sent,
    }
}

/// One line; `None` for one that says nothing: the notice that a stream of records was cut begins
/// with a line end, whether or not a record was cut in two.
pub(super) fn output(source: &LogSource, stream: LogStream, line: Line) -> Option<LogOutput> {
    let is_record = stream == LogStream::Log;
    if is_record && line.text.is_empty() {
        return None;
    }
    let record = (is_record && !line.continues)
        .then(|| serde_json::from_str(&line.text).ok())
        .flatten()
        .filter(Value::is_object);
    Some(LogOutput {
        source: source.clone(),
        stream,
        line: record.is_none().then_some(line.text),
        record,
        continues: line.continues,
    })
}

pub(super) fn attempt(run: &Run, source: &LogSource, row: &AttemptRow) -> LogAttempt {
    let attempt = render::task::attempt(run, source.task, row);
    LogAttempt {
        source: source.clone(),
        status: attempt.status,
        class: attempt.class,
    }
}

pub(super) fn lost(source: &LogSource, stream: LogStream, chunks: u64) -> LogLost {
    LogLost {
        source: source.clone(),
        stream,
        chunks,
    }
}

pub(super) fn skipped(attempts: u64, cursor: &Cursor) -> Sent {
    event("skipped", &LogSkipped { attempts }, cursor.write())
}

pub(super) fn end(run: &Run, task: Option<TaskIndex>, cursor: &Cursor) -> Sent {
    let task = task.and_then(|task| run.task(task));
    let end = LogEnd {
        run: run.id,
        status: render::run::status(run.status),
        task_status: task.map(|task| render::task::status(task.status)),
    };
    event("end", &end, cursor.write())
}
