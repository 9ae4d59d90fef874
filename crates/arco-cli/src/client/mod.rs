//! The HTTP client of the command line.
//!
//! Every call has a deadline, every error a way out. Reads and writes with an idempotency key are
//! tried again for a few seconds when the control plane is away, so that a restart of it is no failure
//! of a command that waits.

mod error;
mod request;
pub(crate) mod sse;

use std::time::Duration;

use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::error::CallError;
pub(crate) use self::request::Request;
use crate::args::Connection;
use crate::env_vars;
use crate::failure::{Attempt, Failure, Outcome};
use crate::render::plural;

/// A control plane that does not accept a connection in this time is away.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Longest wait for an answer. Planning a large run takes seconds; more than this is lost.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// How long a call that may be repeated is repeated: a restart with recovery takes less.
const PATIENCE: Duration = Duration::from_secs(10);

/// Talks to one workspace of one control plane.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    root: Url,
    workspace: String,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(connection: &Connection) -> Outcome<Self> {
        let root = server_url(&connection.server)?;
        let token = match &connection.token_file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .attempt(|| format!("could not read the token file `{}`", file.display()))?;
                Some(text.trim().to_owned())
            }
            None => env_vars::read(env_vars::TOKEN),
        };
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_MAX)
            .tcp_nodelay(true)
            .user_agent(concat!("arco/", env!("CARGO_PKG_VERSION")))
            // A control plane is asked directly: a proxy for the web has no business here.
            .no_proxy()
            .build()
            .attempt(|| "could not prepare the HTTP client")?;
        Ok(Self {
            http,
            root,
            workspace: connection.workspace.clone(),
            token,
        })
    }

    /// Address of the control plane, without a slash at the end.
    pub(crate) fn server(&self) -> String {
        self.root.as_str().trim_end_matches('/').to_owned()
    }

    /// A read below the workspace.
    pub(crate) fn get<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Request {
        self.request(reqwest::Method::GET, path)
    }

    /// A write below the workspace.
    pub(crate) fn put<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Request {
        self.request(reqwest::Method::PUT, path)
    }

    /// Sends something.
    pub(crate) fn post<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Request {
        self.request(reqwest::Method::POST, path)
    }

    /// Changes something.
    pub(crate) fn patch<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Request {
        self.request(reqwest::Method::PATCH, path)
    }

    fn request<'a>(
        &self,
        method: reqwest::Method,
        path: impl IntoIterator<Item = &'a str>,
    ) -> Request {
        let mut url = self.root.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // Segments are escaped one by one: asset keys hold slashes.
            segments
                .pop_if_empty()
                .extend(["api", "v1", "workspaces", &self.workspace])
                .extend(path);
        }
        Request::new(self.http.clone(), method, url, self.token.clone())
    }
}

/// A list as far as it was asked for.
pub(crate) struct Rows<T> {
    /// What was read.
    pub(crate) items: Vec<T>,
    /// There is more than that.
    pub(crate) is_cut: bool,
}

impl<T> Rows<T> {
    /// What to say of a list that goes on; `noun` is what its rows are.
    pub(crate) fn rest(&self, noun: &str) -> Option<String> {
        let shown = match self.items.len() {
            1 => format!("the first {noun} is shown"),
            n => format!("the first {} are shown", plural(n as u64, noun)),
        };
        self.is_cut
            .then(|| format!("{shown}; --limit N shows up to N"))
    }
}

/// Reads a whole list, page after page, up to `max` rows.
pub(crate) async fn all_pages<T: DeserializeOwned + Serialize>(
    request: &Request,
    max: usize,
) -> Outcome<Vec<T>> {
    rows(request, max).await.map(|rows| rows.items)
}

/// Reads a list, page after page, up to `max` rows, and whether it goes on.
pub(crate) async fn rows<T: DeserializeOwned + Serialize>(
    request: &Request,
    max: usize,
) -> Outcome<Rows<T>> {
    let mut rows = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let limit = (max - rows.len()).min(1_000);
        let mut page = request.clone().query("limit", limit);
        if let Some(token) = &token {
            page = page.query("page_token", token);
        }
        let page: arco_wire::api::Page<T> = page.send().await?;
        rows.extend(page.items);
        token = page.next_page_token;
        if token.is_none() || rows.len() >= max {
            let is_cut = token.is_some() || rows.len() > max;
            rows.truncate(max);
            return Ok(Rows {
                items: rows,
                is_cut,
            });
        }
    }
}

fn server_url(text: &str) -> Outcome<Url> {
    let example = || "a server is given as `http://127.0.0.1:3000` or `https://arco.example.com`";
    let url = Url::parse(text)
        .attempt(|| format!("`{text}` is not the address of a server"))
        .map_err(|failure| failure.hint(example()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(
            Failure::new(format!("`{text}` is not the address of a server")).hint(example()),
        );
    }
    Ok(url)
}

/// One TLS provider for the process. Called first of all: an HTTP client cannot be made without.
pub(crate) fn install_crypto() {
    // It fails when there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
