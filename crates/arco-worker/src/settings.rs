//! What a host needs to know, as data.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use arco_wire::worker::Isolation;
use serde::Deserialize;

/// Settings of one host. Defaults are those of `arco worker`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address of the control plane, `http://127.0.0.1:4600`.
    pub server: String,
    /// Workspace.
    pub workspace: String,
    /// Code location this host serves.
    pub location: String,
    /// Token of role `worker:<location>`. Never reaches Python.
    pub token: Token,
    /// What to load: `definitions.py`, `definitions.py:attr`, `module` or `module:attr`.
    pub target: String,
    /// Interpreter with `arco-flow` and the location's libraries.
    pub python: PathBuf,
    /// Where Python runs.
    pub working_dir: PathBuf,
    /// Tasks at once.
    pub slots: u32,
    /// Root of the default IO manager, a path or a URL; becomes `ARCO_STORAGE`.
    pub storage: Option<String>,
    /// Set for Python beside what is inherited.
    pub environment: BTreeMap<String, String>,
    /// Names of variables Python must not inherit, beside Arco's own credentials: those of the
    /// control plane when it shares the environment.
    pub scrub: Vec<String>,
    /// Overrides the isolation of every lease.
    pub isolation: Option<Isolation>,
    /// From SIGTERM to SIGKILL. Milliseconds.
    pub grace_ms: u64,
    /// How long running bodies may go on after shutdown was asked for. Milliseconds.
    pub drain_ms: u64,
    /// From lease to the start of the body: a fresh interpreter imports its libraries. Milliseconds.
    pub start_ms_max: u64,
    /// Longest wait for work in one call. Milliseconds.
    pub wait_ms: u64,
    /// Leases beyond the slots that may wait in the host's hands while bodies are short.
    pub prefetch_max: u32,
    /// Kept of each stream of each attempt; the rest is dropped and said so. Bytes.
    pub log_bytes_max: usize,
    /// Output reaches the control plane at the latest after this. Milliseconds.
    pub log_flush_ms: u64,
    /// Tasks after which a reused child is replaced.
    pub tasks_per_child_max: u32,
    /// Growth of a reused child's resident memory after which it is replaced. Bytes.
    pub child_growth_bytes_max: u64,
    /// Load user code again when one of its files changes.
    pub watch: bool,
    /// End with an error when user code does not load at start, instead of waiting for a reload.
    pub exit_on_failed_load: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server: "http://127.0.0.1:4600".into(),
            workspace: "default".into(),
            location: "default".into(),
            token: Token::default(),
            target: "definitions.py".into(),
            python: "python3".into(),
            working_dir: ".".into(),
            slots: default_slots(),
            storage: None,
            environment: BTreeMap::new(),
            scrub: Vec::new(),
            isolation: None,
            grace_ms: 5_000,
            drain_ms: 0,
            // Importing a large project on a cold, loaded machine takes tens of seconds.
            start_ms_max: 300_000,
            wait_ms: 10_000,
            prefetch_max: 16,
            log_bytes_max: 16 * 1024 * 1024,
            log_flush_ms: 1_000,
            tasks_per_child_max: 1_000,
            child_growth_bytes_max: 512 * 1024 * 1024,
            watch: false,
            exit_on_failed_load: true,
        }
    }
}

fn default_slots() -> u32 {
    let cpus = std::thread::available_parallelism().map_or(2, usize::from);
    u32::try_from(cpus).unwrap_or(2).max(2)
}

/// A secret that does not print itself.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
