//! Foreign pages and rebound names, against a real socket.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::{Server, send};

#[tokio::test]
async fn a_foreign_page_may_not_ask() {
    let server = Server::with_flights().await;
    for (method, path) in [
        (Method::POST, "runs"),
        (Method::GET, "runs"),
        (Method::GET, "/health"),
        (Method::OPTIONS, "runs"),
        (Method::POST, "worker/hosts"),
    ] {
        let request = server
            .request(method.clone(), path)
            .header("origin", "https://evil.example");
        let reply = send(request.json(&json!({"selection": "raw/flights"}))).await;
        assert_eq!(
            reply.code(),
            (403, "foreign_origin".into()),
            "{method} {path}"
        );
        assert!(reply.header("access-control-allow-origin").is_empty());
    }
    assert_eq!(server.all("runs", 10).await.len(), 0, "nothing was started");
    server.stop().await;
}

#[tokio::test]
async fn our_own_page_may_ask() {
    let server = Server::with_flights().await;
    let request = server
        .request(Method::POST, "runs")
        .header("origin", &server.root);
    assert_eq!(
        send(request.json(&json!({"selection": "raw/flights"})))
            .await
            .status,
        201
    );
    server.stop().await;
}

#[tokio::test]
async fn a_picture_of_another_site_is_no_way_in() {
    let server = Server::start().await;
    let request = server
        .request(Method::GET, "runs")
        .header("sec-fetch-site", "cross-site");
    assert_eq!(send(request).await.code(), (403, "foreign_origin".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_rebound_name_is_refused() {
    let server = Server::start().await;
    let reply = send(
        server
            .request(Method::GET, "runs")
            .header("host", "evil.example"),
    )
    .await;
    assert_eq!(reply.code(), (403, "foreign_host".into()));
    assert!(
        reply
            .problem()
            .hints
            .iter()
            .any(|hint| hint.contains("localhost"))
    );
    server.stop().await;
}

/// What comes back for bytes that no client library would send.
async fn raw(server: &Server, request: &str) -> String {
    let address = server.root.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    let server = Server::start().await;
    let answer = raw(&server, "GET /health HTTP/1.0\r\n\r\n").await;
    assert!(
        answer.contains("403") && answer.contains("foreign_host"),
        "{answer}"
    );
    server.stop().await;
}

#[tokio::test]
async fn an_absolute_target_names_the_host() {
    let server = Server::start().await;
    let request =
        "GET http://evil.example/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = raw(&server, request).await;
    assert!(
        answer.contains("403") && answer.contains("foreign_host"),
        "{answer}"
    );
    server.stop().await;
}
