//! A client of server-sent events.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;

use crate::server::Server;

/// A stream of server-sent events.
pub(crate) struct Sse {
    response: Response,
    buffer: Vec<u8>,
    /// Of the last message that had one: what a browser comes back with.
    pub(crate) last_id: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Frame {
    Message(Message),
    Comment,
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: Option<String>,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Sse {
    pub(crate) async fn open(server: &Server, path: &str, last: Option<&str>) -> Self {
        let mut request = server
            .request(Method::GET, path)
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            buffer: Vec::new(),
            last_id: last.map(str::to_owned),
        }
    }

    /// The next frame; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            let end = self.buffer.windows(2).position(|two| two == b"\n\n");
            if let Some(end) = end {
                let frame: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let frame = parse(std::str::from_utf8(&frame).expect("text"));
                if let Frame::Message(Message { id: Some(id), .. }) = &frame {
                    self.last_id = Some(id.clone());
                }
                return Some(frame);
            }
            let waiting = tokio::time::timeout(Duration::from_secs(20), self.response.chunk());
            let chunk = waiting.await.expect("something comes").ok()??;
            self.buffer.extend_from_slice(&chunk);
        }
    }

    /// The next message; `None` at the end of the stream.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        loop {
            if let Frame::Message(message) = self.next().await? {
                return Some(message);
            }
        }
    }
}

fn parse(frame: &str) -> Frame {
    let field = |name: &str| {
        let mut lines = frame.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
    };
    match field("data:") {
        None => Frame::Comment,
        Some(data) => Frame::Message(Message {
            id: field("id:"),
            event: field("event:").expect("a kind"),
            data: serde_json::from_str(&data).expect("JSON"),
        }),
    }
}
