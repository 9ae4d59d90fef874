//! A NATS server with JetStream on loopback, for as long as a test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server. It is killed when it is dropped.
pub(crate) struct NatsServer {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) url: String,
}

impl NatsServer {
    /// Starts one and waits until it listens.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (child, port) = start(folder.path(), -1);
        Self {
            child,
            folder,
            url: format!("nats://127.0.0.1:{port}"),
        }
    }

    /// Kills it and starts it again on the same port and folder.
    pub(crate) fn restart(&mut self) {
        self.stop();
        let port = self.url.rsplit(':').next().expect("a port");
        self.child = start(self.folder.path(), port.parse().expect("a port")).0;
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Port -1 is any that is free; the server says which in a file.
fn start(folder: &Path, port: i32) -> (Child, u16) {
    let ports = folder.join("ports");
    let _ = std::fs::remove_dir_all(&ports);
    std::fs::create_dir_all(&ports).expect("a folder");
    let program = program();
    #[expect(clippy::zombie_processes, reason = "whoever is given it waits for it")]
    let child = Command::new(&program)
        .args([
            "--addr",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--jetstream",
        ])
        .arg("--store_dir")
        .arg(folder.join("store"))
        .arg("--ports_file_dir")
        .arg(&ports)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "{}: {error}; `cargo xtask test python-env` installs it",
                program.display()
            )
        });
    for _ in 0..3_000 {
        let said = std::fs::read_dir(&ports)
            .expect("a folder")
            .flatten()
            .next();
        let text = said.and_then(|file| std::fs::read_to_string(file.path()).ok());
        let said: Option<serde_json::Value> =
            text.and_then(|text| serde_json::from_str(&text).ok());
        let url = said.as_ref().and_then(|said| said["nats"][0].as_str());
        if let Some(port) = url.and_then(|url| url.rsplit(':').next()?.parse().ok()) {
            return (child, port);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the server does not listen");
}

/// That of the Python environment of this repository, else the one on the path.
fn program() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/nats-server");
    if own.exists() {
        own
    } else {
        "nats-server".into()
    }
}
