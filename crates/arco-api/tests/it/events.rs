//! Events: pages, and streams that lose nothing and repeat nothing.

use arco_api::ApiSettings;
use arco_testkit::World;
use arco_wire::api::{Event, EventPage};
use reqwest::Method;
use serde_json::json;

use crate::host::FakeHost;
use crate::server::{Server, Setup, flights, send};
use crate::sse::{Frame, Sse};

/// A stream of events of the log.
struct Stream(Sse);

impl Stream {
    async fn open(server: &Server, query: &str, last: Option<&str>) -> Self {
        Self(Sse::open(server, &format!("events{query}"), last).await)
    }

    /// The next event.
    async fn event(&mut self) -> (String, Event) {
        let message = self.0.message().await.expect("the stream goes on");
        let event: Event = serde_json::from_value(message.data).expect("an event");
        let id = message.id.expect("an id");
        assert_eq!(
            (&id, &message.event),
            (&event.position.to_string(), &event.kind)
        );
        (id, event)
    }

    async fn events(&mut self, count: usize) -> Vec<String> {
        let mut out = Vec::new();
        for _ in 0..count {
            out.push(self.event().await.0);
        }
        out
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
    let mut stream = Stream::open(&server, "?from=1.0", None).await;
    let mut seen = stream.events(2).await;
    // Broken off again and again while the log grows, each time after a few events.
    for round in 0..6 {
        drop(stream);
        server
            .run(json!({"selection": "raw/flights", "tags": {"round": round.to_string()}}))
            .await;
        host.work_off(&server).await;
        stream = Stream::open(&server, "?from=1.0", seen.last().map(String::as_str)).await;
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
        let mut stream = Stream::open(&server, "", Some(position)).await;
        assert_eq!(stream.event().await.0, all[n + 1], "after {position}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stream_without_a_place_begins_at_the_end() {
    let server = Server::with_flights().await;
    let mut stream = Stream::open(&server, "?kind=run.", None).await;
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
    let mut stream = Stream::open(&server, "", None).await;
    assert!(matches!(stream.0.next().await, Some(Frame::Comment)));
    let metrics = server.get("/metrics").await;
    assert!(
        metrics.text.contains("arco_event_streams 1"),
        "{}",
        metrics.text
    );
    server.shutdown.cancel();
    while let Some(frame) = stream.0.next().await {
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
    let first = Stream::open(&server, "", None).await;
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
