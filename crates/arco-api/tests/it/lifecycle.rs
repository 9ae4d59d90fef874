//! A run from request to end, as a client and a worker host see it.

use arco_wire::api::{Run, RunCreated, RunStatus, Task, TaskStatus};
use reqwest::StatusCode;
use serde_json::json;

use crate::host::{FakeHost, failure, success};
use crate::server::{Server, flights};

#[tokio::test]
async fn a_run_is_made_worked_off_and_shown() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let reply = server
        .post("runs", &json!({"selection": ["raw/flights", "daily"], "partitions": {"keys": ["2026-01-01...2026-01-03"]},
                              "tags": {"team": "core"}, "run_key": "nightly"}))
        .await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    let made: RunCreated = reply.read();
    assert_eq!(
        reply.header("location"),
        format!("/api/v1/workspaces/default/runs/{}", made.run.id)
    );
    assert_eq!(reply.header("arco-position"), made.position.to_string());
    assert_eq!(
        (made.created, made.run.status, made.run.tasks.total),
        (true, RunStatus::Queued, 4)
    );

    let leases = host.work_off(&server).await;
    let steps: Vec<&str> = leases.iter().map(|lease| lease.step.as_str()).collect();
    assert_eq!(steps, ["raw__flights", "daily", "daily", "daily"]);
    assert_eq!(
        leases[1].partitions.as_deref(),
        Some(&["2026-01-01".to_owned()][..])
    );
    assert_eq!(leases[1].inputs[0].asset.as_str(), "raw/flights");

    let run: Run = server.get(&format!("runs/{}", made.run.id)).await.read();
    assert_eq!(run.summary.status, RunStatus::Success);
    assert_eq!(run.summary.tasks.succeeded, 4);
    assert_eq!(
        (run.summary.materializations, run.summary.checks_passed),
        (4, 1)
    );
    assert_eq!(run.summary.requested_by, "client:local");
    assert!(run.failures.is_empty());

    let task: Task = server
        .get(&format!("runs/{}/tasks/1", made.run.id))
        .await
        .read();
    assert_eq!(task.summary.status, TaskStatus::Succeeded);
    assert_eq!(task.needs, [0]);
    assert_eq!(task.tries.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_task_under_way_says_what_it_reads() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    host.work_off(&server).await;
    let run = server
        .run(json!({"selection": "daily", "partitions": {"keys": ["2026-01-01"]}}))
        .await;
    host.exchange(&server, json!([]), 1).await;
    let task: Task = server.get(&format!("runs/{run}/tasks/0")).await.read();
    assert_eq!(task.summary.status, TaskStatus::Leased);
    assert_eq!(task.inputs[0].asset.as_str(), "raw/flights");
    server.stop().await;
}

#[tokio::test]
async fn a_failure_is_shown_with_its_cause_and_what_it_brought_down() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "key:raw/flights or key:daily", "partitions": {"keys": ["2026-01-01"]}})).await;
    let leases = host.exchange(&server, json!([]), 1).await.leases;
    host.live.clear();
    host.exchange(&server, failure(&leases[0]).into(), 0).await;

    let run: Run = server.get(&format!("runs/{run}")).await.read();
    assert_eq!(run.summary.status, RunStatus::Failure);
    assert_eq!(run.failures.len(), 1);
    assert_eq!(run.failures[0].error.message, "no rows");
    let failed = server
        .get(&format!("runs/{}/tasks?status=failed", run.summary.id))
        .await
        .ok();
    assert_eq!(failed["items"][0]["error"], "ValueError: no rows");
    let skipped = server
        .get(&format!("runs/{}/tasks?status=skipped", run.summary.id))
        .await
        .ok();
    assert_eq!(
        skipped["items"][0]["skipped"],
        json!({"because": "upstream_failed", "task": 0})
    );
    server.stop().await;
}

#[tokio::test]
async fn a_cancelled_run_tells_its_host_and_ends() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server.run(json!({"selection": "raw/flights"})).await;
    let leases = host.exchange(&server, json!([]), 1).await.leases;
    let attempt = leases[0].attempt.to_string();

    let asked = server
        .post(&format!("runs/{run}/cancel"), &json!({}))
        .await
        .ok();
    assert_eq!(asked["status"], "canceling");
    let told = host.exchange(&server, json!([]), 1).await;
    assert_eq!(
        told.cancels
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        [attempt.as_str()]
    );
    assert!(told.leases.is_empty());
    let beat = host
        .call(
            &server,
            &host.path("heartbeat"),
            &json!({"live": [attempt]}),
        )
        .await
        .ok();
    assert_eq!(beat["cancels"], json!([attempt]));

    let ended = crate::host::finished(&attempt, json!({"status": "cancelled"}));
    host.live.clear();
    host.exchange(&server, json!([ended]), 0).await;
    let run_now = server.get(&format!("runs/{run}")).await.ok();
    assert_eq!(run_now["status"], "canceled");
    let again = server
        .post(&format!("runs/{run}/cancel"), &json!({}))
        .await
        .ok();
    assert_eq!(
        again["status"], "canceled",
        "cancelling what is over is no error"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_plan_is_shown_and_nothing_is_written() {
    let server = Server::with_flights().await;
    let before = server.engine.view().position();
    let plan = server
        .post(
            "plan?limit=2",
            &json!({"selection": "*report", "partitions": "all"}),
        )
        .await
        .ok();
    assert_eq!(
        plan["expected"],
        json!({"work_ms": 0, "critical_path_ms": 0, "slots": {"flights": 0}, "tasks_without_history": 37})
    );
    assert_eq!(plan["tasks"][1]["stage"], 1);
    assert_eq!(plan["task_count"], 37);
    assert_eq!(plan["tasks"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        plan["steps"][1],
        json!({"location": "flights", "step": "daily", "tasks": 35})
    );
    assert_eq!(server.engine.view().position(), before);
    server.stop().await;
}

#[tokio::test]
async fn a_plan_expects_what_history_tells_and_names_its_pools() {
    let server = Server::start().await;
    let manifest = arco_testkit::ManifestBuilder::new("flights")
        .asset(arco_testkit::asset("a").step_with("pool", json!("db")))
        .asset(
            arco_testkit::asset("b")
                .needs("a")
                .step_with("pool", json!("db")),
        )
        .asset(arco_testkit::asset("c").needs("b"));
    let mut host = FakeHost::register(&server, &manifest.json()).await;
    server.run(json!({"selection": "a"})).await;
    let leases = host.exchange(&server, json!([]), 1).await.leases;
    server
        .world
        .clock
        .advance(std::time::Duration::from_secs(4));
    host.live.clear();
    host.exchange(&server, success(&leases[0]).into(), 0).await;
    let plan = server.post("plan", &json!({"selection": "*"})).await.ok();
    assert_eq!(plan["pools"], json!({"db": 2}));
    assert_eq!(plan["steps"][0]["expected_ms"], 4_000);
    assert_eq!(plan["steps"][1]["expected_ms"], serde_json::Value::Null);
    let stages: Vec<u64> = (0..3)
        .map(|task| plan["tasks"][task]["stage"].as_u64().expect("it is there"))
        .collect();
    assert_eq!(stages, [0, 1, 2]);
    let expected = &plan["expected"];
    assert_eq!(expected["elapsed_ms"], 4_000);
    assert_eq!(expected["tasks_without_history"], 2);
    server.stop().await;
}

#[tokio::test]
async fn the_workspace_shows_on_one_page() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    server.run(json!({"selection": "raw/flights"})).await;
    server.run(json!({"selection": "report"})).await;
    host.exchange(&server, json!([]), 1).await;
    let status = server.get("status").await.ok();
    assert_eq!(
        status["runs"],
        json!({"total": 2, "queued": 1, "started": 1, "canceling": 0})
    );
    assert_eq!(
        (&status["assets"], &status["locations"]),
        (&json!(4), &json!(1))
    );
    assert_eq!(status["hosts"][0]["attempts"], 1);
    assert_eq!(status["leader"]["here"], true);
    let definitions = server.get("definitions").await.ok();
    assert_eq!(definitions["locations"][0]["name"], "flights");
    assert_eq!(
        definitions["locations"][0]["hosts"][0]["id"],
        json!(host.id)
    );
    server.stop().await;
}

#[tokio::test]
async fn a_failed_load_is_shown_and_the_old_definitions_stay() {
    let server = Server::start().await;
    let host = FakeHost::register(&server, &flights().json()).await;
    let error = json!({"type": "ImportError", "message": "no module named polars", "traceback": "Traceback (most recent call last): …"});
    let reply = host
        .call(
            &server,
            &host.path("failed_load"),
            &json!({"location": "flights", "error": error}),
        )
        .await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{}", reply.text);
    let location = server.get("definitions").await.ok()["locations"][0].clone();
    assert_eq!(location["failure"]["error"], error);
    assert_eq!(location["assets"], 4);
    assert_eq!(server.get("status").await.ok()["locations_failed"], 1);
    server.stop().await;
}

#[tokio::test]
async fn health_metrics_and_the_front_door_answer() {
    let server = Server::with_flights().await;
    let health = server.get("/health").await.ok();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["workspaces"][0]["leads"], true);
    let metrics = server.get("/metrics").await;
    assert!(
        metrics.text.contains("arco_http_requests_total{"),
        "{}",
        metrics.text
    );
    assert!(
        metrics.text.contains("arco_leads{workspace=\"default\"} 1"),
        "{}",
        metrics.text
    );
    assert!(metrics.text.ends_with("# EOF\n"));
    let door = server.get("/").await;
    assert!(door.text.contains("/openapi.json"));
    assert!(door.header("content-type").starts_with("text/html"));
    server.stop().await;
}
