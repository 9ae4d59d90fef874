//! A blocking HTTP client for a server under test. Numbers are read here, never from printed text.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::timing::poll;

/// No call of the API takes this long on a healthy loopback server; a hung one must not hang us.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest workload takes a few seconds.
const RUN_PATIENCE: Duration = Duration::from_secs(300);
/// Often enough not to show in the figures, seldom enough not to be the load.
const RUN_PAUSE: Duration = Duration::from_millis(5);

/// A client of one server. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    agent: ureq::Agent,
    base: String,
}

impl Api {
    /// A client of the server on a loopback port.
    pub(crate) fn on_port(port: u16) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(CALL_TIMEOUT))
            .http_status_as_error(false)
            .build()
            .into();
        Self {
            agent,
            base: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Where the server is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether the server has recovered and answers.
    pub(crate) fn is_healthy(&self) -> bool {
        self.agent
            .get(format!("{}/health", self.base))
            .call()
            .is_ok_and(|answer| answer.status().as_u16() == 200)
    }

    /// Reads a resource of the default workspace.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let url = self.url(path);
        let answer = self
            .agent
            .get(&url)
            .call()
            .with_context(|| format!("GET {url}"))?;
        read(answer).with_context(|| format!("GET {url}"))
    }

    /// Posts to a resource of the default workspace.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = self.url(path);
        let answer = self
            .agent
            .post(&url)
            .send_json(body)
            .with_context(|| format!("POST {url}"))?;
        read(answer).with_context(|| format!("POST {url}"))
    }

    /// Requests a run of the selected assets and gives its id.
    pub(crate) fn launch(&self, selection: &str) -> Result<String> {
        let created = self.post("runs", &json!({ "selection": selection }))?;
        created["run"]["id"]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("find the id of the new run in {created}"))
    }

    /// A run as it stands.
    pub(crate) fn run(&self, id: &str) -> Result<Run> {
        let view = self.get(&format!("runs/{id}"))?;
        serde_json::from_value(view).with_context(|| format!("read run {id}"))
    }

    /// Waits until a run has ended well.
    pub(crate) fn wait_succeeded(&self, id: &str) -> Result<()> {
        let ended = poll(RUN_PATIENCE, RUN_PAUSE, || match self.run(id) {
            Ok(run) => match run.status.as_str() {
                "queued" | "started" => None,
                "success" => Some(Ok(())),
                other => Some(Err(anyhow!(
                    "run {id} ended in {other}: {}",
                    run.failures()
                ))),
            },
            Err(error) => Some(Err(error)),
        });
        ended.unwrap_or_else(|| bail!("run {id} has not ended after {RUN_PATIENCE:?}"))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1/workspaces/default/{path}", self.base)
    }
}

/// What the commands read of a run.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Run {
    pub(crate) status: String,
    #[serde(default)]
    failures: Vec<Value>,
}

impl Run {
    /// The first tasks that failed, one a line, for an error message.
    pub(crate) fn failures(&self) -> String {
        let line = |failure: &Value| {
            let word = |pointer: &str| {
                failure
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            format!(
                "{} {}: {}: {}",
                word("/step"),
                word("/partition"),
                word("/error/type"),
                word("/error/message")
            )
        };
        self.failures
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Result<Value> {
    let status = answer.status();
    let text = answer
        .body_mut()
        .read_to_string()
        .context("read the answer")?;
    if !status.is_success() {
        return Err(anyhow!("{status}: {text}"));
    }
    serde_json::from_str(&text).context("parse the answer as JSON")
}
