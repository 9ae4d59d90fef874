//! Output of attempts: uploaded under the attempt's token, read back in order.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::host::{FakeHost, finished};
use crate::server::{Reply, Server, flights, send};

pub(crate) async fn put(
    server: &Server,
    attempt: &str,
    stream: &str,
    chunk: u64,
    token: &str,
    bytes: Vec<u8>,
) -> Reply {
    let path = format!("worker/attempts/{attempt}/logs/{stream}/{chunk}");
    send(
        server
            .request(Method::PUT, &path)
            .bearer_auth(token)
            .body(bytes),
    )
    .await
}

#[tokio::test]
async fn output_is_read_back_while_it_grows() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    let (attempt, token) = (lease.attempt.to_string(), lease.token);
    for (chunk, text) in ["hello\n", "wörld\n"].iter().enumerate() {
        let done = put(
            &server,
            &attempt,
            "stdout",
            chunk as u64,
            &token,
            text.as_bytes().to_vec(),
        )
        .await;
        assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text);
    }
    let again = put(&server, &attempt, "stdout", 0, &token, b"hello\n".to_vec()).await;
    assert_eq!(
        again.status,
        StatusCode::NO_CONTENT,
        "the same chunk again is the same chunk"
    );
    let other = put(&server, &attempt, "stdout", 0, &token, b"other\n".to_vec()).await;
    assert_eq!(other.code(), (409, "object_conflict".into()));

    let logs = format!("runs/{run}/tasks/0/attempts/1/logs");
    let read = server.get(&format!("{logs}/stdout")).await;
    assert_eq!(read.text, "hello\nwörld\n");
    assert_eq!(
        (
            read.header("arco-next-chunk"),
            read.header("arco-log-complete")
        ),
        ("2", "false")
    );
    assert!(read.header("content-type").starts_with("text/plain"));
    assert_eq!(read.header("x-content-type-options"), "nosniff");
    let rest = server.get(&format!("{logs}/stdout?from_chunk=1")).await;
    assert_eq!(rest.text, "wörld\n");

    host.live.clear();
    host.exchange(
        &server,
        json!([finished(&attempt, json!({"status": "succeeded"}))]),
        0,
    )
    .await;
    let read = server.get(&format!("{logs}/stdout?from_chunk=2")).await;
    assert_eq!(
        (read.text.as_str(), read.header("arco-log-complete")),
        ("", "true")
    );
    let empty = server.get(&format!("{logs}/log")).await;
    assert_eq!((empty.status, empty.text.as_str()), (StatusCode::OK, ""));
    assert_eq!(empty.header("content-type"), "application/x-ndjson");
    for (path, code) in [
        (
            format!("runs/{run}/tasks/0/attempts/2/logs/stdout"),
            "unknown_attempt",
        ),
        (
            format!("runs/{run}/tasks/9/attempts/1/logs/stdout"),
            "unknown_task",
        ),
        (format!("{logs}/stdin"), "unknown_stream"),
    ] {
        assert_eq!(server.get(&path).await.code(), (404, code.into()));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_long_log_comes_in_bounded_pieces() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    let (attempt, token) = (lease.attempt.to_string(), lease.token);
    let mebibyte = vec![b'x'; 1024 * 1024];
    for chunk in 0..10 {
        let done = put(&server, &attempt, "stderr", chunk, &token, mebibyte.clone()).await;
        assert_eq!(done.status, StatusCode::NO_CONTENT);
    }
    let logs = format!("runs/{run}/tasks/0/attempts/1/logs/stderr");
    let first = server.get(&logs).await;
    assert_eq!(
        (first.text.len(), first.header("arco-next-chunk")),
        (8 * 1024 * 1024, "8")
    );
    let rest = server.get(&format!("{logs}?from_chunk=8")).await;
    assert_eq!(
        (rest.text.len(), rest.header("arco-next-chunk")),
        (2 * 1024 * 1024, "10")
    );
    server.stop().await;
}

#[tokio::test]
async fn an_upload_needs_the_token_of_its_attempt() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    server.run(json!({"selection": "report"})).await;
    let leases = host.exchange(&server, json!([]), 2).await.leases;
    let (mine, other) = (leases[0].attempt.to_string(), &leases[1].token);
    for token in ["", "nonsense", other.as_str()] {
        let refused = put(&server, &mine, "stdout", 0, token, b"x".to_vec()).await;
        assert_eq!(
            refused.code(),
            (401, "bad_attempt_token".into()),
            "`{token}`"
        );
    }
    let bad = put(&server, &mine, "stdin", 0, &leases[0].token, b"x".to_vec()).await;
    assert_eq!(bad.code(), (404, "unknown_stream".into()));
    server.stop().await;
}
