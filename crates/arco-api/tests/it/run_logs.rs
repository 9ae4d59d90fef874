//! What a run writes, followed as it comes.

use std::time::Duration;

use arco_api::ApiSettings;
use arco_core::AttemptId;
use arco_testkit::{ManifestBuilder, World, asset};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::host::{FakeHost, failure, success};
use crate::logs::put;
use crate::server::{Server, Setup, flights, send};
use crate::sse::Sse;
use arco_wire::worker::Lease;

/// What a host uploads of one attempt.
struct Output<'a> {
    server: &'a Server,
    attempt: String,
    token: String,
    next: [u64; 3],
}

impl<'a> Output<'a> {
    fn of(server: &'a Server, lease: &Lease) -> Self {
        Self {
            server,
            attempt: lease.attempt.to_string(),
            token: lease.token.clone(),
            next: [0; 3],
        }
    }

    async fn chunk(&mut self, stream: &str, bytes: impl Into<Vec<u8>>) {
        let at = ["stdout", "stderr", "log"]
            .iter()
            .position(|s| *s == stream);
        let next = &mut self.next[at.expect("a stream")];
        let (attempt, token) = (&self.attempt, &self.token);
        let done = put(self.server, attempt, stream, *next, token, bytes.into()).await;
        assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text);
        *next += 1;
    }
}

/// `attempt stream text` of an output, `event …` of what is none.
fn shown(event: &str, data: &Value) -> String {
    let number = |name: &str| data[name].as_u64().unwrap_or_default();
    match event {
        "output" => format!(
            "{}.{} {} {}",
            number("task"),
            number("attempt"),
            data["stream"].as_str().expect("a stream"),
            data["line"]
                .as_str()
                .map_or_else(|| data["record"].to_string(), str::to_owned)
        ),
        "attempt" => format!(
            "attempt {}.{} {}",
            number("task"),
            number("attempt"),
            data["status"].as_str().expect("a status")
        ),
        "end" => format!("end {}", data["status"].as_str().expect("a status")),
        "lost" => format!("lost {}", number("chunks")),
        "skipped" => format!("skipped {}", number("attempts")),
        other => panic!("{other}"),
    }
}

async fn next(stream: &mut Sse) -> String {
    let message = stream.message().await.expect("the stream goes on");
    shown(&message.event, &message.data)
}

/// Everything up to the end of the stream.
async fn rest(stream: &mut Sse) -> Vec<String> {
    let mut out = Vec::new();
    while let Some(message) = stream.message().await {
        out.push(shown(&message.event, &message.data));
    }
    out
}

async fn finish(host: &mut FakeHost, server: &Server, facts: Vec<Value>, lease: &Lease) {
    host.live.retain(|live| *live != lease.attempt.to_string());
    host.exchange(server, json!(facts), 0).await;
}

#[tokio::test]
async fn lines_come_as_they_are_uploaded_and_the_stream_ends_with_the_run() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    // Before there is an attempt.
    let mut stream = Sse::open(&server, &format!("runs/{run}/logs"), None).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    let mut output = Output::of(&server, &lease);
    output.chunk("stdout", "first\nsec").await;
    assert_eq!(next(&mut stream).await, "0.1 stdout first");
    output.chunk("stdout", "ond\n").await;
    assert_eq!(next(&mut stream).await, "0.1 stdout second");
    output.chunk("stderr", "oops\n").await;
    let message = stream.message().await.unwrap();
    assert_eq!(
        message.data,
        json!({"task": 0, "step": "raw__flights", "attempt": 1, "stream": "stderr", "line": "oops"})
    );
    assert!(message.id.is_some(), "the last line of a chunk has an id");
    output
        .chunk("log", "{\"message\":\"hi\"}\nno record\n")
        .await;
    assert_eq!(next(&mut stream).await, "0.1 log {\"message\":\"hi\"}");
    assert_eq!(next(&mut stream).await, "0.1 log no record");
    // After its end a host goes on uploading.
    finish(&mut host, &server, success(&lease), &lease).await;
    output.chunk("stdout", "late, and without an end").await;
    assert_eq!(
        rest(&mut stream).await,
        [
            "0.1 stdout late, and without an end",
            "attempt 0.1 succeeded",
            "end success"
        ]
    );
    server.stop().await;
}

#[tokio::test]
async fn attempts_that_begin_later_join() {
    let server = Server::start().await;
    let project = ManifestBuilder::new("retried")
        .asset(asset("a").retries(1, 0))
        .asset(asset("b").needs("a"));
    let mut host = FakeHost::register(&server, &project.json()).await;
    let run = server.run(json!({"selection": "*"})).await;
    let path = format!("runs/{run}/logs");
    let mut stream = Sse::open(&server, &path, None).await;
    let mut only = Sse::open(&server, &format!("{path}?step=b&stream=stderr"), None).await;
    let mut first = Sse::open(&server, &format!("{path}?task=0&stream=stdout"), None).await;
    let mut expected = Vec::new();
    for n in 1..=3 {
        let leases = host.exchange(&server, json!([]), 1).await.leases;
        let lease = leases.first().expect("work");
        let mut output = Output::of(&server, lease);
        output.chunk("stdout", format!("out {n}\n")).await;
        let name = lease.attempt.to_string();
        let name = name.split_once('.').unwrap().1.to_owned();
        let line = format!("{name} stdout out {n}");
        assert_eq!(next(&mut stream).await, line);
        output.chunk("stderr", format!("err {n}\n")).await;
        assert_eq!(next(&mut stream).await, format!("{name} stderr err {n}"));
        let facts = if n == 1 {
            failure(lease)
        } else {
            success(lease)
        };
        finish(&mut host, &server, facts, lease).await;
        let ended = if n == 1 { "failed" } else { "succeeded" };
        let ended = format!("attempt {name} {ended}");
        assert_eq!(next(&mut stream).await, ended);
        expected.extend([line, ended]);
    }
    assert_eq!(rest(&mut stream).await, ["end success"]);
    expected.truncate(4);
    assert_eq!(expected[2], "0.2 stdout out 2");
    let mut ends = rest(&mut first).await;
    assert!(
        ends.pop().unwrap().starts_with("end "),
        "ends with the task"
    );
    assert_eq!(ends, expected);
    assert_eq!(
        rest(&mut only).await,
        ["1.1 stderr err 3", "attempt 1.1 succeeded", "end success"]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_stream_goes_on_where_it_broke_off() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let path = format!("runs/{run}/logs");
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    let mut output = Output::of(&server, &lease);
    let mut last: Option<String> = None;
    let (mut seen, mut wrote) = (Vec::new(), Vec::new());
    for n in 0..6 {
        // A chunk ends in the middle of a line.
        let text = format!("line {n}\nand {n}");
        output.chunk("stdout", text).await;
        output.chunk("stdout", " still\n").await;
        wrote.push(format!("0.1 stdout line {n}"));
        wrote.push(format!("0.1 stdout and {n} still"));
        // Broken off after one of the two that came, then after two.
        let mut stream = Sse::open(&server, &path, last.as_deref()).await;
        seen.push(next(&mut stream).await);
        if n % 2 == 1 {
            seen.push(next(&mut stream).await);
        }
        last = stream.last_id;
    }
    finish(&mut host, &server, success(&lease), &lease).await;
    // A server that comes up again knows the ids of the one before.
    let (world, engine) = (server.world.clone(), server.engine.clone());
    server.shutdown.cancel();
    let again = Server::over(world, engine, Setup::default()).await;
    let mut stream = Sse::open(&again, &path, last.as_deref()).await;
    seen.extend(rest(&mut stream).await);
    wrote.extend(["attempt 0.1 succeeded".into(), "end success".into()]);
    assert_eq!(seen, wrote, "nothing lost, nothing twice");
    let mut ended = Sse::open(&again, &path, stream.last_id.as_deref()).await;
    assert_eq!(rest(&mut ended).await, ["end success"]);
    again.stop().await;
}

#[tokio::test]
async fn a_slow_client_gets_everything_and_holds_up_nobody() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let path = format!("runs/{run}/logs");
    let mut slow = Sse::open(&server, &path, None).await;
    let mut quick = Sse::open(&server, &path, None).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    let mut output = Output::of(&server, &lease);
    // More chunks than are announced to one that does not listen, more bytes than sockets hold.
    let mut wrote = Vec::new();
    for n in 0..1_100 {
        let line = format!("{n} {}", "x".repeat(8_000));
        output.chunk("stdout", format!("{line}\n")).await;
        assert_eq!(
            next(&mut quick).await.split(' ').nth(2),
            Some(n.to_string().as_str())
        );
        wrote.push(format!("0.1 stdout {line}"));
    }
    finish(&mut host, &server, success(&lease), &lease).await;
    wrote.extend(["attempt 0.1 succeeded".into(), "end success".into()]);
    assert!(
        rest(&mut slow).await == wrote,
        "everything once and in order"
    );
    assert_eq!(rest(&mut quick).await.len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn uploads_through_another_server_are_found() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let mut stream = Sse::open(&server, &format!("runs/{run}/logs"), None).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    let elsewhere = async |chunk, text: &'static str| {
        let attempt: AttemptId = lease.attempt;
        let bytes = bytes::Bytes::from_static(text.as_bytes());
        let put = server
            .engine
            .put_attempt_log(attempt, "stderr", chunk, bytes);
        put.await.expect("stored");
    };
    elsewhere(0, "one\n").await;
    assert_eq!(next(&mut stream).await, "0.1 stderr one");
    elsewhere(1, "two\n").await;
    finish(&mut host, &server, success(&lease), &lease).await;
    assert_eq!(
        rest(&mut stream).await,
        ["0.1 stderr two", "attempt 0.1 succeeded", "end success"]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_chunk_that_never_came_is_said_to_be_lost() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let mut stream = Sse::open(&server, &format!("runs/{run}/logs"), None).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    let mut output = Output::of(&server, &lease);
    output.chunk("stdout", "whole\nhalf").await;
    assert_eq!(next(&mut stream).await, "0.1 stdout whole");
    output.next[0] += 2;
    output.chunk("stdout", "after\n").await;
    for expected in ["0.1 stdout half", "lost 2", "0.1 stdout after"] {
        assert_eq!(next(&mut stream).await, expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn of_a_run_that_is_over_the_last_attempts_are_shown() {
    let server = Server::start().await;
    let project = ManifestBuilder::new("days").asset(asset("day").daily("2025-06-01"));
    let mut host = FakeHost::register(&server, &project.json()).await;
    let body = json!({"selection": "day", "partitions": {"keys": ["2025-06-01...2025-12-27"]}});
    let run = server.run(body).await;
    let done = host.work_off(&server).await;
    assert_eq!(done.len(), 210);
    for lease in &done {
        let text = format!("{}\n", lease.attempt);
        Output::of(&server, lease).chunk("stdout", text).await;
    }
    server.world.clock.advance(Duration::from_secs(60));
    let mut stream = Sse::open(&server, &format!("runs/{run}/logs"), None).await;
    let all = rest(&mut stream).await;
    assert_eq!(all.first().unwrap(), "skipped 10");
    assert_eq!(all.last().unwrap(), "end success");
    let lines = all.iter().filter(|line| line.contains(" stdout "));
    assert_eq!(lines.count(), 200);
    assert_eq!(all.len(), 1 + 200 + 200 + 1);
    let one = format!("runs/{run}/logs?step=day&partition=2025-06-03");
    let one = rest(&mut Sse::open(&server, &one, None).await).await;
    assert_eq!(one[1..], ["attempt 2.1 succeeded", "end success"]);
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    host.exchange(&server, json!([]), 1).await;
    let logs = format!("runs/{run}/logs");
    for (query, status, code) in [
        ("?task=9", 404, "unknown_task"),
        ("?task=0&attempt=2", 404, "unknown_attempt"),
        ("?step=report", 404, "unknown_task"),
        ("?step=raw__flights&partition=x", 404, "unknown_task"),
        ("?stream=stdin", 404, "unknown_stream"),
        ("?attempt=1", 400, "invalid_query"),
        ("?partition=1", 400, "invalid_query"),
        ("?mapping_key=k", 400, "invalid_query"),
        ("?step=raw__flights&mapping_key=k", 404, "unknown_task"),
        ("?tasks=1", 400, "invalid_query"),
    ] {
        let reply = server.get(&format!("{logs}{query}")).await;
        assert_eq!(reply.code(), (status, code.into()), "{query}");
    }
    for (id, code) in [
        ("x", (400, "invalid_header".to_owned())),
        ("1_99999.0", (503, "position_not_reached".to_owned())),
    ] {
        let request = server
            .request(Method::GET, &logs)
            .header("last-event-id", id);
        assert_eq!(send(request).await.code(), code, "{id}");
    }
    server.stop().await;
}

#[tokio::test]
async fn streams_of_output_beat_are_bounded_and_end_with_the_server() {
    let setup = Setup {
        settings: ApiSettings {
            streams_max: 1,
            stream_heartbeat_ms: 20,
            ..ApiSettings::default()
        },
        ..Setup::default()
    };
    let server = Server::in_world(World::new(), setup).await;
    arco_testkit::world::deploy(&server.engine, &flights()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let path = format!("runs/{run}/logs");
    let mut stream = Sse::open(&server, &path, None).await;
    assert!(matches!(
        stream.next().await,
        Some(crate::sse::Frame::Comment)
    ));
    assert_eq!(
        server.get(&path).await.code(),
        (503, "too_many_streams".into())
    );
    server.shutdown.cancel();
    assert!(stream.message().await.is_none());
    server.stop().await;
}
