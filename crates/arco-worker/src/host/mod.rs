//! The host: one loop, one inbox, every decision in one place.
//!
//! ```text
//!  calls ───────┐                    ┌──► calls (exchange, heartbeat, register)
//!  children ────┼──► inbox ──► Loop ─┼──► children (run, stop, leave)
//!  zygotes ─────┤   (Wake)           └──► zygotes (fork, renew, shutdown)
//!  reload ──────┘
//! ```
//!
//! A wake-up says what happened; [`Loop`] notes it, and when the inbox is empty it looks at the whole
//! of its state and does what is due (`advance`). So a wake-up that is lost or comes twice does no
//! harm, and there is one code path for the happy case and for recovery.

mod children;
mod deadline;
mod evaluations;
mod hands;
mod link;
mod loading;
mod orphans;
mod outbox;
mod prefetch;
mod status;
mod stopping;
mod turn;
mod watch;
mod work;

use std::sync::Arc;

use arco_core::HostId;
use arco_wire::worker::ErrorInfo;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::child;
use crate::client::Client;
use crate::death::MemoryWitness;
use crate::logs::Uploads;
use crate::settings::Settings;
use crate::zygote;

pub use status::{HostHandle, HostStatus};

use turn::Loop;

/// Wake-ups that may wait. Senders are tasks that can wait in turn, so this only has to be enough
/// to let a burst of short bodies be handled together.
const INBOX_MAX: usize = 4_096;

/// What can wake the loop.
#[derive(Debug)]
pub(crate) enum Wake {
    Child(child::ChildId, child::Event),
    Zygote(zygote::ZygoteId, zygote::Event),
    Answer(link::Answer),
    Evaluations(evaluations::Answer),
    Reload,
}

/// Why a host ended.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The interpreter could not be started.
    #[error(
        "cannot start Python with `{python}`: name an interpreter that has arco-flow installed \
         (`--python`, or a `.venv` beside the definitions)"
    )]
    Python {
        /// What was tried.
        python: String,
        /// Why not.
        source: std::io::Error,
    },
    /// User code did not load.
    #[error("`{target}` did not load: {}: {}\n{}", error.kind, error.message, error.traceback)]
    Load {
        /// What was loaded.
        target: String,
        /// What was raised.
        error: ErrorInfo,
    },
    /// The control plane refused the definitions.
    #[error("the control plane refused the definitions of `{location}`: {detail}")]
    Definitions {
        /// Code location.
        location: String,
        /// Why.
        detail: String,
    },
    /// The control plane refused the token.
    #[error(
        "the control plane refused this host: {detail}; it needs a token of role `worker:{location}`"
    )]
    Token {
        /// Code location.
        location: String,
        /// What it said.
        detail: String,
    },
    /// The HTTP client could not be made.
    #[error("cannot set up HTTP for the control plane")]
    Http(#[from] reqwest::Error),
    /// The operating system refused something the host cannot do without.
    #[error("cannot {attempt}")]
    System {
        /// What was attempted.
        attempt: &'static str,
        /// Why not.
        source: std::io::Error,
    },
}

/// A worker host that has not begun yet.
#[derive(Debug)]
pub struct Host {
    inner: Loop,
}

impl Host {
    /// A host and the handle to steer and watch it.
    ///
    /// # Errors
    /// When HTTP cannot be set up.
    pub fn new(settings: Settings) -> Result<(Self, HostHandle), HostError> {
        let settings = Arc::new(settings);
        let client = Client::new(&settings)?;
        let (wakes, inbox) = mpsc::channel(INBOX_MAX);
        let (status, seen) = tokio::sync::watch::channel(HostStatus::Loading);
        let handle = HostHandle::new(wakes.clone(), seen);
        let shared = Arc::new(child::Shared {
            settings: settings.clone(),
            uploads: Uploads::new(client.clone(), settings),
            memory: MemoryWitness::new(),
            wakes,
        });
        Ok((
            Self {
                inner: Loop::new(new_id()?, client, shared, inbox, status),
            },
            handle,
        ))
    }

    /// Serves until `shutdown`, then stops what runs, reports it and leaves.
    ///
    /// Dropping the future instead kills the Python processes, and the control plane finds out when
    /// the lease expires.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), HostError> {
        orphans::prepare_process();
        self.inner.run(shutdown).await
    }
}

/// [`Host::new`] and [`Host::run`] in one, for callers that neither steer nor watch.
///
/// # Errors
/// See [`HostError`].
pub async fn run(settings: Settings, shutdown: CancellationToken) -> Result<(), HostError> {
    let (host, _handle) = Host::new(settings)?;
    host.run(shutdown).await
}

fn new_id() -> Result<HostId, HostError> {
    let random = orphans::random_bits().map_err(|source| HostError::System {
        attempt: "read random bits for an id",
        source,
    })?;
    Ok(HostId::from_parts(crate::clock::wall_ms(), random))
}
