//! Reading one stream of one attempt, chunk after chunk.

use std::time::Duration;

use arco_wire::api::{LOG_COMPLETE_HEADER, NEXT_CHUNK_HEADER, TaskSummary};
use reqwest::Response;
use serde_json::json;

use super::record;
use crate::client::Client;
use crate::command::task_name::label;
use crate::console::Console;
use crate::failure::Outcome;

/// Hosts send output at least once a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// One stream of one attempt.
pub(super) struct Source<'a> {
    pub(super) client: &'a Client,
    pub(super) run: &'a str,
    pub(super) task: &'a TaskSummary,
    pub(super) attempt: u32,
    pub(super) stream: &'a str,
}

impl Source<'_> {
    /// Prints it; whether there was anything. With `follow`, until the attempt is over.
    pub(super) async fn print(&self, console: &Console, follow: bool) -> Outcome<bool> {
        let mut chunk = 0_u64;
        let mut lines = Lines::default();
        let mut begun = false;
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
            if complete || (!moved && !follow) {
                break;
            }
            if !moved {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        if let Some(rest) = lines.rest() {
            self.line(console, &rest);
        }
        Ok(begun)
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
