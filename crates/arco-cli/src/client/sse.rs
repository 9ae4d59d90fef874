//! Server-sent events: the part of the format that Arco's streams use.

use std::time::Duration;

use reqwest::Response;

#[cfg(test)]
mod tests;

/// The server sends a comment every few seconds; a stream that is silent for longer is dead.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// An event that does not end is not ours.
const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// Where to go on after a break (`last-event-id`).
    pub(crate) id: String,
    /// Its kind; empty when it has none.
    pub(crate) event: String,
    /// Its data, lines joined.
    pub(crate) data: String,
}

/// Reads messages from a response.
#[derive(Debug)]
pub(crate) struct Stream {
    response: Response,
    parser: Parser,
}

impl Stream {
    pub(crate) fn new(response: Response) -> Self {
        Self {
            response,
            parser: Parser::default(),
        }
    }

    /// The next message; `None` when the stream ended, broke or went silent: ask again from the last
    /// id. Safe to drop.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.parser.take() {
                return Some(message);
            }
            let chunk = tokio::time::timeout(SILENCE_MAX, self.response.chunk()).await;
            match chunk {
                Ok(Ok(Some(bytes))) if self.parser.pending() + bytes.len() <= EVENT_BYTES_MAX => {
                    self.parser.feed(&bytes);
                }
                _ => return None,
            }
        }
    }
}

/// Turns bytes into messages, however they are cut.
#[derive(Debug, Default)]
struct Parser {
    buffer: Vec<u8>,
    partial: Message,
    ready: std::collections::VecDeque<Message>,
}

impl Parser {
    fn pending(&self) -> usize {
        self.buffer.len() + self.partial.data.len()
    }

    fn take(&mut self) -> Option<Message> {
        self.ready.pop_front()
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(length) = self.buffer[start..].iter().position(|byte| *byte == b'\n') {
            let line = &self.buffer[start..start + length];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = String::from_utf8_lossy(line).into_owned();
            start += length + 1;
            self.line(&line);
        }
        self.buffer.drain(..start);
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            if self.partial != Message::default() {
                self.ready.push_back(std::mem::take(&mut self.partial));
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => value.clone_into(&mut self.partial.id),
            "event" => value.clone_into(&mut self.partial.event),
            "data" => {
                if !self.partial.data.is_empty() {
                    self.partial.data.push('\n');
                }
                self.partial.data.push_str(value);
            }
            // A comment has an empty name; unknown fields are to be ignored.
            _ => {}
        }
    }
}
