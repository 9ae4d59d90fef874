//! Reading one's own writes.

use std::time::Duration;

use arco_api::ApiSettings;
use arco_testkit::World;
use reqwest::Method;
use serde_json::json;

use crate::server::{Server, Setup, send};

#[tokio::test]
async fn reads_say_their_position_and_may_ask_for_one() {
    let server = Server::with_flights().await;
    let made = server
        .post("runs", &json!({"selection": "raw/flights"}))
        .await;
    let position = made.header("arco-position").to_owned();
    let read = send(
        server
            .request(Method::GET, "runs")
            .header("arco-min-position", &position),
    )
    .await;
    assert_eq!(read.ok()["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(read.header("arco-position"), position);
    let bad = send(
        server
            .request(Method::GET, "runs")
            .header("arco-min-position", "soon"),
    )
    .await;
    assert_eq!(bad.code(), (400, "invalid_header".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_position_that_is_not_reached_is_refused_after_a_while() {
    let setup = Setup {
        settings: ApiSettings {
            min_position_wait_ms: 50,
            ..ApiSettings::default()
        },
        ..Setup::default()
    };
    let server = Server::in_world(World::new(), setup).await;
    let read = send(
        server
            .request(Method::GET, "runs")
            .header("arco-min-position", "99999.0"),
    )
    .await;
    assert_eq!(read.code(), (503, "position_not_reached".into()));
    assert_eq!(read.header("retry-after"), "1");
    server.stop().await;
}

#[tokio::test]
async fn a_read_waits_for_the_commit_it_asks_for() {
    let server = Server::with_flights().await;
    let next = server.engine.view().position().segment + 1;
    let waiting = send(
        server
            .request(Method::GET, "runs")
            .header("arco-min-position", format!("{next}.0")),
    );
    let waiting = tokio::spawn(waiting);
    server.run(json!({"selection": "raw/flights"})).await;
    let read = waiting.await.expect("no panic").ok();
    assert_eq!(read["items"].as_array().map(Vec::len), Some(1));
    server.stop().await;
}

#[tokio::test]
async fn another_replica_answers_what_was_written_through_the_first() {
    let world = World::new();
    let first = Server::in_world(world.clone(), Setup::default()).await;
    arco_testkit::world::deploy(&first.engine, &crate::server::flights()).await;
    let other = world.engine_named("two").await;
    let second = Server::over(world, other, Setup::default()).await;
    let made = first
        .post("runs", &json!({"selection": "raw/flights"}))
        .await;
    let run = made.value()["run"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let asked = second
        .request(Method::GET, &format!("runs/{run}"))
        .header("arco-min-position", made.header("arco-position"))
        .timeout(Duration::from_secs(10));
    assert_eq!(send(asked).await.ok()["status"], "queued");

    let host = crate::host::FakeHost::new(&second);
    let refused = host.hello(&second, &crate::server::flights().json()).await;
    assert_eq!(refused.code(), (503, "not_leader".into()));
    assert_eq!(refused.header("arco-leader"), "http://one");
    second.stop().await;
    first.stop().await;
}
