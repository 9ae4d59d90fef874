//! Gate M1 from outside: execution invariants, run identity and selection, through HTTP, with a real
//! server on an engine on a store in memory.
//!
//! `cargo test -p arco-api --test orchestration_parity_gates_m1`
//!
//! The four that must not be got round come first. `docs/parity/bite` holds a mutation for each that
//! must make it fail.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arco_flow::Command;
use arco_testkit::random::Random;
use arco_testkit::{ManifestBuilder, World, asset};
use arco_wire::worker::{Exchanged, Lease};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::gates::delivery::{Delivery, again, lease, say};
use crate::gates::graph::{Assets, name};
use crate::gates::{meaning, partition, seeds, without_late_words};
use crate::host::{FakeHost, failure, finished, success};
use crate::server::{Server, Setup, flights, send};

mod gates;
#[allow(dead_code, reason = "shared with the API's other tests")]
#[path = "it/host.rs"]
mod host;
#[allow(dead_code, reason = "shared with the API's other tests")]
#[path = "it/server.rs"]
mod server;

/// Materializations per asset.
async fn made(server: &Server) -> BTreeMap<String, u64> {
    let rows = server.all("assets", 100).await;
    let count = |row: &Value| row["materializations"].as_u64().expect("a number");
    let key = |row: &Value| row["key"].as_str().expect("a key").to_owned();
    rows.iter().map(|row| (key(row), count(row))).collect()
}

/// SEL-01. What was selected runs, once per partition; nothing downstream of it ever does, also not
/// what was made before and has new inputs now.
#[tokio::test]
async fn selecting_an_asset_never_runs_its_downstream() {
    for seed in seeds(12) {
        let mut random = Random::new(seed);
        let assets = Assets::random(&mut random);
        let server = Server::start().await;
        let mut host = FakeHost::register(&server, &assets.manifest().json()).await;
        let some = assets.some(&mut random);
        let one = assets
            .all()
            .into_iter()
            .map(|asset| BTreeSet::from([asset]));
        for chosen in [assets.all()].into_iter().chain(one).chain([some]) {
            let before = made(&server).await;
            let run = server.run(assets.request(&chosen)).await;
            let done = host.work_off(&server).await;
            let mut steps: Vec<String> = done.iter().map(|lease| lease.step.clone()).collect();
            steps.sort();
            assert_eq!(
                steps,
                assets.due(&chosen),
                "seed {seed}, selecting {chosen:?}"
            );
            let status = server.get(&format!("runs/{run}")).await.ok()["status"].clone();
            assert_eq!(status, "success");
            for (asset, count) in made(&server).await {
                let selected = chosen.iter().any(|n| name(*n) == asset);
                assert_eq!(count > before[&asset], selected, "seed {seed}: `{asset}`");
            }
        }
        server.stop().await;
    }
}

/// Bodies that differ in what counts.
fn bodies() -> [Value; 5] {
    [
        json!({"selection": "raw/flights"}),
        json!({"selection": ["raw/flights", "report"]}),
        json!({"selection": "raw/flights", "config": {"ops": {"raw__flights": {"config": {"rows": 1}}}}}),
        json!({"selection": "raw/flights", "tags": {"team": "core"}}),
        json!({"selection": "daily", "partitions": {"keys": ["2026-01-01"]}}),
    ]
}

fn keyed(body: &Value, key: &str) -> Value {
    let mut body = body.clone();
    body["run_key"] = json!(key);
    body
}

/// The first request under the key again is the same run, any other a conflict that names it.
async fn stands(server: &Server, first: &Value, run: &str) {
    for body in bodies() {
        let reply = server.post("runs", &keyed(&body, "nightly")).await;
        if body == *first {
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
            let made = reply.value();
            assert_eq!(
                (&made["run"]["id"], &made["created"]),
                (&json!(run), &json!(false))
            );
        } else {
            assert_eq!(reply.code(), (409, "run_key_conflict".into()));
            let detail = reply.problem().detail;
            assert!(detail.contains(run), "{detail}");
        }
    }
    let found = server.all("runs?run_key=nightly", 10).await;
    assert_eq!(found.len(), 1, "{found:?}");
}

/// KEY-01. Whatever became of the run, whatever was deployed since, and whichever server is asked.
#[tokio::test]
async fn one_run_key_never_makes_two_runs() {
    for (n, first) in bodies().iter().enumerate() {
        let server = Server::start().await;
        let mut host = FakeHost::register(&server, &flights().json()).await;
        let run = server.run(keyed(first, "nightly")).await;
        stands(&server, first, &run).await;
        let lease = lease(&server, &mut host).await;
        stands(&server, first, &run).await;
        match n % 3 {
            0 => {
                say(&server, &mut host, success(&lease), true).await;
                host.work_off(&server).await;
            }
            1 => {
                say(&server, &mut host, failure(&lease), true).await;
                host.work_off(&server).await;
            }
            _ => {
                server
                    .post(&format!("runs/{run}/cancel"), &json!({}))
                    .await
                    .ok();
                let ended = finished(&lease.attempt.to_string(), json!({"status": "cancelled"}));
                say(&server, &mut host, vec![ended], true).await;
            }
        }
        stands(&server, first, &run).await;
        let changed = flights().asset(asset("another"));
        host.hello(&server, &changed.json()).await.ok();
        stands(&server, first, &run).await;

        let world = server.world.clone();
        server.stop().await;
        let server = Server::in_world(world, Setup::default()).await;
        stands(&server, first, &run).await;
        server.stop().await;
    }
}

#[tokio::test]
async fn requests_at_once_to_two_servers_make_one_run_per_key() {
    let one = Server::with_flights().await;
    let engine = one.world.engine_named("two").await;
    let two = Server::over(one.world.clone(), engine, Setup::default()).await;
    two.engine.catch_up().await.expect("it follows");
    let calls = (0..40).map(|n| {
        let server = if n % 2 == 0 { &one } else { &two };
        let body = json!({"selection": "raw/flights", "run_key": format!("key {}", n / 8)});
        async move { server.post("runs", &body).await }
    });
    let replies = futures::future::join_all(calls).await;
    for eight in replies.chunks(8) {
        let made = eight
            .iter()
            .filter(|reply| reply.status == StatusCode::CREATED);
        assert_eq!(made.count(), 1);
        let ids: BTreeSet<String> = eight
            .iter()
            .map(|reply| reply.value()["run"]["id"].to_string())
            .collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
    two.engine.catch_up().await.expect("it follows");
    assert_eq!(two.all("runs", 100).await.len(), 5);
    two.stop().await;
    one.stop().await;
}

#[tokio::test]
async fn of_different_requests_at_once_under_a_key_one_is_made() {
    let server = Server::with_flights().await;
    let bodies = bodies();
    let calls = (0..20).map(|n| {
        let body = keyed(&bodies[n % bodies.len()], "nightly");
        let server = &server;
        async move { server.post("runs", &body).await }
    });
    let replies = futures::future::join_all(calls).await;
    let with = |status| {
        replies
            .iter()
            .filter(|reply| reply.status == status)
            .count()
    };
    let counts = [StatusCode::CREATED, StatusCode::OK, StatusCode::CONFLICT].map(with);
    assert_eq!(counts, [1, 3, 16]);
    assert_eq!(server.all("runs", 100).await.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_request_whose_caller_hung_up_is_made_once() {
    let server = Server::with_flights().await;
    let body = keyed(&bodies()[0], "nightly");
    for patience in 0..8 {
        let call = server.post("runs", &body);
        // However early the call is dropped; the repeats settle it.
        let _ = tokio::time::timeout(Duration::from_micros(patience * 300), call).await;
    }
    let run = server.post("runs", &body).await.value()["run"]["id"].clone();
    let runs = server.all("runs", 10).await;
    assert_eq!(
        runs.iter().map(|run| &run["id"]).collect::<Vec<_>>(),
        [&run]
    );
    server.stop().await;
}

/// Sends everything again, each as the call it was and as a call of its own; nothing may change.
async fn repeat_all(server: &Server, sent: &[Delivery], seq: &mut u64) {
    let before = meaning(server);
    let held = before["hosts"].to_string();
    for delivery in sent {
        for number in [None, Some(*seq)] {
            let reply = again(server, delivery, number).await;
            let gone = reply.status != StatusCode::OK;
            if gone {
                let (_, code) = reply.code();
                assert!(["fenced", "unknown_host"].contains(&&*code), "{code}");
            } else {
                // What it holds by now and did not name then is given again; nothing new is.
                for lease in reply.read::<Exchanged>().leases {
                    assert!(held.contains(&lease.attempt.to_string()), "{lease:?}");
                }
            }
            assert_eq!(meaning(server), before, "{delivery:?} as {number:?}");
        }
        *seq += 1;
    }
}

/// One asset that is tried again, and one that reads it.
fn retried() -> ManifestBuilder {
    ManifestBuilder::new("main")
        .asset(asset("a").retries(2, 1_000))
        .asset(asset("b").needs("a"))
}

/// OPS-01. All deliveries of two runs (a body that begins, makes, ends; a try that fails and the next;
/// a host that is given up), each again after every later one, late ones of older attempts too.
#[tokio::test]
async fn a_repeated_or_reordered_report_changes_nothing() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &retried().json()).await;
    let mut sent: Vec<Delivery> = Vec::new();
    let mut seq = 1_000;
    let run = server.run(json!({"selection": "*"})).await;

    let first = lease(&server, &mut host).await;
    sent.push(say(&server, &mut host, failure(&first), true).await);
    repeat_all(&server, &sent, &mut seq).await;
    server.world.clock.advance(Duration::from_secs(2));
    let second = lease(&server, &mut host).await;
    assert_eq!((second.task, second.number), (first.task, 2));
    repeat_all(&server, &sent, &mut seq).await;
    for (nth, word) in success(&second).into_iter().enumerate() {
        let over = nth == 2;
        sent.push(say(&server, &mut host, vec![word], over).await);
        repeat_all(&server, &sent, &mut seq).await;
    }
    let third = lease(&server, &mut host).await;
    sent.push(say(&server, &mut host, success(&third), true).await);
    repeat_all(&server, &sent, &mut seq).await;
    assert_eq!(
        server.get(&format!("runs/{run}")).await.ok()["status"],
        "success"
    );

    // The next run begins on a host that is given up; what it says then is late.
    let run = server.run(json!({"selection": "a"})).await;
    let begun = lease(&server, &mut host).await;
    let started = json!({"attempt": begun.attempt, "fact": "started"});
    sent.push(say(&server, &mut host, vec![started], false).await);
    repeat_all(&server, &sent, &mut seq).await;
    give_up(&server, &host).await;
    let late = host.next(json!(success(&begun)), 0, 0);
    let late = Delivery {
        host: host.id.clone(),
        body: late,
    };
    // Heard for the first time it is noted beside its attempt; nothing else changes, and then nothing.
    let before = meaning(&server);
    let refused = again(&server, &late, None).await;
    assert_eq!(refused.code().1, "fenced");
    assert_ne!(meaning(&server), before);
    assert_eq!(without_late_words(meaning(&server)), before);
    sent.push(late);
    repeat_all(&server, &sent, &mut seq).await;
    let mut other = FakeHost::register(&server, &retried().json()).await;
    let next = lease(&server, &mut other).await;
    assert_eq!((next.run, next.number), (begun.run, 2));
    repeat_all(&server, &sent, &mut seq).await;
    sent.push(say(&server, &mut other, success(&next), true).await);
    repeat_all(&server, &sent, &mut seq).await;
    let shown = server.get(&format!("runs/{run}")).await.ok();
    assert_eq!(
        (&shown["status"], &shown["materializations"]),
        (&json!("success"), &json!(1))
    );

    // A server that starts over has forgotten which calls it has answered.
    let world = server.world.clone();
    server.stop().await;
    let server = Server::in_world(world, Setup::default()).await;
    repeat_all(&server, &sent, &mut seq).await;
    server.stop().await;
}

async fn give_up(server: &Server, host: &FakeHost) {
    let lost = Command::HostLost(host.id.parse().expect("an id"));
    let done = server.engine.submit("controller:hosts", "test", lost).await;
    done.expect("the leader may give a host up");
}

/// A good materialization of one day of an asset, and of one that has no days.
fn kept() -> ManifestBuilder {
    ManifestBuilder::new("main")
        .asset(asset("day").daily("2026-01-01").retries(1, 1_000))
        .asset(asset("plain").retries(1, 1_000))
}

async fn ask(server: &Server, asset: &str) -> String {
    let body = match asset {
        "day" => json!({"selection": "day", "partitions": {"keys": ["2026-01-02"]}}),
        _ => json!({"selection": asset}),
    };
    server.run(body).await
}

/// What is shown of an asset: its status word and its last materialization.
async fn shown(server: &Server, asset: &str) -> (String, Value) {
    let row = match asset {
        "day" => partition(server, "day", "2026-01-02").await,
        _ => server.get(&format!("assets/{asset}")).await.ok(),
    };
    let status = row["status"].as_str().expect("a status").to_owned();
    (status, row["latest"].clone())
}

/// STA-01. Failed retries, failed runs, cancelled ones and lost hosts come after a good
/// materialization: the status says how the last try went, and the good one stays to be seen.
#[tokio::test]
async fn a_failure_never_hides_a_good_materialization() {
    for asset in ["day", "plain"] {
        let server = Server::start().await;
        let mut host = FakeHost::register(&server, &kept().json()).await;
        assert_eq!(
            shown(&server, asset).await,
            ("never_materialized".into(), Value::Null)
        );
        let run = ask(&server, asset).await;
        host.work_off(&server).await;
        let (status, good) = shown(&server, asset).await;
        assert_eq!(
            (status.as_str(), &good["run"]),
            ("materialized", &json!(run))
        );
        let still = async |expected: &str, good: &Value| {
            let (status, latest) = shown(&server, asset).await;
            assert_eq!((status.as_str(), &latest), (expected, good), "{asset}");
            let path = format!("assets/{asset}/materializations");
            let rows = server.all(&path, 10).await;
            assert_eq!(rows[0]["position"], good["position"], "{asset}");
        };

        // A try that fails, and its retry.
        ask(&server, asset).await;
        still("in_progress", &good).await;
        for _ in 0..2 {
            let lease = lease(&server, &mut host).await;
            still("in_progress", &good).await;
            say(&server, &mut host, failure(&lease), true).await;
            server.world.clock.advance(Duration::from_secs(2));
        }
        still("failed", &good).await;

        // A run that is stopped says nothing of the partition.
        let run = ask(&server, asset).await;
        let stopped = lease(&server, &mut host).await;
        server
            .post(&format!("runs/{run}/cancel"), &json!({}))
            .await
            .ok();
        let ended = finished(&stopped.attempt.to_string(), json!({"status": "cancelled"}));
        say(&server, &mut host, vec![ended], true).await;
        still("failed", &good).await;

        // A host that is given up.
        ask(&server, asset).await;
        lease(&server, &mut host).await;
        give_up(&server, &host).await;
        still("in_progress", &good).await;

        // And a good one takes its place.
        let mut host = FakeHost::register(&server, &kept().json()).await;
        host.work_off(&server).await;
        let (status, newer) = shown(&server, asset).await;
        assert_eq!(status, "materialized");
        assert_ne!(newer["position"], good["position"]);

        // What was made before its attempt failed was made.
        let run = ask(&server, asset).await;
        for _ in 0..2 {
            let lease = lease(&server, &mut host).await;
            let mut said = success(&lease);
            said.pop();
            said.extend(failure(&lease).pop());
            say(&server, &mut host, said, true).await;
            server.world.clock.advance(Duration::from_secs(2));
        }
        let (status, last) = shown(&server, asset).await;
        assert_eq!(
            (status.as_str(), &last["run"]),
            ("materialized", &json!(run))
        );
        let run = server.get(&format!("runs/{run}")).await.ok();
        assert_eq!(run["status"], "failure");
        server.stop().await;
    }
}

#[tokio::test]
async fn no_two_hosts_hold_one_task() {
    let server = Server::start().await;
    let manifest = flights().json();
    let mut hosts = Vec::new();
    for _ in 0..4 {
        hosts.push(FakeHost::register(&server, &manifest).await);
    }
    let keys = json!({"keys": ["2025-12-01...2026-01-04"]});
    server
        .run(json!({"selection": ["raw/flights", "daily", "report"], "partitions": keys}))
        .await;
    let mut held: Vec<Vec<Lease>> = vec![Vec::new(); hosts.len()];
    let mut tasks: BTreeSet<(String, u32)> = BTreeSet::new();
    loop {
        // All report at once what they have done and ask for more.
        let calls = hosts.iter_mut().zip(&held).map(|(host, leases)| {
            let reports: Vec<Value> = leases.iter().flat_map(success).collect();
            host.live.clear();
            host.exchange(&server, json!(reports), 3)
        });
        let answers = futures::future::join_all(calls).await;
        held = answers.into_iter().map(|answer| answer.leases).collect();
        if held.iter().all(Vec::is_empty) {
            break;
        }
        for lease in held.iter().flatten() {
            assert_eq!(lease.number, 1);
            let new = tasks.insert((lease.run.to_string(), lease.task));
            assert!(new, "task {} was given twice", lease.task);
        }
    }
    assert_eq!(tasks.len(), 37);
    server.stop().await;
}

#[tokio::test]
async fn an_idempotency_key_stands_beside_the_run_key() {
    let server = Server::with_flights().await;
    let ask = |idempotency: &'static str, body: Value| {
        let request = server.request(Method::POST, "runs");
        send(request.header("idempotency-key", idempotency).json(&body))
    };
    let first = ask("k1", keyed(&bodies()[0], "nightly")).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let same = ask("k2", keyed(&bodies()[0], "nightly")).await;
    assert_eq!(same.status, StatusCode::OK, "{}", same.text);
    assert_eq!(same.value()["run"]["id"], first.value()["run"]["id"]);
    let other = ask("k3", keyed(&bodies()[1], "nightly")).await;
    assert_eq!(other.code(), (409, "run_key_conflict".into()));
    let misused = ask("k1", keyed(&bodies()[1], "weekly")).await;
    assert_eq!(misused.code(), (422, "idempotency_conflict".into()));
    assert_eq!(server.all("runs", 10).await.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_host_that_is_back_after_a_restart_runs_nothing_twice() {
    let world = World::new();
    let server = Server::in_world(world.clone(), Setup::default()).await;
    let mut host = FakeHost::register(&server, &retried().json()).await;
    let run = server.run(json!({"selection": "*"})).await;
    let held = lease(&server, &mut host).await;
    server.stop().await;
    let server = Server::in_world(world, Setup::default()).await;
    let kept = host.hello(&server, &retried().json()).await.ok()["kept"].clone();
    assert_eq!(kept, json!([held.attempt]));
    let none = host.exchange(&server, json!([]), 4).await.leases;
    assert!(none.is_empty(), "b waits for a, and a is in its hands");
    say(&server, &mut host, success(&held), true).await;
    let rest = host.work_off(&server).await;
    assert_eq!(
        rest.iter().map(|lease| &*lease.step).collect::<Vec<_>>(),
        ["b"]
    );
    let run = server.get(&format!("runs/{run}")).await.ok();
    assert_eq!(
        (&run["status"], &run["materializations"]),
        (&json!("success"), &json!(2))
    );
    server.stop().await;
}
