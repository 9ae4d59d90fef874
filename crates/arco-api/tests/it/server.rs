//! A server under test and a client for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Once};

use arco_api::{ApiOptions, ApiSettings, AttemptSecret, AuthSettings, ServeError};
use arco_engine::Engine;
use arco_ingest::SensorSecrets;
use arco_testkit::{ManifestBuilder, World, asset, check};
use arco_wire::problem::Problem;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A server and everything below it.
pub(crate) struct Server {
    pub(crate) world: World,
    pub(crate) engine: Engine,
    /// `http://127.0.0.1:PORT`
    pub(crate) root: String,
    pub(crate) http: reqwest::Client,
    pub(crate) shutdown: CancellationToken,
    serving: JoinHandle<Result<(), ServeError>>,
}

/// What differs from the plain server.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) auth: AuthSettings,
    pub(crate) sensor_secrets: SensorSecrets,
    pub(crate) settings: ApiSettings,
}

impl Server {
    /// In a fresh world, without tokens.
    pub(crate) async fn start() -> Self {
        Self::in_world(World::new(), Setup::default()).await
    }

    /// With definitions: see [`flights`].
    pub(crate) async fn with_flights() -> Self {
        let server = Self::start().await;
        arco_testkit::world::deploy(&server.engine, &flights()).await;
        server
    }

    pub(crate) async fn in_world(world: World, setup: Setup) -> Self {
        let engine = world.engine().await;
        Self::over(world, engine, setup).await
    }

    /// Over an engine of that world.
    pub(crate) async fn over(world: World, engine: Engine, setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let root = format!("http://{}", listener.local_addr().expect("it listens"));
        let shutdown = CancellationToken::new();
        let options = ApiOptions {
            workspaces: BTreeMap::from([("default".to_owned(), engine.clone())]),
            listener,
            auth: setup.auth,
            sensor_secrets: setup.sensor_secrets,
            attempt_secret: AttemptSecret::random(1, 2),
            ids: Arc::new(world.ids.split()),
            settings: setup.settings,
        };
        let serving = tokio::spawn(arco_api::serve(options, shutdown.clone()));
        Self {
            world,
            engine,
            root,
            http: client(),
            shutdown,
            serving,
        }
    }

    /// A path below the workspace, or from the root when it begins with `/`.
    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with('/') {
            format!("{}{path}", self.root)
        } else {
            format!("{}/api/v1/workspaces/default/{path}", self.root)
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// Asks for a run and expects a new one; its id.
    pub(crate) async fn run(&self, body: Value) -> String {
        let reply = self.post("runs", &body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
        reply.value()["run"]["id"]
            .as_str()
            .expect("a run has an id")
            .to_owned()
    }

    /// All rows of a list, page by page.
    pub(crate) async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = match &token {
                None => format!("{path}{joint}limit={limit}"),
                Some(token) => format!("{path}{joint}limit={limit}&page_token={token}"),
            };
            let page = self.get(&page).await.ok();
            let items = page["items"].as_array().expect("a page has items").clone();
            assert!(
                items.len() <= limit,
                "a page of {} over limit {limit}",
                items.len()
            );
            rows.extend(items);
            match page["next_page_token"].as_str() {
                Some(next) => token = Some(next.to_owned()),
                None => return rows,
            }
        }
    }

    /// Stops, and proves that it stops well.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.serving
            .await
            .expect("the server does not panic")
            .expect("the server ends well");
        self.engine.shutdown().await;
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body of a 200.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.value()
    }

    /// The refusal, after proving that it has the one shape.
    pub(crate) fn problem(&self) -> Problem {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text
        );
        let problem: Problem = self.read();
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(problem.request_id, self.header("x-request-id"));
        assert_eq!(
            problem.type_url,
            format!("https://arco.dev/errors/{}", problem.code.replace('_', "-"))
        );
        problem
    }

    /// The refusal's code and status.
    pub(crate) fn code(&self) -> (u16, String) {
        (self.status.as_u16(), self.problem().code)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("plain text"))
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.expect("the server answers");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("the body is there");
    Reply {
        status,
        headers,
        text,
    }
}

fn client() -> reqwest::Client {
    static CRYPTO: Once = Once::new();
    CRYPTO.call_once(|| {
        // reqwest wants a provider even for plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
}

/// A small project: a raw table with a blocking check, 35 days of a daily table (the world begins on
/// 2026-01-05), a report over all of them, an external asset, a step with configuration.
pub(crate) fn flights() -> ManifestBuilder {
    let schema = json!({"type": "object", "properties": {"rows": {"type": "integer"}}, "additionalProperties": false});
    ManifestBuilder::new("flights")
        .asset(
            asset("raw/flights")
                .with("group", json!("raw"))
                .with("kinds", json!(["csv"]))
                .step_with("config_schema", schema),
        )
        .asset(
            asset("daily")
                .daily("2025-12-01")
                .needs("raw/flights")
                .code_version("1"),
        )
        .asset(
            asset("report")
                .needs("daily")
                .with("description", json!("What happened.\nAt length.")),
        )
        .asset(asset("airports").external())
        .check(check("raw/flights", "not_empty").inside().blocking())
}
