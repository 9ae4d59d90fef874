//! Tokens and roles.

use arco_api::{AuthSettings, Role, TokenSetting};
use arco_testkit::World;
use reqwest::Method;
use serde_json::json;

use crate::host::FakeHost;
use crate::server::{Reply, Server, Setup, flights, send};

fn token(role: &str) -> String {
    format!("{}-0123456789abcdef", role.replace(':', "-"))
}

async fn guarded() -> Server {
    let roles = [
        "admin",
        "client",
        "viewer",
        "worker:flights",
        "worker:other",
    ];
    let tokens = roles.map(|role| TokenSetting {
        name: role.replace(':', "-"),
        role: role.parse::<Role>().expect("a role"),
        token: Some(token(role)),
        token_sha256: None,
    });
    let auth = AuthSettings {
        tokens: tokens.into(),
        ..AuthSettings::default()
    };
    let setup = Setup {
        auth,
        ..Setup::default()
    };
    let server = Server::in_world(World::new(), setup).await;
    arco_testkit::world::deploy(&server.engine, &flights()).await;
    server
}

async fn ask(server: &Server, role: &str, method: Method, path: &str) -> Reply {
    let request = server
        .request(method.clone(), path)
        .bearer_auth(token(role));
    if method == Method::POST {
        send(request.json(&json!({"selection": "raw/flights"}))).await
    } else {
        send(request).await
    }
}

#[tokio::test]
async fn each_role_does_its_own_and_no_more() {
    let server = guarded().await;
    for (role, read, write) in [
        ("admin", 200, 201),
        ("client", 200, 201),
        ("viewer", 200, 403),
        ("worker:flights", 403, 403),
        ("nobody", 401, 401),
    ] {
        for path in [
            "runs",
            "assets",
            "status",
            "definitions",
            "events",
            "/metrics",
        ] {
            let reply = ask(&server, role, Method::GET, path).await;
            assert_eq!(reply.status, read, "{role} {path} {}", reply.text);
        }
        let logs = "runs/run_01JD5Z6Q8G7V9K3W2M4N5P6R7S/logs";
        let reply = ask(&server, role, Method::GET, logs).await;
        let expected = if read == 200 { 404 } else { read };
        assert_eq!(reply.status, expected, "{role} {logs} {}", reply.text);
        let reply = ask(&server, role, Method::POST, "runs").await;
        assert_eq!(reply.status, write, "{role} {}", reply.text);
        let plan = ask(&server, role, Method::POST, "plan").await;
        assert_eq!(plan.status, read, "a plan is a read: {role} {}", plan.text);
    }
    let bare = server.get("runs").await;
    assert_eq!(bare.code(), (401, "unauthenticated".into()));
    assert_eq!(bare.header("www-authenticate"), "Bearer");
    assert_eq!(
        server.get("/health").await.status,
        200,
        "health needs no token"
    );
    assert_eq!(server.get("/openapi.json").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn who_asked_is_in_the_log() {
    let server = guarded().await;
    let reply = ask(&server, "client", Method::POST, "runs").await;
    assert_eq!(reply.value()["run"]["requested_by"], "client:client");
    let page = ask(&server, "viewer", Method::GET, "events?kind=run.requested")
        .await
        .ok();
    assert_eq!(page["items"][0]["principal"], "client:client");
    assert_eq!(
        page["items"][0]["cause"]["command"],
        json!(reply.header("x-request-id"))
    );
    server.stop().await;
}

#[tokio::test]
async fn a_worker_serves_its_own_location_alone() {
    let server = guarded().await;
    let mut host = FakeHost::new(&server);
    for (role, status) in [
        ("worker:other", 403),
        ("client", 403),
        ("admin", 403),
        ("worker:flights", 200),
    ] {
        host.token = token(role);
        let reply = host.hello(&server, &flights().json()).await;
        assert_eq!(reply.status, status, "{role} {}", reply.text);
    }
    let run = ask(&server, "client", Method::POST, "runs").await;
    assert_eq!(run.status, 201);
    let body = host.next(json!([]), 1, 0);
    for role in ["worker:other", "client"] {
        host.token = token(role);
        for (call, body) in [
            ("exchange", &body),
            ("heartbeat", &json!({})),
            ("leave", &json!({})),
        ] {
            let reply = host.call(&server, &host.path(call), body).await;
            assert_eq!(reply.code(), (403, "forbidden".into()), "{role} {call}");
        }
    }
    host.token = token("worker:flights");
    let leases = host.exchange(&server, json!([]), 1).await.leases;
    assert_eq!(leases.len(), 1);
    let failed = json!({"location": "other", "error": {"type": "E", "message": "m"}});
    let reply = host.call(&server, &host.path("failed_load"), &failed).await;
    assert_eq!(reply.code(), (403, "forbidden".into()));
    // The attempt's token uploads, the worker's does not.
    let path = format!("worker/attempts/{}/logs/stdout/0", leases[0].attempt);
    for (bearer, status) in [(&leases[0].token, 204), (&token("worker:flights"), 401)] {
        let reply = send(
            server
                .request(Method::PUT, &path)
                .bearer_auth(bearer)
                .body("x"),
        )
        .await;
        assert_eq!(reply.status, status, "{}", reply.text);
    }
    server.stop().await;
}
