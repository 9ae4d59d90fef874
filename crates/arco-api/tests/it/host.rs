//! A worker host that speaks the protocol over HTTP, told what to say.

use arco_wire::worker::{Exchanged, Lease, Registered};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Reply, Server, send};

pub(crate) struct FakeHost {
    pub(crate) id: String,
    pub(crate) live: Vec<String>,
    pub(crate) seq: u64,
    pub(crate) token: String,
}

impl FakeHost {
    /// Not known to the server yet.
    pub(crate) fn new(server: &Server) -> Self {
        Self {
            id: server.world.new_host().to_string(),
            live: Vec::new(),
            seq: 0,
            token: String::new(),
        }
    }

    /// Registered with a manifest.
    pub(crate) async fn register(server: &Server, manifest: &Value) -> Self {
        let host = Self::new(server);
        let reply = host.hello(server, manifest).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        let _: Registered = reply.read();
        host
    }

    pub(crate) async fn hello(&self, server: &Server, manifest: &Value) -> Reply {
        let body = json!({
            "host": self.id, "location": manifest["location"], "manifest": manifest, "pid": 7,
            "hostname": "box", "slots": 4, "attempts": self.live,
        });
        self.call(server, "worker/hosts", &body).await
    }

    pub(crate) async fn call(&self, server: &Server, path: &str, body: &Value) -> Reply {
        let mut request = server.request(Method::POST, path).json(body);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        send(request).await
    }

    pub(crate) fn path(&self, call: &str) -> String {
        format!("worker/hosts/{}/{call}", self.id)
    }

    /// The next exchange, as it would be sent.
    pub(crate) fn next(&mut self, reports: Value, want: u32, wait_ms: u64) -> Value {
        self.seq += 1;
        json!({"seq": self.seq, "reports": reports, "want": want, "wait_ms": wait_ms, "live": self.live})
    }

    pub(crate) async fn exchange(
        &mut self,
        server: &Server,
        reports: Value,
        want: u32,
    ) -> Exchanged {
        let body = self.next(reports, want, 0);
        let reply = self.call(server, &self.path("exchange"), &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        let answer: Exchanged = reply.read();
        self.live
            .extend(answer.leases.iter().map(|lease| lease.attempt.to_string()));
        answer
    }

    /// Leases and succeeds until there is nothing left; the leases in order.
    pub(crate) async fn work_off(&mut self, server: &Server) -> Vec<Lease> {
        let mut done = Vec::new();
        let mut reports = json!([]);
        loop {
            let answer = self.exchange(server, reports, 100).await;
            assert!(answer.refused.is_empty(), "{:?}", answer.refused);
            if answer.leases.is_empty() {
                return done;
            }
            reports = answer.leases.iter().flat_map(success).collect();
            self.live.clear();
            done.extend(answer.leases);
        }
    }
}

/// What a body says that goes well: one output per partition, every check passed.
pub(crate) fn success(lease: &Lease) -> Vec<Value> {
    let attempt = lease.attempt.to_string();
    let mut out = vec![json!({"attempt": attempt, "fact": "started"})];
    let partitions = lease
        .partitions
        .clone()
        .map_or(vec![None], |keys| keys.into_iter().map(Some).collect());
    for asset in &lease.outputs {
        for partition in &partitions {
            let metadata = json!({"rows": {"type": "int", "value": 842}});
            let mut fact = json!({"attempt": attempt, "fact": "materialized", "asset": asset, "metadata": metadata});
            if let Some(partition) = partition {
                fact["partition"] = json!(partition);
            }
            out.push(fact);
        }
    }
    for (asset, check) in &lease.checks {
        out.push(
            json!({"attempt": attempt, "fact": "check", "asset": asset, "check": check,
                        "passed": true, "severity": "ERROR"}),
        );
    }
    out.push(finished(&attempt, json!({"status": "succeeded"})));
    out
}

/// What a body says that raises.
pub(crate) fn failure(lease: &Lease) -> Vec<Value> {
    let error = json!({"type": "ValueError", "message": "no rows", "traceback": "Traceback …"});
    vec![
        json!({"attempt": lease.attempt, "fact": "started"}),
        finished(
            &lease.attempt.to_string(),
            json!({"status": "failed", "class": "user_code", "error": error}),
        ),
    ]
}

pub(crate) fn finished(attempt: &str, outcome: Value) -> Value {
    json!({"attempt": attempt, "fact": "finished", "outcome": outcome})
}
