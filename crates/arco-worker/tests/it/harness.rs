//! A folder with definitions, a plane and a host over them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use arco_worker::{Host, HostError, HostHandle, Settings, Token};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::plane::{Plane, TOKEN};

/// What the tests run. Bodies write what they did to files in the working directory.
pub(crate) const DEFINITIONS: &str = include_str!("definitions.py");

pub(crate) struct Bench {
    pub plane: Plane,
    pub folder: TempDir,
    pub handle: HostHandle,
    shutdown: CancellationToken,
    host: JoinHandle<Result<(), HostError>>,
}

impl Bench {
    /// A host at work on [`DEFINITIONS`].
    pub(crate) async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let bench = Self::start_with(DEFINITIONS, change).await;
        bench
            .plane
            .until("a registration", |known| {
                known.registrations.first().map(drop)
            })
            .await;
        bench
    }

    /// A host whose server does not lead, and says that `leader` does.
    pub(crate) async fn start_following(leader: &Plane) -> Self {
        let plane = Plane::start(15_000, 200).await;
        plane.turn(|known| {
            known.leader = Some(leader.url.clone());
            // Replicas of one log name no two attempts alike.
            known.numbers = 1_000;
        });
        Self::start_at(plane, DEFINITIONS, |_| {})
    }

    pub(crate) async fn start_with(code: &str, change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_at(Plane::start(15_000, 200).await, code, change)
    }

    fn start_at(plane: Plane, code: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("definitions.py"), code).unwrap();
        let mut settings = settings(&plane, folder.path());
        change(&mut settings);
        let shutdown = CancellationToken::new();
        let (host, handle) = Host::new(settings).unwrap();
        let host = tokio::spawn(host.run(shutdown.clone()));
        Self {
            plane,
            folder,
            handle,
            shutdown,
            host,
        }
    }

    /// What a body has written so far.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until a body has written the file, and gives its first line.
    pub(crate) async fn line(&self, name: &str) -> String {
        line(&self.path(name)).await
    }

    /// Stops the host and gives how it ended.
    pub(crate) async fn stop(self) -> Result<(), HostError> {
        self.shutdown.cancel();
        self.ended().await
    }

    /// Waits for the host to end.
    pub(crate) async fn ended(self) -> Result<(), HostError> {
        tokio::time::timeout(Duration::from_secs(20), self.host)
            .await
            .expect("it ends")
            .unwrap()
    }
}

/// Waits for the first line of a file.
pub(crate) async fn line(path: &Path) -> String {
    for _ in 0..2_000 {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if let Some((first, _)) = text.split_once('\n') {
            return first.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} was never written", path.display());
}

pub(crate) fn settings(plane: &Plane, folder: &Path) -> Settings {
    Settings {
        server: plane.url.clone(),
        location: "test".into(),
        token: Token::new(TOKEN),
        target: "definitions.py".into(),
        python: python(),
        working_dir: folder.to_owned(),
        slots: 2,
        storage: Some(folder.join("storage").display().to_string()),
        environment: [("PYTHONPATH".to_owned(), python_path().display().to_string())].into(),
        grace_ms: 500,
        ..Settings::default()
    }
}

/// The interpreter of the tests: it needs arco-flow's dependencies.
pub(crate) fn python() -> PathBuf {
    if let Some(named) = std::env::var_os("ARCO_TEST_PYTHON") {
        return named.into();
    }
    let usual = repository().join(".venv/bin/python");
    if usual.exists() {
        usual
    } else {
        "python3".into()
    }
}

pub(crate) fn python_path() -> PathBuf {
    repository().join("python/arco/src")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Whether a process runs: a zombie does not.
pub(crate) fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

pub(crate) async fn until_dead(pid: &str) {
    for _ in 0..1_000 {
        if !is_alive(pid) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("process {pid} lives on");
}
