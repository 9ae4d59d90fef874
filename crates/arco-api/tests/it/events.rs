//! Events: pages, and streams that lose nothing and repeat nothing.

use std::time::Duration;

use arco_api::ApiSettings;
use arco_testkit::World;
use arco_wire::api::{Event, EventPage};
use reqwest::{Method, Response};
use serde_json::json;

use crate::host::FakeHost;
use crate::server::{Server, Setup, flights, send};

/// A stream of server-sent events.
struct Sse {
    response: Response,
    buffer: String,
}

#[derive(Debug)]
enum Frame {
    Event {
        id: String,
        kind: String,
        event: Event,
    },
    Comment,
}

impl Sse {
    async fn open(server: &Server, query: &str, last: Option<&str>) -> Self {
        let mut request = server
            .request(Method::GET, &format!("events{query}"))
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            buffer: String::new(),
        }
    }

    /// The next frame; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.buffer.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.buffer = rest;
                return Some(parse(&frame));
            }
            let waiting = tokio::time::timeout(Duration::from_secs(20), self.response.chunk());
            let chunk = waiting.await.expect("something comes").ok()??;
            self.buffer
                .push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }

    /// The next event.
    async fn event(&mut self) -> (String, Event) {
        loop {
            match self.next().await.expect("the stream goes on") {
                Frame::Event { id, kind, event } => {
                    assert_eq!((&id, &kind), (&event.position.to_string(), &event.kind));
                    return (id, event);
                }
                Frame::Comment => {}
            }
        }
    }

    async fn events(&mut self, count: usize) -> Vec<String> {
        let mut out = Vec::new();
        for _ in 0..count {
            out.push(self.event().await.0);
        }
        out
    }
}

fn parse(frame: &str) -> Frame {
    let field = |name: &str| {
        frame
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|v| v.trim().to_owned())
    };
    match field("data:") {
        None => Frame::Comment,
        Some(data) => Frame::Event {
            id: field("id:").expect("an id"),
            kind: field("event:").expect("a kind"),
            event: serde_json::from_str(&data).expect("an event"),
        },
    }
}

async fn all_positions(server: &Server) -> Vec<String> {
    let mut out = Vec::new();
    let mut from = "1.0".to_owned();
    loop {
        let page: EventPage = server
            .get(&format!("events?from={from}&limit=3"))
            .await
            .read();
        if page.items.is_empty() {
            assert_eq!(page.next.to_string(), from);
            return out;
        }
        out.extend(page.items.iter().map(|event| event.position.to_string()));
        from = page.next.to_string();
    }
}

#[tokio::test]
async fn pages_read_the_log_to_its_end() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    host.work_off(&server).await;
    let positions = all_positions(&server).await;
    assert_eq!(
        positions.last().map(String::as_str),
        Some(server.engine.view().position().to_string().as_str())
    );
    let first: EventPage = server.get("events").await.read();
    let made = first
        .items
        .iter()
        .find(|event| event.kind == "run.requested")
        .expect("a request");
    assert_eq!(made.principal, "client:local");
    assert_eq!(
        made.payload.as_ref().expect("a payload")["selection"],
        "raw/flights"
    );
    server.stop().await;
}

#[tokio::test]
async fn filters_show_one_run_or_one_kind() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let first = server.run(json!({"selection": "raw/flights"})).await;
    server.run(json!({"selection": "report"})).await;
    host.work_off(&server).await;
    let page: EventPage = server.get(&format!("events?run={first}")).await.read();
    let kinds: Vec<&str> = page.items.iter().map(|event| event.kind.as_str()).collect();
    assert!(
        kinds.starts_with(&["run.requested", "attempt.leased"]),
        "{kinds:?}"
    );
    assert!(
        kinds.contains(&"asset.materialized") && kinds.ends_with(&["run.finished"]),
        "{kinds:?}"
    );
    assert!(page.items.iter().all(|event| {
        event
            .payload
            .as_ref()
            .is_some_and(|p| p.to_string().contains(&first))
    }));
    let page: EventPage = server.get("events?kind=run.,host.registered").await.read();
    assert!(
        page.items
            .iter()
            .all(|e| e.kind.starts_with("run.") || e.kind == "host.registered")
    );
    assert_eq!(page.items.len(), 5);
    server.stop().await;
}

#[tokio::test]
async fn a_stream_goes_on_where_it_broke_off() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let mut stream = Sse::open(&server, "?from=1.0", None).await;
    let mut seen = stream.events(2).await;
    // Broken off again and again while the log grows, each time after a few events.
    for round in 0..6 {
        drop(stream);
        server
            .run(json!({"selection": "raw/flights", "tags": {"round": round.to_string()}}))
            .await;
        host.work_off(&server).await;
        stream = Sse::open(&server, "?from=1.0", seen.last().map(String::as_str)).await;
        seen.extend(stream.events(3).await);
    }
    let all = all_positions(&server).await;
    seen.extend(stream.events(all.len() - seen.len()).await);
    assert_eq!(seen, all, "nothing lost, nothing twice");
    server.stop().await;
}

#[tokio::test]
async fn a_stream_reads_old_events_from_the_log() {
    let world = World::new().with(|settings| settings.recent_events_max = 2);
    let server = Server::in_world(world, Setup::default()).await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    host.work_off(&server).await;
    let all = all_positions(&server).await;
    assert!(all.len() > 4);
    // From the end of every segment the next one follows.
    for (n, position) in all.iter().enumerate().take(all.len() - 1) {
        let mut stream = Sse::open(&server, "", Some(position)).await;
        assert_eq!(stream.event().await.0, all[n + 1], "after {position}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stream_without_a_place_begins_at_the_end() {
    let server = Server::with_flights().await;
    let mut stream = Sse::open(&server, "?kind=run.", None).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let (_, event) = stream.event().await;
    assert_eq!(event.payload.expect("a payload")["run"], json!(run));
    server.stop().await;
}

#[tokio::test]
async fn a_silent_stream_beats_and_ends_with_the_server() {
    let setup = Setup {
        settings: ApiSettings {
            stream_heartbeat_ms: 20,
            ..ApiSettings::default()
        },
        ..Setup::default()
    };
    let server = Server::in_world(World::new(), setup).await;
    let mut stream = Sse::open(&server, "", None).await;
    assert!(matches!(stream.next().await, Some(Frame::Comment)));
    let metrics = server.get("/metrics").await;
    assert!(
        metrics.text.contains("arco_event_streams 1"),
        "{}",
        metrics.text
    );
    server.shutdown.cancel();
    while let Some(frame) = stream.next().await {
        assert!(matches!(frame, Frame::Comment), "{frame:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn streams_are_bounded() {
    let setup = Setup {
        settings: ApiSettings {
            streams_max: 1,
            ..ApiSettings::default()
        },
        ..Setup::default()
    };
    let server = Server::in_world(World::new(), setup).await;
    let first = Sse::open(&server, "", None).await;
    let second = server
        .request(Method::GET, "events")
        .header("accept", "text/event-stream");
    assert_eq!(send(second).await.code(), (503, "too_many_streams".into()));
    drop(first);
    server.stop().await;
}

#[tokio::test]
async fn places_that_are_none_are_refused() {
    let server = Server::start().await;
    assert_eq!(
        server.get("events?from=yesterday").await.code(),
        (400, "invalid_query".into())
    );
    let stream = server
        .request(Method::GET, "events")
        .header("accept", "text/event-stream")
        .header("last-event-id", "x");
    assert_eq!(send(stream).await.code(), (400, "invalid_header".into()));
    server.stop().await;
}
