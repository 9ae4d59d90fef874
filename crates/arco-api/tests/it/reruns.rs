//! Runs done again, as a client and a worker host see it.

use arco_engine::EngineSettings;
use arco_testkit::World;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::host::{FakeHost, failure, success};
use crate::server::{Reply, Server, Setup, flights, send};

/// Works off everything; tasks of these partitions (or steps) raise. The tasks, as leased.
async fn work_off(host: &mut FakeHost, server: &Server, bad: &[&str]) -> Vec<String> {
    let mut done = Vec::new();
    let mut reports = json!([]);
    loop {
        let answer = host.exchange(server, reports, 100).await;
        assert!(answer.refused.is_empty(), "{:?}", answer.refused);
        if answer.leases.is_empty() {
            done.sort();
            return done;
        }
        let mut said = Vec::new();
        for lease in &answer.leases {
            let name = match &lease.partitions {
                Some(keys) => format!("{}[{}]", lease.step, keys.join(",")),
                None => lease.step.clone(),
            };
            let raises = bad.contains(&name.as_str());
            said.extend(if raises {
                failure(lease)
            } else {
                success(lease)
            });
            done.push(name);
        }
        host.live.clear();
        reports = json!(said);
    }
}

/// A run over three days in which the second failed; its id.
async fn failed_run(host: &mut FakeHost, server: &Server) -> String {
    let run = server
        .run(
            json!({"selection": ["raw/flights", "daily"], "tags": {"team": "core"}, "priority": 3,
                    "partitions": {"keys": ["2026-01-01...2026-01-03"]},
                    "config": {"ops": {"raw__flights": {"config": {"rows": 7}}}}}),
        )
        .await;
    let done = work_off(host, server, &["daily[2026-01-02]"]).await;
    assert_eq!(done.len(), 4);
    run
}

async fn rerun(server: &Server, run: &str, body: Value) -> Reply {
    server.post(&format!("runs/{run}/rerun"), &body).await
}

async fn made(server: &Server, run: &str, body: Value) -> String {
    // Ids follow the clock: newer runs sort behind older ones.
    server
        .world
        .clock
        .advance(std::time::Duration::from_millis(2));
    let reply = rerun(server, run, body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    reply.value()["run"]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

#[tokio::test]
async fn from_failure_tries_only_what_did_not_succeed() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let parent = failed_run(&mut host, &server).await;
    let again = made(&server, &parent, json!({"from_failure": true})).await;
    let done = work_off(&mut host, &server, &[]).await;
    assert_eq!(done, ["daily[2026-01-02]"]);
    let run = server.get(&format!("runs/{again}")).await.ok();
    assert_eq!(run["status"], "success");
    assert_eq!(
        run["rerun"],
        json!({"parent": parent, "root": parent, "kind": "from_failure"})
    );
    assert_eq!(run["assets"], json!(["daily"]));
    assert_eq!(run["partitions"], "2026-01-02");
    assert_eq!(run["priority"], 3);
    assert_eq!(run["config"]["ops"]["raw__flights"]["config"]["rows"], 7);
    assert_eq!(run["tags"]["team"], "core");
    assert_eq!(run["tags"]["dagster/parent_run_id"], json!(parent));
    assert_eq!(run["run_key"], format!("rerun:{parent}:from-failure:1"));
    // What the first run did stays: each of its tasks was tried once.
    let tasks = server.all(&format!("runs/{parent}/tasks"), 10).await;
    assert!(tasks.iter().all(|task| task["attempts"] == 1), "{tasks:?}");
    let status = server.get("assets/daily/partitions?limit=1000").await.ok();
    let of = |key: &str| {
        let rows = status["items"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["key"] == key);
        row.expect("a partition")["status"].clone()
    };
    assert_eq!(of("2026-01-02"), of("2026-01-01"));
    server.stop().await;
}

#[tokio::test]
async fn a_lineage_is_found_over_three_generations() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let root = failed_run(&mut host, &server).await;
    let mut lineage = vec![root.clone()];
    for _ in 0..3 {
        let parent = lineage.last().expect("a run").clone();
        let again = made(&server, &parent, json!({"from_failure": true})).await;
        work_off(&mut host, &server, &["daily[2026-01-02]"]).await;
        let run = server.get(&format!("runs/{again}")).await.ok();
        assert_eq!(run["rerun"]["parent"], json!(parent));
        assert_eq!(run["rerun"]["root"], json!(root));
        lineage.push(again);
    }
    let sibling = made(&server, &root, json!({"selection": "raw/flights"})).await;
    work_off(&mut host, &server, &[]).await;
    server.run(json!({"selection": "raw/flights"})).await;
    let ids = |rows: Vec<Value>| -> Vec<String> {
        rows.iter()
            .map(|row| row["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let mut all = lineage.clone();
    all.push(sibling.clone());
    all.reverse();
    for limit in [1, 2, 100] {
        assert_eq!(
            ids(server.all(&format!("runs?root={root}"), limit).await),
            all
        );
    }
    let of_root = ids(server.all(&format!("runs?parent={root}"), 10).await);
    assert_eq!(of_root, [sibling, lineage[1].clone()]);
    let of_second = format!("runs?parent={}", lineage[1]);
    assert_eq!(ids(server.all(&of_second, 10).await), [lineage[2].clone()]);
    // The words of Dagster find the same.
    let tagged = format!("runs?tag=dagster/root_run_id={root}&status=FAILURE");
    assert_eq!(ids(server.all(&tagged, 10).await), all[1..4]);
    assert_eq!(
        server
            .all(&format!("runs?root={}", lineage[2]), 10)
            .await
            .len(),
        0
    );
    server.stop().await;
}

#[tokio::test]
async fn refusals_say_what_stands_against_it() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    for body in [
        json!({}),
        json!({"from_failure": true}),
        json!({"selection": "*"}),
    ] {
        let refused = rerun(&server, &run, body).await;
        assert_eq!(refused.code(), (409, "run_not_over".into()));
        assert!(refused.problem().detail.contains("is queued"));
    }
    work_off(&mut host, &server, &[]).await;
    let rows = [
        (
            json!({"from_failure": true}),
            409,
            "nothing_failed",
            "every task",
        ),
        (
            json!({"selection": "daily"}),
            422,
            "not_of_run",
            "its assets are `raw/flights`",
        ),
        (
            json!({"selection": "raw/flight"}),
            422,
            "bad_selection",
            "did you mean",
        ),
        (json!({"selection": "raw/ and"}), 422, "bad_selection", "^"),
        (
            json!({"selection": "*", "from_failure": true}),
            422,
            "invalid_body",
            "give one",
        ),
        (
            json!({"with_upstream": true}),
            422,
            "invalid_body",
            "`selection`",
        ),
        (
            json!({"tags": {"dagster/root_run_id": "x"}}),
            422,
            "reserved",
            "dagster/root_run_id",
        ),
        (
            json!({"run_key": "rerun:mine"}),
            422,
            "reserved",
            "rerun:mine",
        ),
        (json!({"steps": []}), 422, "invalid_body", "steps"),
    ];
    for (body, status, code, says) in rows {
        let refused = rerun(&server, &run, body.clone()).await;
        assert_eq!(refused.code(), (status, code.to_owned()), "{body}");
        let detail = refused.problem().detail;
        assert!(detail.contains(says), "{body}: {detail}");
    }
    let tagged = json!({"selection": "raw/flights", "tags": {"arco/parent_run": run}});
    assert_eq!(
        server.post("runs", &tagged).await.code(),
        (422, "reserved".into())
    );
    let unknown = rerun(&server, "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S", json!({})).await;
    assert_eq!(unknown.code(), (404, "unknown_run".into()));
    assert_eq!(server.all("runs", 10).await.len(), 1, "nothing was made");
    server.stop().await;
}

#[tokio::test]
async fn a_step_that_is_gone_is_named() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let parent = failed_run(&mut host, &server).await;
    let keyed = |key: &'static str| {
        let path = format!("runs/{parent}/rerun");
        let request = server.request(Method::POST, &path);
        send(
            request
                .header("idempotency-key", key)
                .json(&json!({"from_failure": true})),
        )
    };
    let before = keyed("k1").await;
    assert_eq!(before.status, StatusCode::CREATED);
    let only_raw = arco_testkit::ManifestBuilder::new("flights").asset(
        arco_testkit::asset("raw/flights").step_with("config_schema", json!({"type": "object"})),
    );
    arco_testkit::world::deploy(&server.engine, &only_raw).await;
    let refused = keyed("k2").await;
    assert_eq!(refused.code(), (422, "step_gone".into()));
    let detail = refused.problem().detail;
    assert!(
        detail.contains("step `daily` of location `flights` is no longer defined"),
        "{detail}"
    );
    let again = keyed("k1").await;
    assert_eq!(
        again.status,
        StatusCode::OK,
        "what stands is answered all the same"
    );
    assert_eq!(again.value()["run"]["id"], before.value()["run"]["id"]);
    made(&server, &parent, json!({"selection": "raw/flights"})).await;
    server.stop().await;
}

#[tokio::test]
async fn repeats_are_one_run_and_conflicts_name_what_differs() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let parent = failed_run(&mut host, &server).await;
    let path = format!("runs/{parent}/rerun");
    let ask = |key: &'static str, body: Value| {
        send(
            server
                .request(Method::POST, &path)
                .header("idempotency-key", key)
                .json(&body),
        )
    };
    let calls = (0..10).map(|_| ask("k1", json!({"from_failure": true})));
    let replies = futures::future::join_all(calls).await;
    let created = replies
        .iter()
        .filter(|reply| reply.status == StatusCode::CREATED);
    assert_eq!(created.count(), 1);
    let first = replies[0].value()["run"]["id"].clone();
    assert!(
        replies
            .iter()
            .all(|reply| reply.value()["run"]["id"] == first)
    );
    // Without a key: the same rerun, while it is not over.
    let same = rerun(&server, &parent, json!({"from_failure": true}))
        .await
        .ok();
    assert_eq!(
        (&same["run"]["id"], &same["created"]),
        (&first, &json!(false))
    );
    work_off(&mut host, &server, &[]).await;
    let late = ask("k1", json!({"from_failure": true})).await.ok();
    assert_eq!(
        late["run"]["id"], first,
        "over, and still the answer to this key"
    );

    let other = ask("k1", json!({})).await;
    assert_eq!(other.code(), (422, "idempotency_conflict".into()));
    assert!(
        other.problem().detail.contains("(they differ in rerun)"),
        "{}",
        other.text
    );

    made(&server, &parent, json!({"run_key": "mine"})).await;
    let rows = [
        (json!({"run_key": "mine", "tags": {"team": "x"}}), "tags"),
        (json!({"run_key": "mine", "selection": "daily"}), "rerun"),
        (
            json!({"run_key": "mine", "from_failure": true, "tags": {"n": "1"}}),
            "rerun, tags",
        ),
    ];
    for (body, fields) in rows {
        let refused = rerun(&server, &parent, body).await;
        assert_eq!(refused.code(), (409, "run_key_conflict".into()));
        let detail = refused.problem().detail;
        assert!(
            detail.contains(&format!("(they differ in {fields})")),
            "{detail}"
        );
        let digests = detail
            .split(|c: char| !c.is_ascii_hexdigit())
            .filter(|word| word.len() == 64);
        assert_eq!(digests.count(), 2, "{detail}");
    }
    let plain = json!({"run_key": "mine", "selection": "raw/flights"});
    let refused = server.post("runs", &plain).await.problem().detail;
    assert!(
        refused.contains("assets, config, partitions, rerun, tags"),
        "{refused}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_run_that_left_memory_is_done_again_and_compared() {
    let world = World::new().with(|settings: &mut EngineSettings| {
        settings.ended_runs_max = 5;
        settings.snapshot_segments = 5;
    });
    let server = Server::in_world(world, Setup::default()).await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let parent = failed_run(&mut host, &server).await;
    let keyed = made(
        &server,
        &parent,
        json!({"from_failure": true, "run_key": "k"}),
    )
    .await;
    work_off(&mut host, &server, &[]).await;
    for _ in 0..30 {
        server.run(json!({"selection": "raw/flights"})).await;
        work_off(&mut host, &server, &[]).await;
    }
    let mut views = server.engine.commits();
    let id = keyed.parse().expect("a run id");
    let packed = views.wait_for(|view| view.state.run(id).is_none());
    let packed = tokio::time::timeout(std::time::Duration::from_secs(20), packed).await;
    drop(
        packed
            .expect("old runs leave memory")
            .expect("the engine runs"),
    );
    let conflict = rerun(&server, &parent, json!({"run_key": "k"})).await;
    assert_eq!(conflict.code(), (409, "run_key_conflict".into()));
    assert!(
        conflict.problem().detail.contains("(they differ in rerun)"),
        "{}",
        conflict.text
    );
    made(&server, &parent, json!({"from_failure": true})).await;
    let done = work_off(&mut host, &server, &[]).await;
    assert_eq!(done, ["daily[2026-01-02]"]);
    assert_eq!(server.all(&format!("runs?root={parent}"), 1).await.len(), 3);
    server.stop().await;
}

/// The setting is read and written, a failed run is done again by the leader, and both runs say so.
#[tokio::test]
async fn a_failed_run_is_retried_as_the_setting_says() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let setting = server.get("run-retries").await.ok();
    assert_eq!(
        setting,
        json!({"max_retries": 0, "strategy": "from_failure", "on_task_failure": true})
    );
    let put = server
        .request(Method::PUT, "run-retries")
        .json(&json!({"max_retries": 1}));
    assert_eq!(send(put).await.ok()["max_retries"], 1);
    let first = failed_run(&mut host, &server).await;
    let retried = loop {
        let shown = server.get(&format!("runs/{first}")).await.ok();
        assert_eq!(shown["failures"][0]["class"], "user_code");
        if shown["retried"]["by"].is_string() {
            break shown["retried"].clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(
        (&retried["number"], &retried["kind"]),
        (&json!(1), &json!("from_failure"))
    );
    let retry = retried["by"].as_str().expect("it is there");
    let done = work_off(&mut host, &server, &["daily[2026-01-02]"]).await;
    assert_eq!(done, ["daily[2026-01-02]"], "what did not succeed");
    let shown = server.get(&format!("runs/{retry}")).await.ok();
    assert_eq!(shown["rerun"]["retry"], 1);
    assert_eq!(shown["tags"]["dagster/retry_number"], "1");
    assert_eq!(
        shown["tags"]["dagster/will_retry"], "false",
        "one was allowed"
    );
    assert_eq!(shown["requested_by"], "controller:run_retries");
    server.stop().await;
}

#[tokio::test]
async fn retries_that_mean_nothing_are_refused() {
    let server = Server::with_flights().await;
    for body in [json!({"max_retries": 1001}), json!({"max_retries": 2000})] {
        let put = server.request(Method::PUT, "run-retries").json(&body);
        assert_eq!(send(put).await.code(), (422, "invalid_body".into()));
    }
    for body in [json!({"max": 1}), json!({"strategy": "some"}), json!(1)] {
        let put = server.request(Method::PUT, "run-retries").json(&body);
        assert_eq!(
            send(put).await.code(),
            (422, "invalid_body".into()),
            "{body}"
        );
    }
    let run = json!({"selection": "raw/flights", "tags": {"dagster/max_retries": "often"}});
    let refused = server.post("runs", &run).await;
    assert_eq!(refused.code(), (422, "bad_tag".into()));
    assert_eq!(server.get("run-retries").await.ok()["max_retries"], 0);
    server.stop().await;
}
