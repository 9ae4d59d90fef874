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
        let server = settings.server.trim_end_matches('/');
        let base = format!("{server}/api/v1/workspaces/{}/worker", settings.workspace);
        Ok(Self {
            http,
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
        let request = self.request(Method::POST, &path, body.wait_ms).json(body);
        let response = request.send().await.map_err(|error| unavailable(&error))?;
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
        let request = self.request(Method::POST, &format!("hosts/{host}/leave"), 0);
        answer(request.json(&serde_json::json!({}))).await.map(drop)
    }

    pub(crate) async fn failed_load(&self, host: HostId, body: &FailedLoad) -> Call<()> {
        let request = self.request(Method::POST, &format!("hosts/{host}/failed_load"), 0);
        answer(request.json(body)).await.map(drop)
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
        let url = format!("{}/attempts/{attempt}/logs/{stream}/{chunk}", self.base);
        let request = self
            .http
            .put(url)
            .bearer_auth(token)
            .timeout(Duration::from_millis(ANSWER_MS_MAX))
            .body(bytes);
        answer(request).await.map(drop)
    }

    async fn post<B: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        wait_ms: u64,
    ) -> Call<A> {
        let response = answer(self.request(Method::POST, path, wait_ms).json(body)).await?;
        response.json().await.map_err(|error| unavailable(&error))
    }

    fn request(&self, method: Method, path: &str, wait_ms: u64) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/{path}", self.base));
        let request = request.timeout(Duration::from_millis(ANSWER_MS_MAX + wait_ms));
        match self.token.reveal() {
            // A control plane without tokens, as `arco dev` has it on loopback.
            "" => request,
            token => request.bearer_auth(token),
        }
    }
}

async fn answer(request: RequestBuilder) -> Call<Response> {
    let response = request.send().await.map_err(|error| unavailable(&error))?;
    if response.status().is_success() {
        return Ok(response);
    }
    Err(refusal(response).await)
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
