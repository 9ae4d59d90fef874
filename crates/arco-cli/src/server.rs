//! A control plane in this process: an engine on a store, the API on a port. What `dev` and `serve`
//! have in common.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arco_api::{ApiOptions, ApiSettings, AttemptSecret, AuthSettings, ServeError};
use arco_engine::clock::SystemClock;
use arco_engine::ids::{Ids, RandomIds};
use arco_engine::{Engine, EngineOptions, EngineSettings};
use arco_log::LogStore;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::failure::{Attempt, Failure, Outcome};

mod messages;

pub(crate) use messages::{Messages, MessagesOptions};

/// Where the command line looks for a control plane when nobody tells it.
pub(crate) const DEFAULT_PORT: u16 = 3000;
/// Who is on our port is asked for so long, for the sake of a better message.
const WHO_MAX: Duration = Duration::from_millis(500);

/// A port that is ours. Connections wait in its queue until the server has recovered, so nobody is
/// refused and nobody is answered too early.
#[derive(Debug)]
pub(crate) struct Listening {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Takes the address, or says who has it.
    pub(crate) async fn bind(address: SocketAddr) -> Outcome<Self> {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let address = listener
                    .local_addr()
                    .attempt(|| "could not read the address of the port")?;
                Ok(Self { listener, address })
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                let who = who_listens(address).await;
                Err(Failure::new(format!(
                    "port {} of {} is in use{who}",
                    address.port(),
                    address.ip()
                )))
            }
            Err(error) => Err(error).attempt(|| format!("could not listen on {address}")),
        }
    }

    /// The address as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// ` by arco (process 42)` when it is one of us.
async fn who_listens(address: SocketAddr) -> String {
    let ask = async {
        let health = reqwest::get(format!("http://{address}/health"))
            .await
            .ok()?;
        health.json::<arco_wire::api::Health>().await.ok()
    };
    match tokio::time::timeout(WHO_MAX, ask).await {
        Ok(Some(health)) => format!(" by arco (process {})", health.pid),
        _ => String::new(),
    }
}

/// What a server is made of.
pub(crate) struct Parts {
    pub(crate) store: LogStore,
    pub(crate) workspace: String,
    pub(crate) auth: AuthSettings,
    pub(crate) secret: AttemptSecret,
    pub(crate) messages: Messages,
    pub(crate) settings: EngineSettings,
    /// Where others reach this process, when that is not where it listens.
    pub(crate) url: Option<String>,
}

/// A control plane that has recovered and answers.
#[derive(Debug)]
pub(crate) struct Server {
    engine: Engine,
    stop: CancellationToken,
    api: tokio::sync::Mutex<Option<JoinHandle<Result<(), ServeError>>>>,
}

impl Server {
    /// Recovers, then answers. When this returns, `/health` is 200.
    pub(crate) async fn start(parts: Parts, listening: Listening) -> Outcome<Self> {
        let ids: Arc<dyn Ids> = Arc::new(RandomIds);
        let options = EngineOptions {
            store: parts.store,
            tenant: "default".into(),
            workspace: parts.workspace.clone(),
            url: parts.url.unwrap_or_else(|| listening.url()),
            clock: Arc::new(SystemClock::default()),
            ids: Arc::clone(&ids),
            settings: parts.settings,
        };
        let engine = Engine::start(options).await.map_err(|error| {
            Failure::from(error)
                .context(format!(
                    "could not start on workspace `{}`",
                    parts.workspace
                ))
                .hint("`arco log verify` reports what is damaged, when something is")
        })?;
        let options = ApiOptions {
            workspaces: BTreeMap::from([(parts.workspace, engine.clone())]),
            listener: listening.listener,
            auth: parts.auth,
            sensor_secrets: parts.messages.secrets,
            attempt_secret: parts.secret,
            ids,
            settings: ApiSettings::default(),
        };
        let stop = CancellationToken::new();
        for consumer in parts.messages.consumers {
            messages::take(consumer, engine.clone(), stop.clone());
        }
        let api = tokio::spawn(arco_api::serve(options, stop.clone()));
        Ok(Self {
            engine,
            stop,
            api: tokio::sync::Mutex::new(Some(api)),
        })
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine.clone()
    }

    /// Returns when the API ended although nobody asked it to. Safe to drop.
    pub(crate) async fn failed(&self) -> Failure {
        let mut api = self.api.lock().await;
        let Some(running) = api.as_mut() else {
            return std::future::pending().await;
        };
        let ended = running.await;
        *api = None;
        match ended {
            Ok(Ok(())) => Failure::new("the API ended by itself"),
            Ok(Err(error)) => Failure::from(error).context("the API ended by itself"),
            Err(error) => Failure::from(error).context("the API ended by itself"),
        }
    }

    /// Releases the lead, ends streams and long polls, answers what was asked, stops.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        if let Some(api) = self.api.lock().await.take() {
            // A request is answered while there is an engine to answer it.
            if let Ok(Err(error)) = api.await {
                tracing::warn!(target: "arco", %error, "the API did not end well");
            }
        }
        self.engine.shutdown().await;
    }
}
