//! One call: built, sent, read.

use std::fmt::Display;
use std::time::Duration;

use arco_wire::api::IDEMPOTENCY_KEY_HEADER;
use arco_wire::problem::Problem;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::failure::{Failure, Outcome};

use super::{ANSWER_MAX, CallError, PATIENCE};

/// Pauses between tries: quick first, because a restart often takes less than a second.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Functions may be given hours; who waits for one by hand will not wait longer than this.
const USER_CODE_MAX: Duration = Duration::from_secs(600);
/// No answer of ours is larger; a foreign server must not fill the memory.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A call that can be made.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    http: reqwest::Client,
    method: Method,
    url: Url,
    token: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<Value>,
    patience: Duration,
    deadline: Duration,
}

impl Request {
    pub(super) fn new(
        http: reqwest::Client,
        method: Method,
        url: Url,
        token: Option<String>,
    ) -> Self {
        Self {
            http,
            method,
            url,
            token,
            headers: Vec::new(),
            body: None,
            patience: Duration::ZERO,
            deadline: ANSWER_MAX,
        }
    }

    /// Adds to the query.
    #[must_use]
    pub(crate) fn query(mut self, name: &str, value: impl Display) -> Self {
        self.url
            .query_pairs_mut()
            .append_pair(name, &value.to_string());
        self
    }

    /// Adds to the query when there is a value.
    #[must_use]
    pub(crate) fn query_opt(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a header whose name is not ours.
    pub(crate) fn named_header(mut self, name: &str, value: &str) -> Outcome<Self> {
        let fits = HeaderName::try_from(name).is_ok() && HeaderValue::try_from(value).is_ok();
        if !fits {
            return Err(Failure::new(format!(
                "`{name}: {value}` cannot be sent as a header"
            )));
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        Ok(self)
    }

    /// Sends JSON.
    #[must_use]
    pub(crate) fn json<T: Serialize>(mut self, body: &T) -> Self {
        self.body = Some(serde_json::to_value(body).expect("wire types have string keys"));
        self
    }

    /// The same key and body again is the same request, so that it may be repeated.
    #[must_use]
    pub(crate) fn idempotent(self, key: &str) -> Self {
        self.header(IDEMPOTENCY_KEY_HEADER, key)
    }

    /// Waits longer for the answer than for others: user code is asked.
    #[must_use]
    pub(crate) fn asks_user_code(mut self) -> Self {
        self.deadline = USER_CODE_MAX;
        self
    }

    /// Repeats the call for a while when the control plane is away. For reads and idempotent writes.
    #[must_use]
    pub(crate) fn patient(mut self) -> Self {
        self.patience = PATIENCE;
        self
    }

    /// Sends it and reads the JSON that comes back.
    pub(crate) async fn send<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        let response = self.response().await?;
        let url = response.url().to_string();
        let bytes = self.read(response).await?;
        serde_json::from_slice(&bytes).map_err(|error| CallError::Foreign {
            url,
            answer: error.to_string(),
        })
    }

    /// Sends it and gives the answer, body unread, once it is a good one.
    pub(crate) async fn response(&self) -> Result<Response, CallError> {
        let until = Instant::now() + self.patience;
        let mut pause = PAUSE_FIRST;
        loop {
            match self.once().await {
                Err(error) if error.is_transient() && Instant::now() + pause < until => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                result => return result,
            }
        }
    }

    async fn once(&self) -> Result<Response, CallError> {
        let request = self.build();
        let sent = tokio::time::timeout(self.deadline, request.send()).await;
        let response = match sent {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(CallError::unreachable(self.server(), &error)),
            Err(_) => return Err(self.late()),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let url = response.url().to_string();
        let bytes = self.read(response).await.unwrap_or_default();
        Err(refusal(url, status, &bytes))
    }

    fn build(&self) -> reqwest::RequestBuilder {
        let mut request = self.http.request(self.method.clone(), self.url.clone());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// The whole body, bounded in size and time.
    pub(crate) async fn read(&self, mut response: Response) -> Result<Vec<u8>, CallError> {
        let url = response.url().to_string();
        let read = async {
            let mut bytes = Vec::new();
            while let Some(chunk) = response
                .chunk()
                .await
                .map_err(|e| CallError::unreachable(self.server(), &e))?
            {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > BODY_BYTES_MAX {
                    return Err(CallError::Foreign {
                        url,
                        answer: "it does not end".into(),
                    });
                }
            }
            Ok(bytes)
        };
        tokio::time::timeout(self.deadline, read)
            .await
            .unwrap_or_else(|_| Err(self.late()))
    }

    fn late(&self) -> CallError {
        CallError::Unreachable {
            server: self.server(),
            cause: format!("no answer within {} s", self.deadline.as_secs()),
        }
    }

    fn server(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

fn refusal(url: String, status: StatusCode, bytes: &[u8]) -> CallError {
    match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => CallError::Refused(Box::new(problem)),
        Err(_) => CallError::Foreign {
            url,
            answer: format!("status {status}"),
        },
    }
}
