//! Control planes and hosts on one folder, as `serve` and `worker` start them.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::journal::Journal;
use crate::processes::{Process, eventually};
use crate::rounds::number;

/// Seconds a host may be silent. Short, so that a test outlives many of them.
pub(crate) const HOST_LEASE: u64 = 2;
const LEADER_TTL: u64 = 2;

/// Partitions of `piece`, see `definitions.py`: 300 unless `ARCO_CRASH_PIECES` says otherwise.
pub(crate) fn pieces() -> u64 {
    number("ARCO_CRASH_PIECES").unwrap_or(300)
}

/// The state of a test: a store, a journal, a port.
#[derive(Debug)]
pub(crate) struct Deployment {
    folder: TempDir,
    port: u16,
}

impl Deployment {
    pub(crate) fn new() -> Self {
        // A control plane comes back where it was. Ports below those that the kernel hands out stay
        // free while it is away; the process id spreads tests that run at once.
        let from = u16::try_from(20_000 + std::process::id() % 10_000).unwrap();
        let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let port = (from..from + 1_000).find(free).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            port,
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::read(&self.file("journal"))
    }

    fn log(&self, name: &str) -> File {
        File::options()
            .create(true)
            .append(true)
            .open(self.file(name))
            .unwrap()
    }

    /// A control plane; whether it is ready is for [`Deployment::wait_ready`].
    pub(crate) fn serve(&self) -> Process {
        let ttl = [HOST_LEASE.to_string(), LEADER_TTL.to_string()];
        Process::spawn(
            arco()
                .args([
                    "serve",
                    "--host-lease-ttl",
                    &ttl[0],
                    "--leader-ttl",
                    &ttl[1],
                ])
                .args(["--listen", &format!("127.0.0.1:{}", self.port), "--store"])
                .arg(self.file("store"))
                .arg("--secret-file")
                .arg(self.file("secret"))
                .stdout(Stdio::null())
                .stderr(self.log("serve.log")),
        )
    }

    #[track_caller]
    pub(crate) fn wait_ready(&self) {
        eventually("the control plane answers", || {
            self.ask(&["status"]).map(|_| ())
        });
    }

    /// A host with two slots.
    pub(crate) fn worker(&self) -> Process {
        let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/definitions.py");
        Process::spawn(
            arco()
                .arg("worker")
                .arg(definitions)
                .args([
                    "--location",
                    "crash",
                    "--slots",
                    "2",
                    "--grace",
                    "1",
                    "--server",
                ])
                .arg(self.url())
                .arg("--storage")
                .arg(self.file("storage"))
                .arg("--python")
                .arg(python())
                .env("PYTHONPATH", repository().join("python/arco/src"))
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("CRASH_FOLDER", self.folder.path())
                .env("CRASH_PIECES", pieces().to_string())
                .current_dir(self.folder.path())
                .stdout(Stdio::null())
                .stderr(self.log("worker.log")),
        )
    }

    #[track_caller]
    pub(crate) fn wait_loaded(&self) {
        eventually("the definitions are there", || {
            let assets = self.ask(&["assets"])?;
            assets["items"]
                .as_array()
                .filter(|items| !items.is_empty())
                .map(|_| ())
        });
    }

    /// A call of the command line; `None` when it did not end well.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Option<Value> {
        let output = arco()
            .args(arguments)
            .args(["--json", "--server", &self.url()])
            .stderr(self.log("client.log"))
            .output()
            .unwrap();
        output
            .status
            .success()
            .then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    /// Asks for a run; its id when it was acknowledged.
    pub(crate) fn run(&self, selection: &str, key: &str) -> Option<String> {
        let made = self.ask(&["run", selection, "--run-key", key, "--detach"])?;
        Some(made["id"].as_str().unwrap().to_owned())
    }

    /// Where a run stands, when anybody says.
    pub(crate) fn status(&self, run: &str) -> Option<String> {
        Some(
            self.ask(&["runs", "show", run])?["status"]
                .as_str()?
                .to_owned(),
        )
    }

    #[track_caller]
    pub(crate) fn wait_success(&self, run: &str) {
        let status = eventually("the run is over", || {
            let status = self.status(run)?;
            ["success", "failure", "canceled"]
                .contains(&status.as_str())
                .then_some(status)
        });
        assert_eq!(status, "success", "{run}");
    }

    /// Lets slow bodies end.
    pub(crate) fn go(&self) {
        std::fs::write(self.file("go"), "").unwrap();
    }

    /// Stops the control plane gracefully and has the log verified.
    #[track_caller]
    pub(crate) fn verify(&self, mut serve: Process) {
        serve.signal(Signal::SIGTERM);
        serve.wait();
        let verified = arco()
            .args(["log", "verify", "--store"])
            .arg(self.file("store"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&verified.stdout);
        let why = String::from_utf8_lossy(&verified.stderr);
        assert!(verified.status.success(), "{said}{why}");
    }

    /// What the processes said.
    fn logs(&self) -> String {
        let names = ["serve.log", "worker.log", "client.log"];
        let read = |name: &&str| std::fs::read_to_string(self.file(name)).unwrap_or_default();
        names
            .iter()
            .map(|name| format!("── {name}\n{}", read(name)))
            .collect()
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
    }
}

/// The binary with an environment that is the same everywhere.
fn arco() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arco"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ARCO_") {
            command.env_remove(name);
        }
    }
    command
        .env_remove("VIRTUAL_ENV")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

/// An interpreter with the SDK's dependencies.
fn python() -> PathBuf {
    if let Some(path) = std::env::var_os("ARCO_TEST_PYTHON") {
        return path.into();
    }
    let own = repository().join(".venv/bin/python");
    if own.exists() { own } else { "python3".into() }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
