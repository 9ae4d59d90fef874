//! What others may see of a host, and how they steer it.

use arco_core::{Digest, HostId};
use arco_wire::worker::ErrorInfo;
use tokio::sync::{mpsc, watch};

use super::Wake;

/// How a host is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostStatus {
    /// User code is being loaded.
    Loading,
    /// User code did not load; definitions loaded before stay in force.
    LoadFailed(ErrorInfo),
    /// The control plane refused the definitions; those accepted before stay in force.
    Refused(String),
    /// Registered and at work.
    Attached {
        /// Its id.
        host: HostId,
        /// Definitions it serves.
        definitions_version: Digest,
        /// Whether children are forked; else each is a fresh interpreter.
        fork_safe: bool,
        /// Why.
        fork_note: String,
    },
    /// The control plane does not answer.
    Away(String),
    /// It has ended.
    Stopped,
}

/// A handle to a running host. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HostHandle {
    wakes: mpsc::Sender<Wake>,
    status: watch::Receiver<HostStatus>,
}

impl HostHandle {
    pub(super) fn new(wakes: mpsc::Sender<Wake>, status: watch::Receiver<HostStatus>) -> Self {
        Self { wakes, status }
    }

    /// Loads user code again beside the old, and changes over when it works.
    pub fn reload(&self) {
        // A full inbox holds work that comes first; whoever asked can ask again.
        let _ = self.wakes.try_send(Wake::Reload);
    }

    /// How the host is doing now, and a way to wait for a change.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<HostStatus> {
        self.status.clone()
    }
}
