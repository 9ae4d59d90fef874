//! A host as a process of its own, so that it can be stopped and killed: this very test program,
//! asked by a variable to be one.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use arco_worker::Settings;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_util::sync::CancellationToken;

use crate::harness::{python, python_path};
use crate::plane::{Plane, TOKEN};

const VARIABLE: &str = "TEST_HOST_SETTINGS";

#[tokio::test(flavor = "multi_thread")]
async fn serves_when_asked_to() {
    let Ok(text) = std::env::var(VARIABLE) else {
        return;
    };
    let settings: Settings = serde_json::from_str(&text).unwrap();
    arco_worker::run(settings, CancellationToken::new())
        .await
        .unwrap();
}

/// A host process; killed when dropped.
pub(crate) struct HostProcess {
    process: Child,
}

impl HostProcess {
    pub(crate) fn start(plane: &Plane, folder: &Path, environment: &[(&str, &str)]) -> Self {
        std::fs::write(folder.join("definitions.py"), crate::harness::DEFINITIONS).unwrap();
        let settings = serde_json::json!({
            "server": plane.url,
            "location": "test",
            "token": TOKEN,
            "python": python(),
            "working_dir": folder,
            "slots": 2,
            "storage": folder.join("storage"),
            "environment": {"PYTHONPATH": python_path()},
            "grace_ms": 500,
            "scrub": ["STORE_KEY", VARIABLE],
        });
        let process = Command::new(std::env::current_exe().unwrap())
            .args([
                "host_process::serves_when_asked_to",
                "--exact",
                "--nocapture",
            ])
            .envs(environment.iter().copied())
            .env(VARIABLE, settings.to_string())
            .env_remove("NEXTEST")
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        Self { process }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send(&self.process.id().to_string(), signal);
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn send(pid: &str, signal: Signal) {
    kill(Pid::from_raw(pid.parse().unwrap()), signal).unwrap();
}
