//! Gate M3 from outside: what staleness, reconciliation and the advanced views of runs stand on. Today
//! these are the versions and inputs that each materialization shows, plans that runs keep to, and
//! the reason for everything that did not run, through HTTP, with a real server on an engine on a
//! store in memory.
//!
//! `cargo test -p arco-api --test orchestration_parity_gates_m3`

use std::collections::BTreeSet;

use arco_testkit::random::Random;
use arco_testkit::{ManifestBuilder, asset, check};
use serde_json::{Value, json};

use crate::gates::delivery::{lease, say};
use crate::gates::graph::{Assets, name};
use crate::gates::seeds;
use crate::host::{FakeHost, failure, finished, success};
use crate::server::Server;

#[allow(dead_code, reason = "the three gates share it")]
mod gates;
#[allow(dead_code, reason = "shared with the API's other tests")]
#[path = "it/host.rs"]
mod host;
#[allow(dead_code, reason = "shared with the API's other tests")]
#[path = "it/server.rs"]
mod server;

/// a → b → c, with versions of their code; `c` has none.
fn versioned(b: &str) -> ManifestBuilder {
    ManifestBuilder::new("main")
        .asset(asset("a").code_version("1"))
        .asset(asset("b").code_version(b).needs("a"))
        .asset(asset("c").needs("b"))
}

/// The newest materialization of an asset.
async fn newest(server: &Server, asset: &str) -> Value {
    let rows = server
        .all(&format!("assets/{asset}/materializations"), 10)
        .await;
    rows.first()
        .unwrap_or_else(|| panic!("`{asset}` was made"))
        .clone()
}

async fn versions(server: &Server) -> Vec<Value> {
    let mut versions = Vec::new();
    for asset in ["a", "b", "c"] {
        versions.push(newest(server, asset).await["data_version"].clone());
    }
    versions
}

async fn make(server: &Server, host: &mut FakeHost, selection: &str) {
    server.run(json!({"selection": selection})).await;
    host.work_off(server).await;
}

#[tokio::test]
async fn materializations_show_versions_of_code_and_data_and_what_they_read() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &versioned("1").json()).await;
    make(&server, &mut host, "*").await;
    let (a, b, c) = (
        newest(&server, "a").await,
        newest(&server, "b").await,
        newest(&server, "c").await,
    );
    assert_eq!(
        (&a["code_version"], &b["code_version"]),
        (&json!("1"), &json!("1"))
    );
    assert_eq!(c["code_version"], Value::Null);
    assert_eq!(a["inputs"], Value::Null, "it reads nothing");
    for (reader, read) in [(&b, &a), (&c, &b)] {
        let inputs = reader["inputs"].as_array().expect("inputs");
        assert_eq!(inputs.len(), 1);
        assert_eq!(inputs[0]["data_version"], read["data_version"]);
        assert_eq!(inputs[0]["position"], read["position"]);
    }
    // Read again after `a` alone was made: `b` shows what it read, not what is there now.
    make(&server, &mut host, "a").await;
    let (newer, same) = (newest(&server, "a").await, newest(&server, "b").await);
    assert_ne!(newer["position"], a["position"]);
    assert_eq!(same, b);
    server.stop().await;
}

#[tokio::test]
async fn data_versions_follow_code_and_inputs() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &versioned("1").json()).await;
    make(&server, &mut host, "*").await;
    let first = versions(&server).await;
    make(&server, &mut host, "*").await;
    let again = versions(&server).await;
    assert_eq!(again[..2], first[..2], "equal code on equal inputs");
    assert_ne!(again[2], first[2], "nobody said which code ran (F-15)");
    host.hello(&server, &versioned("2").json()).await.ok();
    assert_eq!(versions(&server).await, again, "a deploy makes nothing");
    let shown = server.get("assets/b").await.ok();
    assert_eq!(
        (&shown["code_version"], &shown["latest"]["code_version"]),
        (&json!("2"), &json!("1"))
    );
    make(&server, &mut host, "*").await;
    let then = versions(&server).await;
    assert_eq!(then[0], again[0]);
    assert_ne!(then[1], again[1]);
    server.stop().await;
}

#[tokio::test]
async fn a_version_given_by_the_body_stands_and_what_reads_it_follows_it() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &versioned("1").json()).await;
    let mut seen = Vec::new();
    for given in ["rows-10", "rows-10", "rows-11"] {
        server.run(json!({"selection": ["a", "b"]})).await;
        let begun = lease(&server, &mut host).await;
        let mut said = success(&begun);
        said[1]["data_version"] = json!(given);
        say(&server, &mut host, said, true).await;
        host.work_off(&server).await;
        assert_eq!(newest(&server, "a").await["data_version"], given);
        seen.push(newest(&server, "b").await["data_version"].clone());
    }
    assert_eq!(seen[0], seen[1], "the content was the same");
    assert_ne!(seen[1], seen[2]);
    server.stop().await;
}

#[tokio::test]
async fn a_run_keeps_to_the_code_it_was_planned_with() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &versioned("1").json()).await;
    let run = server.run(json!({"selection": ["a", "b"]})).await;
    let begun = lease(&server, &mut host).await;
    host.hello(&server, &versioned("2").json()).await.ok();
    say(&server, &mut host, success(&begun), true).await;
    host.work_off(&server).await;
    let b = newest(&server, "b").await;
    assert_eq!((&b["code_version"], &b["run"]), (&json!("1"), &json!(run)));
    make(&server, &mut host, "b").await;
    assert_eq!(newest(&server, "b").await["code_version"], "2");
    server.stop().await;
}

/// What is told apart of a task: where it runs, its partitions, what it needs.
fn shape(task: &Value) -> Value {
    json!([
        task["task"],
        task["step"],
        task["partitions"],
        task["partition_count"],
        task["needs"]
    ])
}

#[tokio::test]
async fn a_run_does_what_its_plan_showed() {
    for seed in seeds(10) {
        let mut random = Random::new(seed);
        let assets = Assets::random(&mut random);
        let server = Server::start().await;
        let mut host = FakeHost::register(&server, &assets.manifest().json()).await;
        let body = assets.request(&assets.some(&mut random));
        let before = server.engine.view().position();
        let plan = server.post("plan?limit=1000", &body).await.ok();
        assert_eq!(
            server.engine.view().position(),
            before,
            "a plan writes nothing"
        );
        let run = server.run(body).await;
        let done = host.work_off(&server).await;
        let mut shown = Vec::new();
        for task in plan["tasks"].as_array().expect("tasks") {
            shown.push(shape(task));
        }
        let mut ran = Vec::new();
        for task in server.all(&format!("runs/{run}/tasks"), 1000).await {
            let number = &task["task"];
            let whole = server.get(&format!("runs/{run}/tasks/{number}")).await.ok();
            assert_eq!(whole["status"], "succeeded");
            let mut whole = shape(&whole);
            if whole[4] == json!([]) {
                whole[4] = Value::Null;
            }
            ran.push(whole);
        }
        assert_eq!(ran, shown, "seed {seed}");
        assert_eq!(plan["task_count"], done.len(), "seed {seed}");
        let once: BTreeSet<u32> = done.iter().map(|lease| lease.task).collect();
        assert_eq!(once.len(), done.len());
        server.stop().await;
    }
}

#[tokio::test]
async fn selections_are_planned_as_they_read() {
    let server = Server::start().await;
    let manifest = ManifestBuilder::new("main")
        .asset(
            asset("raw")
                .with("group", json!("raw"))
                .with("kinds", json!(["csv"])),
        )
        .asset(asset("clean").needs("raw"))
        .asset(
            asset("daily")
                .needs("clean")
                .with("tags", json!({"team": "core"})),
        )
        .asset(asset("report").needs("daily"))
        .asset(asset("ext").external());
    FakeHost::register(&server, &manifest.json()).await;
    for (selection, steps) in [
        (json!("clean"), vec!["clean"]),
        (json!("+daily"), vec!["clean", "daily"]),
        (json!("+key:daily"), vec!["raw", "clean", "daily"]),
        (json!("key:clean+"), vec!["clean", "daily", "report"]),
        (json!("key:clean+1"), vec!["clean", "daily"]),
        (json!("group:raw or tag:team=core"), vec!["raw", "daily"]),
        (
            json!("key:clean+ and not key:report"),
            vec!["clean", "daily"],
        ),
        (json!("sinks(key:raw+)"), vec!["report"]),
        (json!(["raw", "report"]), vec!["raw", "report"]),
    ] {
        let plan = server
            .post("plan", &json!({"selection": selection}))
            .await
            .ok();
        let planned = plan["steps"].as_array().expect("steps");
        let planned: Vec<&Value> = planned.iter().map(|step| &step["step"]).collect();
        assert_eq!(json!(planned), json!(steps), "{selection}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_run_says_why_and_the_mend() {
    let server = Server::start().await;
    let manifest = ManifestBuilder::new("main")
        .asset(asset("flights"))
        .asset(asset("sales").needs("flights"))
        .asset(asset("ext").external());
    FakeHost::register(&server, &manifest.json()).await;
    for (selection, code, says) in [
        ("flihgts", "bad_selection", "did you mean `flights`"),
        ("key:ext", "external_asset", "leave it out of the selection"),
        ("key:nothing", "empty_selection", "selects no asset"),
        ("flights and sales", "bad_selection", "key:flights"),
        ("kund:view", "bad_selection", "did you mean `kind:`"),
    ] {
        for path in ["plan", "runs"] {
            let refused = server.post(path, &json!({"selection": selection})).await;
            let problem = refused.problem();
            assert_eq!((problem.status, &*problem.code), (422, code), "{selection}");
            let said = format!("{} {:?}", problem.detail, problem.hints);
            assert!(said.contains(says), "{selection}: {said}");
        }
    }
    assert_eq!(server.all("runs", 10).await.len(), 0);
    server.stop().await;
}

#[tokio::test]
async fn what_did_not_run_says_why() {
    let manifest = ManifestBuilder::new("main")
        .asset(asset("a"))
        .asset(asset("b").needs("a"))
        .asset(asset("c").needs("b"))
        .check(check("a", "ok").blocking());
    for (way, because, cause) in [
        ("raises", "upstream_failed", "a"),
        ("judged", "check_failed", "a__ok"),
        ("dies", "upstream_failed", "a__ok"),
    ] {
        let server = Server::start().await;
        let mut host = FakeHost::register(&server, &manifest.json()).await;
        let run = server.run(json!({"selection": "*"})).await;
        let first = lease(&server, &mut host).await;
        if way == "raises" {
            say(&server, &mut host, failure(&first), true).await;
        } else {
            say(&server, &mut host, success(&first), true).await;
            let judge = lease(&server, &mut host).await;
            let mut said = if way == "dies" {
                failure(&judge)
            } else {
                success(&judge)
            };
            if way == "judged" {
                said[1]["passed"] = json!(false);
            }
            say(&server, &mut host, said, true).await;
        }
        assert_eq!(
            host.work_off(&server).await.len(),
            0,
            "{way}: nothing else runs"
        );
        let shown = server.get(&format!("runs/{run}")).await.ok();
        assert_eq!(shown["status"], "failure", "{way}");
        let skipped = server
            .all(&format!("runs/{run}/tasks?status=skipped"), 10)
            .await;
        let steps: Vec<&Value> = skipped.iter().map(|task| &task["step"]).collect();
        let expected = if way == "raises" {
            json!(["a__ok", "b", "c"])
        } else {
            json!(["b", "c"])
        };
        assert_eq!(json!(steps), expected, "{way}");
        for task in &skipped {
            assert_eq!(task["skipped"]["because"], because, "{way}");
            let number = &task["skipped"]["task"];
            let reason = server.get(&format!("runs/{run}/tasks/{number}")).await.ok();
            assert_eq!(reason["step"], cause, "{way}");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn a_cancelled_run_says_what_was_stopped_and_what_never_began() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &versioned("1").json()).await;
    let run = server.run(json!({"selection": "*"})).await;
    let begun = lease(&server, &mut host).await;
    server
        .post(&format!("runs/{run}/cancel"), &json!({}))
        .await
        .ok();
    let ended = finished(&begun.attempt.to_string(), json!({"status": "cancelled"}));
    say(&server, &mut host, vec![ended], true).await;
    let tasks = server.all(&format!("runs/{run}/tasks"), 10).await;
    let told: Vec<Value> = tasks
        .iter()
        .map(|task| json!([task["step"], task["status"], task["attempts"]]))
        .collect();
    let expected = json!([
        ["a", "cancelled", 1],
        ["b", "cancelled", 0],
        ["c", "cancelled", 0]
    ]);
    assert_eq!(json!(told), expected);
    server.stop().await;
}

#[tokio::test]
async fn each_try_of_a_task_is_shown_with_its_cause() {
    let server = Server::start().await;
    let retried = ManifestBuilder::new("main").asset(asset(&name(0)).retries(2, 1_000));
    let mut host = FakeHost::register(&server, &retried.json()).await;
    let run = server.run(json!({"selection": "a"})).await;
    for _ in 0..2 {
        let begun = lease(&server, &mut host).await;
        say(&server, &mut host, failure(&begun), true).await;
        let waiting = server.get(&format!("runs/{run}/tasks/0")).await.ok();
        assert_eq!(waiting["status"], "retrying");
        assert!(waiting["retry_at"].is_string(), "{waiting}");
        server
            .world
            .clock
            .advance(std::time::Duration::from_secs(2));
    }
    host.work_off(&server).await;
    let task = server.get(&format!("runs/{run}/tasks/0")).await.ok();
    let tries = task["tries"].as_array().expect("tries");
    let told: Vec<Value> = tries
        .iter()
        .map(|one| {
            json!([
                one["number"],
                one["status"],
                one["class"],
                one["error"]["message"]
            ])
        })
        .collect();
    let failed = |n: u32| json!([n, "failed", "user_code", "no rows"]);
    assert_eq!(
        told,
        [failed(1), failed(2), json!([3, "succeeded", null, null])]
    );
    server.stop().await;
}
