//! Reading one stream of one attempt, chunk after chunk.

use std::time::Duration;

use arco_engine::clock::{Clock as _, SystemClock};
use arco_wire::api::{LOG_COMPLETE_HEADER, NEXT_CHUNK_HEADER, TaskSummary};
use reqwest::Response;
use serde_json::json;

use super::record;
use crate::client::Client;
use crate::command::task_name::label;
use crate::console::Console;
use crate::failure::Outcome;

#[cfg(test)]
mod tests;

/// Of an attempt that ended this lately, chunks may still be on their way.
const SETTLED_MS: i64 = 10_000;
/// A host sends the chunks of a stream one after the other. One this large has others behind it.
const MORE_BEHIND_BYTES: usize = 256 * 1024;

/// One stream of one attempt.
pub(super) struct Source<'a> {
    pub(super) client: &'a Client,
    pub(super) run: &'a str,
    pub(super) task: &'a TaskSummary,
    pub(super) attempt: u32,
    pub(super) stream: &'a str,
}

impl Source<'_> {
    /// Prints what is there; whether there was anything.
    pub(super) async fn print(&self, console: &Console) -> Outcome<bool> {
        let mut chunk = 0_u64;
        let mut lines = Lines::default();
        let mut begun = false;
        let mut quiet = Quiet::default();
        loop {
            let request = self
                .client
                .get(self.path().iter().map(String::as_str))
                .query("from_chunk", chunk)
                .patient();
            let response = request.response().await?;
            let next = header(&response, NEXT_CHUNK_HEADER)
                .and_then(|text| text.parse().ok())
                .unwrap_or(chunk);
            let complete = header(&response, LOG_COMPLETE_HEADER).as_deref() == Some("true");
            let bytes = request.read(response).await?;
            if !bytes.is_empty() && !begun {
                begun = true;
                self.heading(console);
            }
            lines
                .feed(&bytes)
                .iter()
                .for_each(|line| self.line(console, line));
            let moved = next > chunk;
            chunk = next;
            quiet.heard(bytes.len());
            if moved {
                continue;
            }
            if !complete || quiet.waited >= quiet.patience(self.since_end()) {
                break;
            }
            quiet.waited += LOOK_AGAIN;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        if let Some(rest) = lines.rest() {
            self.line(console, &rest);
        }
        Ok(begun)
    }

    /// Milliseconds since the attempt ended; `None` when that is not known.
    fn since_end(&self) -> Option<i64> {
        let ended = self.task.ended?.0;
        Some(SystemClock::default().wall().0 - ended.0)
    }

    fn path(&self) -> [String; 8] {
        [
            "runs".into(),
            self.run.into(),
            "tasks".into(),
            self.task.task.to_string(),
            "attempts".into(),
            self.attempt.to_string(),
            "logs".into(),
            self.stream.into(),
        ]
    }

    /// On stderr, so that a redirected log is what the task wrote and nothing else.
    fn heading(&self, console: &Console) {
        if !console.is_json() {
            let what = format!(
                "── {} {} attempt {} {}",
                self.task.task,
                label(self.task),
                self.attempt,
                self.stream
            );
            console.note(&console.paint_err().dim(&what));
        }
    }

    fn line(&self, console: &Console, line: &str) {
        if console.is_json() {
            let record = (self.stream == "log")
                .then(|| serde_json::from_str::<serde_json::Value>(line).ok())
                .flatten();
            let mut element = json!({
                "task": self.task.task,
                "step": self.task.step,
                "attempt": self.attempt,
                "stream": self.stream,
            });
            if let Some(partition) = self.task.partitions.first() {
                element["partition"] = json!(partition);
            }
            match record {
                Some(record) => element["record"] = record,
                None => element["line"] = json!(line),
            }
            console.element(&element, |_| String::new());
        } else if self.stream == "log" {
            console.line(&record::render(line, console.paint()));
        } else {
            console.line(line);
        }
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    response
        .headers()
        .get(name)?
        .to_str()
        .ok()
        .map(str::to_owned)
}

/// How often an attempt that is over is asked for more.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The end of an attempt and the end of its output are two things: the host reports the first and
/// goes on uploading. An attempt that is over is done when nothing came for a while.
#[derive(Debug, Default)]
struct Quiet {
    last_bytes: usize,
    waited: Duration,
}

impl Quiet {
    fn heard(&mut self, bytes: usize) {
        if bytes > 0 {
            self.last_bytes = bytes;
            self.waited = Duration::ZERO;
        }
    }

    /// How long to wait for another chunk of an attempt that ended so long ago.
    fn patience(&self, since_end_ms: Option<i64>) -> Duration {
        if since_end_ms.is_some_and(|ms| ms > SETTLED_MS) {
            Duration::ZERO
        } else if self.last_bytes >= MORE_BEHIND_BYTES {
            Duration::from_secs(2)
        } else {
            Duration::from_millis(200)
        }
    }
}

/// Cuts bytes into lines, whatever the chunks.
#[derive(Debug, Default)]
struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        self.partial.extend_from_slice(bytes);
        let Some(end) = self.partial.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let whole: Vec<u8> = self.partial.drain(..=end).collect();
        String::from_utf8_lossy(&whole)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.partial);
        (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned())
    }
}
