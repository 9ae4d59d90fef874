//! Questions to user code over HTTP: asked, answered, counted once.

use std::time::Duration;

use arco_engine::MessageAsk;
use arco_wire::evaluation::{Ask, EvaluationQuestion, EvaluationsGiven, QueuedItem};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::host::FakeHost;
use crate::server::{Server, flights};

fn manifest() -> Value {
    flights()
        .sensor(
            json!({"name": "drop", "kind": "poll", "selection": ["raw/flights"],
            "default_status": "running"}),
        )
        .sensor(
            json!({"name": "inbox", "kind": "push", "selection": ["raw/flights"],
            "default_status": "running"}),
        )
        .json()
}

async fn call(server: &Server, host: &FakeHost, body: &Value) -> EvaluationsGiven {
    let reply = host.call(server, &host.path("evaluations"), body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.read()
}

/// Waits for the one question that there is.
async fn question(server: &Server, host: &FakeHost) -> EvaluationQuestion {
    let body = json!({"want": 4, "wait_ms": 20_000});
    let mut given = call(server, host, &body).await;
    assert_eq!(given.questions.len(), 1, "{given:?}");
    given.questions.remove(0)
}

async fn until_evaluated(server: &Server, sensor: &str, number: u64) {
    let mut views = server.engine.commits();
    let done = views.wait_for(|view| {
        let row = view.state.sensors.get(sensor);
        row.is_some_and(|row| row.number == number)
    });
    let done = tokio::time::timeout(Duration::from_secs(60), done).await;
    done.expect("it is decided").expect("the engine is there");
}

#[tokio::test]
async fn a_question_is_answered_over_http_and_its_run_leads_back_to_it() {
    let server = Server::start().await;
    let host = FakeHost::register(&server, &manifest()).await;
    let asked = question(&server, &host).await;
    assert_eq!(asked.timeout_ms, 60_000);
    let Ask::Sensor {
        name,
        queue,
        cursor,
        ..
    } = &asked.ask
    else {
        panic!("{asked:?}")
    };
    assert_eq!((name.as_str(), queue.len(), cursor), ("drop", 0, &None));
    let answer = json!({"id": asked.id, "said": "returned", "took_ms": 3, "log": ["looked"],
        "run_requests": [{"run_key": "a.csv", "tags": {"file": "a.csv"}}], "cursor": "a.csv"});
    let said = json!({"answers": [answer, answer], "want": 0, "wait_ms": 0});
    call(&server, &host, &said).await;
    call(&server, &host, &said).await;
    until_evaluated(&server, "drop", 1).await;
    let view = server.engine.view();
    let run = view.state.runs.values().next().expect("a run");
    assert_eq!(view.state.runs.len(), 1);
    assert_eq!(run.tags["file"], "a.csv");
    let why = server
        .get(&format!("runs/{}/explanation", run.id))
        .await
        .ok();
    let text = why.to_string();
    assert!(text.contains(r#""evaluation":"drop:1""#), "{text}");
    server.stop().await;
}

#[tokio::test]
async fn messages_reach_user_code_and_failures_are_recorded() {
    let server = Server::start().await;
    let host = FakeHost::register(&server, &manifest()).await;
    let first = question(&server, &host).await;
    let nothing = json!({"id": first.id, "said": "returned", "skip_reason": "none"});
    call(&server, &host, &json!({"answers": [nothing]})).await;
    until_evaluated(&server, "drop", 1).await;
    let message = MessageAsk {
        sensor: "inbox".into(),
        id: "m-1".into(),
        data: json!({"file": "a.csv"}),
        attributes: [("source".to_owned(), "bucket".to_owned())].into(),
    };
    let accepted = server
        .engine
        .accept_message("client:test", "m", message)
        .await;
    accepted.expect("it runs");
    let asked = question(&server, &host).await;
    let Ask::Sensor { queue, .. } = &asked.ask else {
        panic!("{asked:?}")
    };
    let [
        QueuedItem::Message {
            id,
            data,
            attributes,
            ..
        },
    ] = queue.as_slice()
    else {
        panic!("{queue:?}")
    };
    assert_eq!((id.as_str(), data), ("m-1", &json!({"file": "a.csv"})));
    assert_eq!(attributes["source"], "bucket");
    let error = json!({"type": "ValueError", "message": "no", "traceback": "line 1"});
    let raised = json!({"id": asked.id, "said": "raised", "error": error});
    call(&server, &host, &json!({"answers": [raised]})).await;
    until_evaluated(&server, "inbox", 1).await;
    assert_eq!(server.engine.view().state.sensors["inbox"].failures, 1);
    server.stop().await;
}

#[tokio::test]
async fn a_host_that_is_not_known_is_told_to_register() {
    let server = Server::start().await;
    let host = FakeHost::new(&server);
    let reply = host
        .call(&server, &host.path("evaluations"), &json!({"want": 1}))
        .await;
    assert_eq!(reply.code(), (404, "unknown_host".into()));
    server.stop().await;
}
