//! What every request shares.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_engine::Engine;
use arco_engine::ids::Ids;
use arco_ingest::SensorSecrets;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::origin::Names;
use crate::auth::{Access, AttemptSecret};
use crate::log_news::LogNews;
use crate::metrics::Metrics;
use crate::partition_counts::CountsCache;
use crate::server::ApiSettings;
use crate::worker::replay::Replays;

/// The shared parts, behind one pointer.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) workspaces: BTreeMap<String, Arc<Workspace>>,
    pub(crate) access: Access,
    pub(crate) names: Names,
    /// What senders of messages sign with.
    pub(crate) sensor_secrets: SensorSecrets,
    pub(crate) settings: ApiSettings,
    pub(crate) metrics: Metrics,
    pub(crate) ids: Arc<dyn Ids>,
    /// Ends long polls and streams.
    pub(crate) shutdown: CancellationToken,
    /// Work that must end well although its caller is gone.
    pub(crate) tasks: TaskTracker,
    /// One permit per open event stream.
    pub(crate) streams: Arc<Semaphore>,
}

/// One workspace.
pub(crate) struct Workspace {
    pub(crate) name: String,
    pub(crate) engine: Engine,
    pub(crate) attempt_secret: AttemptSecret,
    pub(crate) replays: Replays,
    pub(crate) counts: Arc<CountsCache>,
    /// Wakes who follows the output of a run.
    pub(crate) log_news: LogNews,
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) fn workspace(&self, name: &str) -> Option<Arc<Workspace>> {
        self.0.workspaces.get(name).cloned()
    }

    pub(crate) fn workspaces(&self) -> impl Iterator<Item = &Arc<Workspace>> {
        self.0.workspaces.values()
    }

    pub(crate) fn workspace_names(&self) -> impl Iterator<Item = &str> {
        self.0.workspaces.keys().map(String::as_str)
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(crate) fn names(&self) -> &Names {
        &self.0.names
    }

    pub(crate) fn sensor_secrets(&self) -> &SensorSecrets {
        &self.0.sensor_secrets
    }

    pub(crate) fn settings(&self) -> &ApiSettings {
        &self.0.settings
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn shutdown(&self) -> &CancellationToken {
        &self.0.shutdown
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    pub(crate) fn streams(&self) -> &Arc<Semaphore> {
        &self.0.streams
    }

    /// A fresh id for a message that came without.
    pub(crate) fn message_id(&self) -> String {
        format!("msg_{:032x}", self.0.ids.random())
    }

    /// A fresh request id.
    pub(crate) fn request_id(&self) -> String {
        format!("req_{:032x}", self.0.ids.random())
    }
}
