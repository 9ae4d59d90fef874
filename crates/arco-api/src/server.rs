//! The server: connections in, and an orderly end.
//!
//! ```text
//! accept ──► one task per connection ──► router
//!    │                 │
//!    └── shutdown: no new connections; long polls and streams end; requests under way are answered;
//!        what is not done after the grace is dropped. All tasks are joined before `serve` returns.
//! ```
//!
//! The loop is our own rather than `axum::serve`, which cannot bound the time a request's head takes,
//! nor the number of connections, nor the time the end takes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arco_engine::Engine;
use arco_engine::ids::Ids;
use arco_ingest::SensorSecrets;
use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use crate::app::{App, Parts, Workspace};
use crate::auth::origin::Names;
use crate::auth::{Access, AttemptSecret, AuthError, AuthSettings};
use crate::log_news::LogNews;
use crate::metrics::Metrics;
use crate::partition_counts::warm;
use crate::worker::replay::Replays;
use crate::{limits, router};

/// The parts a server is made of.
#[derive(Debug)]
pub struct ApiOptions {
    /// The engines, by workspace name.
    pub workspaces: BTreeMap<String, Engine>,
    /// Where it listens. Bound by the caller, who has said so to people and knows the port.
    pub listener: TcpListener,
    /// Who may do what.
    pub auth: AuthSettings,
    /// What senders of messages for sensors sign with.
    pub sensor_secrets: SensorSecrets,
    /// Makes and checks the tokens of attempts. Replicas share it; see [`AttemptSecret`].
    pub attempt_secret: AttemptSecret,
    /// Randomness for request ids.
    pub ids: Arc<dyn Ids>,
    /// Behaviour.
    pub settings: ApiSettings,
}

/// How a server behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSettings {
    /// Connections at once; more wait in the kernel. Two per worker host and one per open page.
    pub connections_max: usize,
    /// Event streams at once.
    pub streams_max: usize,
    /// A comment is sent on a stream that was silent for this long: proxies close silent ones after
    /// 30 to 60 s. Milliseconds.
    pub stream_heartbeat_ms: u64,
    /// Longest wait of a read for its `arco-min-position`. Milliseconds.
    pub min_position_wait_ms: u64,
    /// Requests under way may take this long when the server goes down. Milliseconds.
    pub shutdown_grace_ms: u64,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            streams_max: 1_024,
            stream_heartbeat_ms: 15_000,
            min_position_wait_ms: 2_000,
            shutdown_grace_ms: 10_000,
        }
    }
}

impl ApiSettings {
    pub(crate) fn stream_heartbeat(&self) -> Duration {
        Duration::from_millis(self.stream_heartbeat_ms)
    }

    pub(crate) fn min_position_wait(&self) -> Duration {
        Duration::from_millis(self.min_position_wait_ms)
    }

    fn shutdown_grace(&self) -> Duration {
        Duration::from_millis(self.shutdown_grace_ms)
    }
}

/// A server that did not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The auth settings cannot stand.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The listener does not say where it listens.
    #[error("the listening socket does not answer: {0}")]
    Listener(#[from] std::io::Error),
}

/// Serves until `shutdown` is cancelled, then ends what is open and joins all tasks.
///
/// # Errors
/// [`ServeError`] before anything was served; never afterwards.
pub async fn serve(options: ApiOptions, shutdown: CancellationToken) -> Result<(), ServeError> {
    let address = options.listener.local_addr()?;
    let tasks = TaskTracker::new();
    let grace = options.settings.shutdown_grace();
    let connections = Arc::new(Semaphore::new(options.settings.connections_max));
    let app = App::new(Parts {
        workspaces: workspaces(options.workspaces, &options.attempt_secret),
        access: Access::new(&options.auth)?,
        names: Names::new(&options.auth, address),
        sensor_secrets: options.sensor_secrets,
        streams: Arc::new(Semaphore::new(options.settings.streams_max)),
        settings: options.settings,
        metrics: Metrics::new(),
        ids: options.ids,
        shutdown: shutdown.clone(),
        tasks: tasks.clone(),
    });
    for workspace in app.workspaces() {
        let (engine, counts) = (workspace.engine.clone(), Arc::clone(&workspace.counts));
        tasks.spawn(warm::watch(engine, counts, shutdown.clone()));
    }
    let router = router::router(app);
    // Cancelled when the grace is over.
    let drop_all = CancellationToken::new();
    tracing::info!(%address, "listening");
    loop {
        let permit = tokio::select! {
            () = shutdown.cancelled() => break,
            permit = Arc::clone(&connections).acquire_owned() => permit,
        };
        let stream = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = options.listener.accept() => accepted,
        };
        match (permit, stream) {
            (Ok(permit), Ok((stream, peer))) => {
                let connection = connection(
                    stream,
                    peer,
                    router.clone(),
                    shutdown.clone(),
                    drop_all.clone(),
                );
                tasks.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            (_, Err(error)) => refused(&error).await,
            (Err(_), _) => break,
        }
    }
    drop(options.listener);
    tasks.close();
    if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
        tracing::warn!(
            open = tasks.len(),
            "requests were dropped: they took longer than the grace"
        );
        drop_all.cancel();
        tasks.wait().await;
    }
    Ok(())
}

fn workspaces(
    engines: BTreeMap<String, Engine>,
    secret: &AttemptSecret,
) -> BTreeMap<String, Arc<Workspace>> {
    let workspace = |(name, engine): (String, Engine)| {
        let workspace = Workspace {
            name: name.clone(),
            engine,
            attempt_secret: secret.clone(),
            replays: Replays::default(),
            counts: Arc::default(),
            log_news: LogNews::default(),
        };
        (name, Arc::new(workspace))
    };
    engines.into_iter().map(workspace).collect()
}

/// Out of descriptors, or the peer gave up before we looked: the next accept may do better, but
/// not at once.
async fn refused(error: &std::io::Error) {
    tracing::warn!(%error, "a connection was not accepted");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
    drop_all: CancellationToken,
) {
    // Answers are small and awaited: waiting for more bytes to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request)
    });
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIMEOUT);
    let serving = server.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    tokio::select! {
        ended = serving.as_mut() => return closed(ended),
        () = shutdown.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        ended = serving.as_mut() => closed(ended),
        () = drop_all.cancelled() => {}
    }
}

/// Peers that hang up are everyday.
fn closed(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}
