//! Messages that are pushed to sensors: dialects, ids, signatures, refusals.

use arco_api::{AuthSettings, Role, TokenSetting};
use arco_ingest::SensorSecrets;
use arco_ingest::signature::Key;
use arco_testkit::World;
use reqwest::Method;
use serde_json::{Value, json};

use crate::sensors::manifest;
use crate::server::{Reply, Server, Setup, send};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOKEN: &str = "client-0123456789abcdef";

async fn server(setup: Setup) -> Server {
    let server = Server::in_world(World::new(), setup).await;
    arco_testkit::world::deploy(&server.engine, &manifest()).await;
    server
}

async fn push(
    server: &Server,
    query: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> Reply {
    let mut request = server
        .request(Method::POST, &format!("sensors/orders/messages{query}"))
        .body(body.into());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request).await
}

/// Id of a message that was accepted, and whether it was known.
fn accepted(reply: &Reply) -> (String, bool) {
    assert_eq!(reply.status, 202, "{}", reply.text);
    let said = reply.value();
    assert_eq!(said["sensor"], "orders");
    (
        said["id"].as_str().expect("an id").to_owned(),
        said["duplicate"] == true,
    )
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_message_is_accepted_once_in_whatever_dialect() {
    let server = server(Setup::default()).await;
    let plain = push(&server, "?id=m1", &[JSON], r#"{"n": 1}"#).await;
    assert_eq!(accepted(&plain), ("m1".into(), false));
    let again = push(
        &server,
        "",
        &[JSON, ("idempotency-key", "m1")],
        r#"{"n": 1}"#,
    )
    .await;
    assert_eq!(accepted(&again), ("m1".into(), true));
    assert_eq!(again.value()["position"], plain.value()["position"]);
    let pointed = push(&server, "?id_at=/n", &[JSON], r#"{"n": 2}"#).await;
    assert_eq!(accepted(&pointed), ("2".into(), false));
    let chosen = accepted(&push(&server, "", &[JSON], "3").await).0;
    assert!(chosen.starts_with("msg_"), "{chosen}");
    let event = json!({"specversion": "1.0", "id": "4", "source": "/shop", "type": "order", "data": {"n": 4}});
    let structured = ("content-type", "application/cloudevents+json");
    let structured = push(&server, "", &[structured], event.to_string()).await;
    assert_eq!(accepted(&structured), ("/shop|4".into(), false));
    let binary = [
        JSON,
        ("ce-specversion", "1.0"),
        ("ce-id", "4"),
        ("ce-source", "/shop"),
        ("ce-type", "order"),
    ];
    assert_eq!(
        accepted(&push(&server, "", &binary, r#"{"n": 4}"#).await),
        ("/shop|4".into(), true)
    );
    let envelope = json!({"message": {"messageId": "5", "data": "eyJuIjogNX0="}, "subscription": "projects/p/subscriptions/s"});
    assert_eq!(
        accepted(&push(&server, "", &[JSON], envelope.to_string()).await),
        ("5".into(), false)
    );
    let shown = server.get("sensors/orders").await.ok();
    assert_eq!(shown["waiting"], 5);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_the_mend() {
    let server = server(Setup::default()).await;
    let of = |reply: Reply| reply.code();
    let event = ("content-type", "application/cloudevents+json");
    assert_eq!(
        of(push(&server, "", &[JSON], "{").await),
        (400, "invalid_json".into())
    );
    assert_eq!(
        of(push(&server, "", &[("content-type", "text/html")], "x").await),
        (415, "unsupported_media_type".into())
    );
    assert_eq!(
        of(push(&server, "", &[event], "{}").await),
        (422, "bad_message".into())
    );
    assert_eq!(
        of(push(&server, "?id_at=/x", &[JSON], "{}").await),
        (422, "bad_message".into())
    );
    assert_eq!(
        of(push(&server, "?idd=x", &[JSON], "{}").await),
        (400, "invalid_query".into())
    );
    let big = format!("\"{}\"", "x".repeat(300_000));
    assert_eq!(
        of(push(&server, "", &[JSON], big).await),
        (413, "body_too_large".into())
    );
    let post = async |sensor: &str| {
        server
            .post(&format!("sensors/{sensor}/messages"), &json!(1))
            .await
            .code()
    };
    assert_eq!(post("tables").await, (409, "not_push".into()));
    assert_eq!(post("nobody").await, (404, "unknown_sensor".into()));
    server.post("sensors/orders/stop", &json!({})).await.ok();
    assert_eq!(post("orders").await, (409, "sensor_stopped".into()));
    server.stop().await;
}

fn secrets() -> SensorSecrets {
    let text = json!({"sensors": {"orders": [SECRET]}}).to_string();
    SensorSecrets::from_json(&text, "the test").expect("secrets")
}

/// Pushes a body that was signed so many seconds from now.
async fn signed(
    server: &Server,
    id: &str,
    seconds: i64,
    extra: &[(&str, &str)],
    body: &Value,
) -> Reply {
    let time = server.engine.now().0 / 1_000 + seconds;
    let body = body.to_string();
    let signature = Key::parse(SECRET)
        .expect("a key")
        .sign(id, time, body.as_bytes());
    let time = time.to_string();
    let mut headers = vec![
        JSON,
        ("webhook-id", id),
        ("webhook-timestamp", &time),
        ("webhook-signature", &signature),
    ];
    headers.extend(extra);
    push(server, "", &headers, body).await
}

#[tokio::test]
async fn a_sensor_with_a_secret_takes_signed_messages_only() {
    let setup = Setup {
        sensor_secrets: secrets(),
        ..Setup::default()
    };
    let server = server(setup).await;
    let body = json!({"n": 1});
    assert_eq!(
        accepted(&signed(&server, "w1", 0, &[], &body).await),
        ("w1".into(), false)
    );
    // Sent again under another key, it is the same message: the key is not signed.
    let replayed = signed(&server, "w1", 0, &[("idempotency-key", "other")], &body).await;
    assert_eq!(accepted(&replayed), ("w1".into(), true));
    let refused = (401, "bad_signature".into());
    assert_eq!(push(&server, "", &[JSON], "1").await.code(), refused);
    let late = signed(&server, "w2", -301, &[], &body).await;
    assert_eq!(late.code(), refused);
    assert!(late.text.contains("301 s ago"), "{}", late.text);
    let forged = [
        JSON,
        ("webhook-id", "w3"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,AAAA"),
    ];
    assert_eq!(push(&server, "", &forged, "1").await.code(), refused);
    assert!(!push(&server, "", &forged, "1").await.text.contains("MfKQ"));
    assert_eq!(server.get("sensors/orders").await.ok()["waiting"], 1);
    server.stop().await;
}

#[tokio::test]
async fn a_signature_needs_no_token_and_a_token_is_no_signature() {
    let tokens = vec![TokenSetting {
        name: "client".into(),
        role: "client".parse::<Role>().expect("a role"),
        token: Some(TOKEN.into()),
        token_sha256: None,
    }];
    let auth = || AuthSettings {
        tokens: tokens.clone(),
        ..AuthSettings::default()
    };
    let bearer = format!("Bearer {TOKEN}");
    let authorized = [JSON, ("authorization", bearer.as_str())];
    let guarded = server(Setup {
        auth: auth(),
        sensor_secrets: secrets(),
        ..Setup::default()
    })
    .await;
    assert_eq!(signed(&guarded, "w1", 0, &[], &json!(1)).await.status, 202);
    assert_eq!(
        push(&guarded, "", &authorized, "1").await.code(),
        (401, "bad_signature".into())
    );
    guarded.stop().await;
    let open = server(Setup {
        auth: auth(),
        ..Setup::default()
    })
    .await;
    assert_eq!(
        push(&open, "", &[JSON], "1").await.code(),
        (401, "unauthenticated".into())
    );
    assert_eq!(push(&open, "", &authorized, "1").await.status, 202);
    open.stop().await;
}
