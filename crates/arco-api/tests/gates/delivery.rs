//! What hosts send, kept so that it can be sent again.

use arco_wire::worker::{Exchanged, Lease};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::host::FakeHost;
use crate::server::{Reply, Server};

/// A delivery of reports, as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// The host that sent it.
    pub(crate) host: String,
    /// The call, with its number.
    pub(crate) body: Value,
}

/// Takes one lease.
pub(crate) async fn lease(server: &Server, host: &mut FakeHost) -> Lease {
    let mut leases = host.exchange(server, json!([]), 1).await.leases;
    assert_eq!(leases.len(), 1, "there is work");
    leases.remove(0)
}

/// Says something of an attempt, asks for nothing, and keeps what was sent. `over` says that the
/// attempt is no longer alive.
pub(crate) async fn say(
    server: &Server,
    host: &mut FakeHost,
    said: Vec<Value>,
    over: bool,
) -> Delivery {
    if over {
        let ended = said[0]["attempt"].clone();
        host.live.retain(|attempt| ended != *attempt);
    }
    let body = host.next(json!(said), 0, 0);
    let reply = host.call(server, &host.path("exchange"), &body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let answer: Exchanged = reply.read();
    assert!(answer.refused.is_empty(), "{:?}", answer.refused);
    Delivery {
        host: host.id.clone(),
        body,
    }
}

/// Sends a delivery again: as the same call, or as a call of its own when `seq` gives it a number.
pub(crate) async fn again(server: &Server, delivery: &Delivery, seq: Option<u64>) -> Reply {
    let mut body = delivery.body.clone();
    if let Some(seq) = seq {
        body["seq"] = json!(seq);
    }
    let path = format!("worker/hosts/{}/exchange", delivery.host);
    let request = server.request(reqwest::Method::POST, &path).json(&body);
    crate::server::send(request).await
}
