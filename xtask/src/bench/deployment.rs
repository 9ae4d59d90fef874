//! What is measured: a server and, apart from it, a worker host, on fresh state.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Setup;
use crate::api::Api;
use crate::process::ChildGuard;
use crate::repo;
use crate::server::{Server, free_port};
use crate::shell::Cmd;

/// A fresh folder on the disk of the repository, removed in the end.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Result<Self> {
        let folder = repo::path("target/bench").join(format!("{name}-{}", std::process::id()));
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in `target`, where nobody minds.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A control plane and one worker host, each a process of its own.
#[derive(Debug)]
pub(super) struct Deployment {
    // Ended in this order: the host says goodbye to a server that is still there.
    worker: Option<ChildGuard>,
    server: Server,
    _scratch: Scratch,
}

impl Deployment {
    /// Starts both on definitions of `bench/arco`, whose shape comes from the environment.
    pub(super) fn start(
        setup: &Setup,
        definitions: &str,
        shape: &[(&str, String)],
    ) -> Result<Self> {
        let scratch = Scratch::new(definitions.trim_end_matches(".py"))?;
        let port = free_port(None)?;
        let mut server = Server::serve(&setup.arco, &scratch.path("store"), port)?;
        server.wait_healthy(Duration::from_millis(2))?;
        let mut worker = setup
            .environment
            .activate(Cmd::new(&setup.arco))
            .args(&["worker"])
            .args(&[repo::path("bench/arco").join(definitions)])
            .args(&[
                "--location",
                "bench",
                "--server",
                server.api.base(),
                "--storage",
            ])
            .args(&[scratch.path("storage")]);
        for (name, value) in shape {
            worker = worker.env(name, value);
        }
        let worker = worker.log_to(&scratch.path("worker.log"))?.start()?;
        server.wait_loaded()?;
        Ok(Self {
            worker: Some(worker),
            server,
            _scratch: scratch,
        })
    }

    pub(super) fn api(&self) -> &Api {
        &self.server.api
    }

    /// Ends the host: what is asked for stays in the queue.
    pub(super) fn dismiss_worker(&mut self) {
        self.worker = None;
    }

    /// Process id of the control plane.
    pub(super) fn server_id(&self) -> u32 {
        self.server.id()
    }

    /// Memory of both processes in megabytes, without Python.
    pub(super) fn resident_mb(&self) -> Result<f64> {
        let worker = self
            .worker
            .as_ref()
            .map_or(Ok(0.0), |worker| resident_mb(worker.id()))?;
        Ok(resident_mb(self.server.id())? + worker)
    }
}

pub(super) fn resident_mb(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<f64>().ok())
        .with_context(|| format!("find VmRSS in {path}"))?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// What a process has had of the processors, user and system, in seconds.
pub(super) fn cpu_seconds(process: u32) -> Result<f64> {
    /// Of `/proc/PID/stat`, which counts in hundredths on every Linux there is.
    const TICKS: f64 = 100.0;
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    // The name in brackets may hold spaces.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field = |n: usize| fields.split_whitespace().nth(n)?.parse::<f64>().ok();
    let used = field(11)
        .zip(field(12))
        .with_context(|| format!("read {path}"))?;
    Ok((used.0 + used.1) / TICKS)
}
