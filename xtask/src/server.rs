//! An `arco` server that a command starts and surely ends.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::api::Api;
use crate::process::ChildGuard;
use crate::python_env::PythonEnv;
use crate::shell::Cmd;
use crate::timing::poll;

/// Far more than a start takes; what is slower is broken.
const HEALTH_PATIENCE: Duration = Duration::from_secs(30);
/// Importing user code and its libraries for the first time on a slow disk.
const LOAD_PATIENCE: Duration = Duration::from_secs(60);

/// A running server and where its output goes.
#[derive(Debug)]
pub(crate) struct Server {
    process: ChildGuard,
    /// A client of it.
    pub(crate) api: Api,
    log: PathBuf,
}

impl Server {
    /// `arco dev TARGET`: control plane and worker host in one process, state in `folder`.
    pub(crate) fn dev(
        arco: &Path,
        environment: &PythonEnv,
        target: &Path,
        folder: &Path,
        port: u16,
    ) -> Result<Self> {
        let command = environment
            .activate(Cmd::new(arco))
            .args(&["dev"])
            .args(&[target])
            .args(&["--port", &port.to_string(), "--dir"])
            .args(&[folder]);
        Self::start(command, &folder.with_file_name("arco.log"), port)
    }

    /// `arco serve`: the control plane alone.
    pub(crate) fn serve(arco: &Path, folder: &Path, port: u16) -> Result<Self> {
        let command = Cmd::new(arco)
            .args(&["serve", "--store", &format!("file://{}", folder.display())])
            .args(&["--port", &port.to_string()]);
        Self::start(command, &folder.with_file_name("arco.log"), port)
    }

    fn start(command: Cmd, log: &Path, port: u16) -> Result<Self> {
        let process = command.log_to(log)?.start()?;
        Ok(Self {
            process,
            api: Api::on_port(port),
            log: log.to_owned(),
        })
    }

    /// Waits until it has recovered its state and answers.
    pub(crate) fn wait_healthy(&mut self, pause: Duration) -> Result<()> {
        self.wait_healthy_within(HEALTH_PATIENCE, pause)
    }

    /// The same, of a server with much to recover.
    pub(crate) fn wait_healthy_within(
        &mut self,
        patience: Duration,
        pause: Duration,
    ) -> Result<()> {
        let api = self.api.clone();
        let healthy = poll(patience, pause, || {
            api.is_healthy()
                .then_some(true)
                .or_else(|| self.process.ended().map(|_| false))
        });
        match healthy {
            Some(true) => Ok(()),
            Some(false) => bail!(
                "the server ended before it was healthy:\n{}",
                self.log_tail()
            ),
            None => bail!(
                "the server was not healthy after {patience:?}:\n{}",
                self.log_tail()
            ),
        }
    }

    /// Waits until a worker host has announced definitions with at least one asset.
    pub(crate) fn wait_loaded(&self) -> Result<()> {
        let loaded = poll(LOAD_PATIENCE, Duration::from_millis(10), || {
            let assets = self.api.get("assets?limit=1").ok()?;
            (!assets["items"].as_array()?.is_empty()).then_some(())
        });
        loaded.with_context(|| {
            format!(
                "no definitions were loaded within {LOAD_PATIENCE:?}:\n{}",
                self.log_tail()
            )
        })
    }

    /// Process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// How the process ended, when it has.
    pub(crate) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.process.ended()
    }

    /// Asks it to end and waits.
    pub(crate) fn stop(&mut self) {
        self.process.stop();
    }

    /// The end of its log, for an error message.
    pub(crate) fn log_tail(&self) -> String {
        log_tail(&self.log)
    }
}

/// The last lines of a log file.
pub(crate) fn log_tail(log: &Path) -> String {
    const LINES: usize = 40;
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(LINES)..].join("\n");
    format!("--- end of {}\n{tail}\n---", log.display())
}

/// A port nobody listens on: the wished one when it is free, else any.
pub(crate) fn free_port(wished: Option<u16>) -> Result<u16> {
    let listener = wished
        .and_then(|port| TcpListener::bind(("127.0.0.1", port)).ok())
        .map_or_else(|| TcpListener::bind(("127.0.0.1", 0)), Ok)
        .context("find a free loopback port")?;
    Ok(listener.local_addr().context("read the port")?.port())
}
