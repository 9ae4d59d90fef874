//! The calls to the control plane, one try each. Who calls decides about trying again: only it knows
//! what else has happened meanwhile, and every repeat must carry the same sequence number.

use std::error::Error as _;
use std::sync::Once;
use std::time::Duration;

use arco_core::{AttemptId, HostId};
use arco_wire::evaluation::{Evaluations, EvaluationsGiven};
use arco_wire::problem::Problem;
use arco_wire::worker::{
    Exchange, Exchanged, FailedLoad, Heartbeat, HeartbeatAnswer, RegisterHost, Registered,
};
use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::leader::Servers;
use crate::settings::{Settings, Token};

/// A control plane that does not even accept a connection in this time is away.
const CONNECT_MS_MAX: u64 = 3_000;
/// Longest time for an answer beside the wait that was asked for. A commit is one write to an object
/// store; ten seconds of it mean the answer is lost.
const ANSWER_MS_MAX: u64 = 10_000;

/// Why a call had no effect that we know of.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CallError {
    /// Nobody answered, or not in time, or not yet. The call may have had its effect: try the same again.
    #[error("the control plane is not available: {0}")]
    Unavailable(String),
    /// This host was declared lost.
    #[error("the control plane has declared this host lost")]
    Fenced,
    /// The control plane does not know this host (any more).
    #[error("the control plane does not know this host")]
    UnknownHost,
    /// The token is not good for this.
    #[error("the control plane refused the token: {0}")]
    Forbidden(String),
    /// The request itself was refused; the same again would be too.
    #[error("{0}")]
    Refused(String),
}

pub(crate) type Call<T> = Result<T, CallError>;

/// A client for one workspace.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    servers: Servers,
    /// Below a server.
    base: String,
    token: Token,
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> reqwest::Result<Self> {
        install_crypto();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
            // The hot call is small: waiting for more bytes to fill a packet would only delay it.
            .tcp_nodelay(true)
            .user_agent(concat!("arco-worker/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let base = format!("api/v1/workspaces/{}/worker", settings.workspace);
        Ok(Self {
            http,
            servers: Servers::new(&settings.server),
            base,
            token: settings.token.clone(),
        })
    }

    pub(crate) async fn register(&self, body: &RegisterHost) -> Call<Registered> {
        self.post("hosts", body, 0).await
    }

    pub(crate) async fn exchange(&self, host: HostId, body: &Exchange) -> Call<Exchanged> {
        self.post(&format!("hosts/{host}/exchange"), body, body.wait_ms)
            .await
    }

    pub(crate) async fn heartbeat(&self, host: HostId, body: &Heartbeat) -> Call<HeartbeatAnswer> {
        self.post(&format!("hosts/{host}/heartbeat"), body, 0).await
    }

    /// Answers out, questions in. `None`: this control plane has no such call.
    pub(crate) async fn evaluations(
        &self,
        host: HostId,
        body: &Evaluations,
    ) -> Call<Option<EvaluationsGiven>> {
        let path = format!("hosts/{host}/evaluations");
        let request = |server: &str| {
            self.request(server, Method::POST, &path, body.wait_ms)
                .json(body)
        };
        let response = self.send(request).await?;
        match response.status() {
            status if status.is_success() => {
                let given = response.json().await.map_err(|error| unavailable(&error))?;
                Ok(Some(given))
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                match refusal(response).await {
                    CallError::UnknownHost => Err(CallError::UnknownHost),
                    _ => Ok(None),
                }
            }
            _ => Err(refusal(response).await),
        }
    }

    pub(crate) async fn leave(&self, host: HostId) -> Call<()> {
        let path = format!("hosts/{host}/leave");
        let request = |server: &str| {
            let request = self.request(server, Method::POST, &path, 0);
            request.json(&serde_json::json!({}))
        };
        self.answer(request).await.map(drop)
    }

    pub(crate) async fn failed_load(&self, host: HostId, body: &FailedLoad) -> Call<()> {
        let path = format!("hosts/{host}/failed_load");
        let request = |server: &str| self.request(server, Method::POST, &path, 0).json(body);
        self.answer(request).await.map(drop)
    }

    /// Uploads one chunk with the attempt's own token.
    pub(crate) async fn put_log(
        &self,
        attempt: AttemptId,
        token: &str,
        stream: &str,
        chunk: u32,
        bytes: Bytes,
    ) -> Call<()> {
        let path = format!("attempts/{attempt}/logs/{stream}/{chunk}");
        let request = |server: &str| {
            self.http
                .put(self.url(server, &path))
                .bearer_auth(token)
                .timeout(Duration::from_millis(ANSWER_MS_MAX))
                .body(bytes.clone())
        };
        self.answer(request).await.map(drop)
    }

    async fn post<B: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        wait_ms: u64,
    ) -> Call<A> {
        let request = |server: &str| self.request(server, Method::POST, path, wait_ms).json(body);
        let response = self.answer(request).await?;
        response.json().await.map_err(|error| unavailable(&error))
    }

    fn url(&self, server: &str, path: &str) -> String {
        format!("{server}/{}/{path}", self.base)
    }

    fn request(&self, server: &str, method: Method, path: &str, wait_ms: u64) -> RequestBuilder {
        let request = self.http.request(method, self.url(server, path));
        let request = request.timeout(Duration::from_millis(ANSWER_MS_MAX + wait_ms));
        match self.token.reveal() {
            // A control plane without tokens, as `arco dev` has it on loopback.
            "" => request,
            token => request.bearer_auth(token),
        }
    }

    /// Calls the server of now, and learns from it which one to call next.
    async fn send(&self, request: impl Fn(&str) -> RequestBuilder) -> Call<Response> {
        let server = self.servers.now();
        match request(&server).send().await {
            Ok(response) => {
                self.servers.heard(&server, &response);
                Ok(response)
            }
            Err(error) => {
                self.servers.lost(&server);
                Err(unavailable(&error))
            }
        }
    }

    async fn answer(&self, request: impl Fn(&str) -> RequestBuilder) -> Call<Response> {
        let response = self.send(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response).await)
    }
}

async fn refusal(response: Response) -> CallError {
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    let problem: Option<Problem> = serde_json::from_str(&text).ok();
    let code = problem.as_ref().map_or("", |problem| problem.code.as_str());
    let detail = problem.as_ref().map_or_else(
        || {
            format!(
                "status {status} {}",
                text.chars().take(200).collect::<String>()
            )
        },
        |problem| problem.detail.clone(),
    );
    match (status, code) {
        (StatusCode::CONFLICT, "fenced") => CallError::Fenced,
        (StatusCode::NOT_FOUND, "unknown_host") => CallError::UnknownHost,
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => CallError::Forbidden(detail),
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, _) => {
            CallError::Unavailable(detail)
        }
        _ if status.is_server_error() => CallError::Unavailable(detail),
        _ => CallError::Refused(detail),
    }
}

fn unavailable(error: &reqwest::Error) -> CallError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    CallError::Unavailable(text)
}

/// One TLS provider for the process. An embedding program may have installed its own: that is fine.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
