//! The worker host of an `arco dev`: found or started, watched, started again, stopped.
//!
//! A host holds the lock of its folder as long as it lives, whatever becomes of us, and describes
//! there what it serves. So the next `arco dev` knows whether one is alive without trusting process
//! numbers, and whether it serves what is wanted. Same folder, target, interpreter and address: it is
//! adopted. Anything else: it is stopped and another one started.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command as StdCommand, Stdio};
use std::time::Duration;

use arco_log::{FolderLock, LockError};
use futures::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::folder::Folder;
use crate::command::worker::PythonOptions;
use crate::env_vars;

#[cfg(test)]
mod tests;

/// Pauses before a host that ended is started again. Code that kills its host at once must not fill
/// the machine with starting interpreters.
const RESTART_MS: [u64; 6] = [250, 1_000, 2_000, 5_000, 10_000, 30_000];
/// A host that lived so long had nothing wrong with it.
const HEALTHY: Duration = Duration::from_secs(60);
/// How often a host that is not our child is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Beside the grace for tasks: time to deliver facts and logs and to leave.
const DELIVER_MAX: Duration = Duration::from_secs(20);

/// What the host is to serve, and how.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) target: String,
    pub(super) location: String,
    pub(super) python: PythonOptions,
    pub(super) server: String,
    pub(super) storage: PathBuf,
    pub(super) working_dir: PathBuf,
    /// How long a host may be silent before its tasks are given to another.
    pub(super) lease_s: u64,
    /// How often `-v` was given.
    pub(super) verbose: u8,
}

/// What a running host serves: its command line and its folder. Written before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    version: String,
    arguments: Vec<String>,
    working_dir: PathBuf,
}

/// The host, whichever process it is at the moment.
#[derive(Debug)]
pub(super) struct HostProcess {
    folder: PathBuf,
    wanted: Wanted,
    running: Option<Running>,
    failures: usize,
}

#[derive(Debug)]
enum Running {
    /// We started it.
    Ours(Child, Instant),
    /// A former `arco dev` did.
    Adopted(Pid),
}

impl Running {
    fn pid(&self) -> Option<Pid> {
        match self {
            Self::Ours(child, _) => child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .map(Pid::from_raw),
            Self::Adopted(pid) => Some(*pid),
        }
    }
}

impl HostProcess {
    pub(super) fn new(folder: &Folder, wanted: Wanted) -> Self {
        Self {
            folder: folder.host(&wanted.location),
            wanted,
            running: None,
            failures: 0,
        }
    }

    /// Keeps a host running. Never returns; safe to drop, the host runs on.
    async fn keep(&mut self) {
        loop {
            if self.running.is_none() {
                self.find_or_start().await;
            }
            let Some(running) = &mut self.running else {
                self.pause().await;
                continue;
            };
            let how = match running {
                Running::Ours(child, started) => {
                    let status = child.wait().await;
                    if started.elapsed() >= HEALTHY {
                        self.failures = 0;
                    }
                    status.map_or_else(|error| error.to_string(), |status| status.to_string())
                }
                Running::Adopted(_) => {
                    while survivor(&self.folder).is_some() {
                        tokio::time::sleep(LOOK_EVERY).await;
                    }
                    self.failures = 0;
                    "it was started by a former arco dev".to_owned()
                }
            };
            self.running = None;
            tracing::warn!(target: "arco", location = self.wanted.location, how, "the worker host ended; starting another");
            self.pause().await;
        }
    }

    async fn pause(&mut self) {
        let pause = RESTART_MS[self.failures.min(RESTART_MS.len() - 1)];
        self.failures += 1;
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    async fn find_or_start(&mut self) {
        let wanted = self.description();
        if let Some(pid) = survivor(&self.folder) {
            if read(&self.folder).as_ref() == Some(&wanted) {
                tracing::info!(target: "arco", location = self.wanted.location, pid = pid.as_raw(), "found the worker host of the last arco dev");
                self.running = Some(Running::Adopted(pid));
                return;
            }
            tracing::info!(target: "arco", location = self.wanted.location, pid = pid.as_raw(), "stopping the worker host of the last arco dev: it serves something else");
            end(&self.folder, pid, self.patience()).await;
        }
        match self.start(&wanted) {
            Ok(child) => self.running = Some(Running::Ours(child, Instant::now())),
            Err(error) => {
                tracing::error!(target: "arco", %error, "the worker host could not be started")
            }
        }
    }

    fn description(&self) -> Description {
        Description {
            version: env!("CARGO_PKG_VERSION").into(),
            arguments: arguments(&self.wanted, &self.folder),
            working_dir: self.wanted.working_dir.clone(),
        }
    }

    fn start(&self, description: &Description) -> std::io::Result<Child> {
        write(&self.folder, description)?;
        let mut command = StdCommand::new(own_program()?);
        command
            .args(&description.arguments)
            .args(["--parent", &std::process::id().to_string()])
            .args(std::iter::repeat_n("-v", usize::from(self.wanted.verbose)))
            .current_dir(&description.working_dir)
            .env_remove(env_vars::TOKEN)
            .env_remove(env_vars::SECRET)
            .env_remove(env_vars::SENSOR_SECRETS)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // Ctrl-C in a terminal goes to the whole foreground group. The host is not in it: we tell
            // it to stop when it is its turn.
            .process_group(0);
        // Dropping a child does not kill it: that is what lets it survive us.
        Command::from(command).spawn()
    }

    /// Asks the host to end and waits; kills it when it does not.
    async fn stop(&mut self) {
        let patience = self.patience();
        let Some(running) = &mut self.running else {
            return;
        };
        match running {
            Running::Ours(child, _) => {
                signal(child.id(), Signal::SIGTERM);
                if tokio::time::timeout(patience, child.wait()).await.is_err() {
                    tracing::warn!(target: "arco", "the worker host did not end in time and is killed");
                    // Its children go with it: the kernel sees to that.
                    let _ = child.kill().await;
                }
            }
            Running::Adopted(pid) => {
                let pid = *pid;
                end(&self.folder, pid, patience).await;
            }
        }
        self.running = None;
    }

    /// Kills the host. Its children go with it.
    fn kill(&self) {
        if let Some(pid) = self.running.as_ref().and_then(Running::pid) {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }

    /// How long a host that is asked to end may take.
    fn patience(&self) -> Duration {
        Duration::from_secs(self.wanted.python.grace) + DELIVER_MAX
    }
}

/// Ends a host that is not our child.
async fn end(folder: &Path, pid: Pid, patience: Duration) {
    let _ = kill(pid, Signal::SIGTERM);
    let until = Instant::now() + patience;
    while survivor(folder) == Some(pid) {
        if Instant::now() >= until {
            let _ = kill(pid, Signal::SIGKILL);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The hosts of all locations.
#[derive(Debug)]
pub(super) struct Hosts {
    /// Where the folders of hosts are.
    folder: PathBuf,
    hosts: Vec<HostProcess>,
}

impl Hosts {
    pub(super) fn new(folder: &Folder, hosts: Vec<HostProcess>) -> Self {
        Self {
            folder: folder.path().join("hosts"),
            hosts,
        }
    }

    /// Keeps a host for each location running. Never returns; safe to drop, the hosts run on.
    pub(super) async fn keep(&mut self) {
        self.end_others().await;
        join_all(self.hosts.iter_mut().map(HostProcess::keep)).await;
    }

    /// Asks the hosts to end, all at once, and waits; kills those that do not.
    pub(super) async fn stop(&mut self) {
        join_all(self.hosts.iter_mut().map(HostProcess::stop)).await;
    }

    /// Kills the hosts. Their children go with them.
    pub(super) fn kill(&self) {
        self.hosts.iter().for_each(HostProcess::kill);
    }

    /// Hosts of other locations that a former `arco dev` left here: nobody wants them any more.
    async fn end_others(&self) {
        let Ok(folders) = std::fs::read_dir(&self.folder) else {
            return;
        };
        for folder in folders.filter_map(Result::ok).map(|entry| entry.path()) {
            let wanted = self.hosts.iter().any(|host| host.folder == folder);
            if !wanted && let Some(pid) = survivor(&folder) {
                tracing::info!(target: "arco", pid = pid.as_raw(), folder = %folder.display(), "stopping the worker host of another location");
                let patience = self.hosts.iter().map(HostProcess::patience).max();
                end(&folder, pid, patience.unwrap_or(DELIVER_MAX)).await;
            }
        }
    }
}

/// This very program, also when its file was replaced by a newer build since it started.
fn own_program() -> std::io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    Ok(if path.exists() {
        path
    } else {
        "/proc/self/exe".into()
    })
}

fn signal(pid: Option<u32>, signal: Signal) {
    if let Some(pid) = pid.and_then(|pid| i32::try_from(pid).ok()) {
        // A process that is not waited for yet keeps its number: this is no other's.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// The arguments of `arco worker`, in one order, so that equal hosts have equal ones.
fn arguments(wanted: &Wanted, folder: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = ["worker", &wanted.target, "--watch"]
        .map(str::to_owned)
        .into();
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    option("--location", wanted.location.clone());
    option("--server", wanted.server.clone());
    option("--workspace", "default".into());
    option("--storage", wanted.storage.display().to_string());
    option("--patience", wanted.lease_s.to_string());
    option("--grace", wanted.python.grace.to_string());
    option("--lock", folder.display().to_string());
    if let Some(slots) = wanted.python.slots {
        option("--slots", slots.to_string());
    }
    if let Some(python) = wanted.python.interpreter() {
        option("--python", python.display().to_string());
    } else if let Some(environment) = env_vars::read(env_vars::VIRTUAL_ENV) {
        // Written down, so that a host with another environment is another host.
        option("--python", format!("{environment}/bin/python"));
    }
    if let Some(isolation) = wanted.python.isolation {
        option("--isolation", isolation.as_str().to_owned());
    }
    arguments
}

/// The host that holds the lock of `folder`, if one does.
fn survivor(folder: &Path) -> Option<Pid> {
    match FolderLock::acquire(folder) {
        Err(LockError::Held { pid: Some(pid), .. }) => i32::try_from(pid).ok().map(Pid::from_raw),
        _ => None,
    }
}

fn read(folder: &Path) -> Option<Description> {
    let text = std::fs::read(folder.join("host.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

fn write(folder: &Path, description: &Description) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(
        folder.join("host.json"),
        serde_json::to_vec_pretty(description)?,
    )
}
