//! User code in a folder, and the Python that runs it.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::{command, run};

/// A folder with `definitions.py`.
#[derive(Debug)]
pub(crate) struct Project {
    folder: PathBuf,
    target: PathBuf,
    _temporary: Option<TempDir>,
}

impl Project {
    /// A project with this code.
    pub(crate) fn new(definitions: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        // Its name is the name of the location.
        let folder = temporary.path().join("numbers_project");
        std::fs::create_dir(&folder).unwrap();
        let project = Self {
            target: folder.join("definitions.py"),
            folder,
            _temporary: Some(temporary),
        };
        project.write(definitions);
        project
    }

    /// One that is there.
    pub(crate) fn at(folder: &Path, target: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            target: folder.join(target),
            _temporary: None,
        }
    }

    /// The project most tests use.
    pub(crate) fn usual() -> Self {
        Self::new(include_str!("definitions.py"))
    }

    /// Changes its code.
    pub(crate) fn write(&self, definitions: &str) {
        std::fs::write(self.target(), definitions).unwrap();
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.target.clone()
    }

    /// State of `arco dev`.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder().join(".arco")
    }
}

/// The events in the log of an `arco dev` whose kind begins with this, in order.
#[track_caller]
pub(crate) fn events(project: &Project, kind: &str) -> Vec<Value> {
    events_of("--dir", &project.state(), kind)
}

/// As [`events`], of the log at `--dir` or `--store`.
#[track_caller]
pub(crate) fn events_of(place: &str, path: &Path, kind: &str) -> Vec<Value> {
    let mut show = command();
    show.args(["log", "show", "--json", "--kind", kind, place])
        .arg(path);
    let shown = run(&mut show).good().stdout;
    shown
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// An interpreter with the SDK's dependencies: the variable, the repository's environment, any.
pub(crate) fn python() -> PathBuf {
    if let Some(path) = std::env::var_os("ARCO_TEST_PYTHON") {
        return path.into();
    }
    let own = repository().join(".venv/bin/python");
    if own.exists() { own } else { "python3".into() }
}

/// Where the SDK's sources are.
pub(crate) fn python_path() -> PathBuf {
    repository().join("python/arco/src")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
