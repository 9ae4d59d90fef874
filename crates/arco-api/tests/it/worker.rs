//! The worker protocol: repeats, long polls, refusals.

use std::time::Duration;

use arco_flow::Command;
use arco_wire::worker::Exchanged;
use reqwest::StatusCode;
use serde_json::json;

use crate::host::{FakeHost, success};
use crate::server::{Server, flights};

#[tokio::test]
async fn a_repeated_exchange_counts_once_and_answers_the_same() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    server.run(json!({"selection": "report"})).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    host.live.clear();
    let mut reports = success(&lease);
    reports.pop();
    let body = host.next(json!(reports), 1, 0);
    let path = host.path("exchange");
    let first: Exchanged = host.call(&server, &path, &body).await.read();
    let again: Exchanged = host.call(&server, &path, &body).await.read();
    assert_eq!(json!(first), json!(again));
    let made = server
        .get("assets/raw%2Fflights/materializations")
        .await
        .ok();
    assert_eq!(
        made["items"].as_array().map(Vec::len),
        Some(1),
        "said twice, counted once: {made}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_repeat_of_a_host_given_up_meanwhile_is_fenced() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    server.run(json!({"selection": "report"})).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    host.live.clear();
    let body = host.next(success(&lease).into(), 1, 0);
    let path = host.path("exchange");
    let answer: Exchanged = host.call(&server, &path, &body).await.read();
    assert_eq!(answer.leases.len(), 1, "the answer that is lost");
    let lost = Command::HostLost(host.id.parse().expect("an id"));
    let done = server.engine.submit("controller:hosts", "test", lost).await;
    done.expect("the leader may give a host up");
    let again = host.call(&server, &path, &body).await;
    assert_eq!(
        again.code(),
        (409, "fenced".into()),
        "no lease out of memory"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_lease_whose_answer_was_lost_is_given_again() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    let first = host.exchange(&server, json!([]), 1).await.leases;
    host.live.clear();
    let again = host.exchange(&server, json!([]), 1).await.leases;
    assert_eq!(first[0].attempt, again[0].attempt);
    assert_eq!(first[0].token, again[0].token);
    server.stop().await;
}

#[tokio::test]
async fn an_idle_host_waits_and_is_woken_by_work() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let body = host.next(json!([]), 1, 20_000);
    let (path, began) = (host.path("exchange"), std::time::Duration::from_secs(10));
    let polling = host.call(&server, &path, &body);
    let asking = server.run(json!({"selection": "raw/flights"}));
    let (reply, _) = tokio::time::timeout(began, async { tokio::join!(polling, asking) })
        .await
        .expect("woken long before the wait is over");
    let answer: Exchanged = reply.read();
    assert_eq!(answer.leases.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_wait_without_work_ends_empty() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let body = host.next(json!([]), 1, 50);
    let answer: Exchanged = host
        .call(&server, &host.path("exchange"), &body)
        .await
        .read();
    assert!(answer.leases.is_empty());
    assert_eq!(answer.lease_ttl_ms, 15_000);
    server.stop().await;
}

#[tokio::test]
async fn a_host_nobody_knows_is_told_to_register() {
    let server = Server::start().await;
    let mut host = FakeHost::new(&server);
    let body = host.next(json!([]), 1, 0);
    for (call, body) in [
        ("exchange", body),
        ("heartbeat", json!({"live": []})),
        ("leave", json!({})),
    ] {
        let reply = host.call(&server, &host.path(call), &body).await;
        assert_eq!(reply.code(), (404, "unknown_host".into()), "{call}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_host_that_left_is_gone_and_its_work_is_given_to_others() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    let first = host.exchange(&server, json!([]), 1).await.leases;
    let left = host.call(&server, &host.path("leave"), &json!({})).await;
    assert_eq!(left.status, StatusCode::NO_CONTENT);
    let mut other = FakeHost::register(&server, &flights().json()).await;
    let tried = other.exchange(&server, json!([]), 1).await;
    // Without a retry policy the task has failed with the host; with one it would be leased again.
    let run = server.get(&format!("runs/{}", first[0].run)).await.ok();
    assert!(
        tried.leases.len() == 1 || run["status"] == "failure",
        "{run}"
    );
    server.stop().await;
}

#[tokio::test]
async fn definitions_that_do_not_hold_together_are_refused_and_the_old_ones_stay() {
    let server = Server::start().await;
    let host = FakeHost::register(&server, &flights().json()).await;
    let cycle = arco_testkit::ManifestBuilder::new("flights")
        .asset(arco_testkit::asset("a").needs("b"))
        .asset(arco_testkit::asset("b").needs("a"));
    let reply = host.hello(&server, &cycle.json()).await;
    assert_eq!(reply.code(), (422, "bad_definitions".into()));
    assert!(
        reply.problem().detail.contains("a → b → a"),
        "{}",
        reply.text
    );
    assert_eq!(server.get("status").await.ok()["assets"], 4);
    server.stop().await;
}

#[tokio::test]
async fn a_restarted_server_takes_hosts_back() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    let world = server.world.clone();
    server.stop().await;

    let server = Server::in_world(world, crate::server::Setup::default()).await;
    let reply = host.hello(&server, &flights().json()).await.ok();
    assert_eq!(reply["kept"], json!([lease.attempt]));
    host.live.clear();
    host.exchange(&server, success(&lease).into(), 0).await;
    let run = server.get(&format!("runs/{run}")).await.ok();
    assert_eq!(run["status"], "success");
    server.stop().await;
}

#[tokio::test]
async fn a_hung_up_report_still_counts() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let lease = host.exchange(&server, json!([]), 1).await.leases.remove(0);
    host.live.clear();
    let body = host.next(success(&lease).into(), 0, 0);
    let path = host.path("exchange");
    // However early the first call is dropped, the repeat settles it, and it counts once.
    let _ = tokio::time::timeout(Duration::from_millis(1), host.call(&server, &path, &body)).await;
    let answer: Exchanged = host.call(&server, &path, &body).await.read();
    assert!(answer.refused.is_empty());
    let run = server.get(&format!("runs/{run}")).await.ok();
    assert_eq!(
        (&run["status"], &run["materializations"]),
        (&json!("success"), &json!(1))
    );
    server.stop().await;
}
