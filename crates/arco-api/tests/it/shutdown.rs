//! An orderly end.

use std::time::Duration;

use arco_api::ApiSettings;
use arco_testkit::World;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::host::FakeHost;
use crate::server::{Server, Setup, flights};

#[tokio::test]
async fn a_long_poll_ends_with_the_server() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let body = host.next(json!([]), 1, 30_000);
    let (path, shutdown) = (host.path("exchange"), server.shutdown.clone());
    let polling = host.call(&server, &path, &body);
    let stopping = async {
        // The poll, and the request that looks.
        while !server
            .get("/metrics")
            .await
            .text
            .contains("arco_http_requests_in_flight 2")
        {
            tokio::task::yield_now().await;
        }
        shutdown.cancel();
    };
    let (reply, ()) = tokio::time::timeout(Duration::from_secs(10), async {
        tokio::join!(polling, stopping)
    })
    .await
    .expect("it ends long before the wait is over");
    assert_eq!(reply.code(), (503, "stopped".into()));
    server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_the_server_up() {
    let server = Server::start().await;
    server.get("/health").await.ok();
    let address = server.root.trim_start_matches("http://").to_owned();
    let _silent = TcpStream::connect(&address).await.expect("it listens");
    let stopped = tokio::time::timeout(Duration::from_secs(5), server.stop()).await;
    stopped.expect("it stops long before the grace is over");
    assert!(
        TcpStream::connect(&address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_request_that_never_ends_is_dropped_after_the_grace() {
    let setup = Setup {
        settings: ApiSettings {
            shutdown_grace_ms: 100,
            ..ApiSettings::default()
        },
        ..Setup::default()
    };
    let server = Server::in_world(World::new(), setup).await;
    let address = server.root.trim_start_matches("http://");
    let mut stuck = TcpStream::connect(address).await.expect("it listens");
    let head = "POST /api/v1/workspaces/default/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    stuck.write_all(head.as_bytes()).await.expect("it reads");
    server.get("/health").await.ok();
    let stopped = tokio::time::timeout(Duration::from_secs(5), server.stop()).await;
    stopped.expect("it stops long before the grace is over");
}
