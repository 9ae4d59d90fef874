//! Watching the files of user code, for `arco dev`.
//!
//! By looking at their times and sizes: it needs no library, works on every file system (network
//! mounts and containers do not pass on inotify), and some hundred files cost nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Wake;
use crate::settings::Settings;

const LOOK_MS: u64 = 300;

#[derive(Debug)]
pub(super) struct Watch {
    /// The target itself, so that a file that never loaded is watched too.
    target: Option<PathBuf>,
    files: watch::Sender<Vec<PathBuf>>,
    _task: JoinSet<()>,
}

/// What is compared: modification time and size. `None`: not there.
type Stamp = Option<(i64, i64, u64)>;

impl Watch {
    pub(super) fn new(settings: &Settings, wakes: mpsc::Sender<Wake>) -> Self {
        let (files, seen) = watch::channel(Vec::new());
        let mut task = JoinSet::new();
        if settings.watch {
            task.spawn(look(seen, wakes));
        }
        let path = settings
            .target
            .split_once(".py")
            .map(|(stem, _)| format!("{stem}.py"));
        let target = path.map(|path| settings.working_dir.join(path));
        Self {
            target,
            files,
            _task: task,
        }
    }

    /// The files to watch from now on.
    pub(super) fn files(&self, sources: Vec<String>) {
        let loaded = sources.into_iter().map(PathBuf::from);
        self.files
            .send_replace(loaded.chain(self.target.clone()).collect());
    }
}

async fn look(mut files: watch::Receiver<Vec<PathBuf>>, wakes: mpsc::Sender<Wake>) {
    let mut known: BTreeMap<PathBuf, Stamp> = BTreeMap::new();
    loop {
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        let now: BTreeMap<PathBuf, Stamp> = files
            .borrow_and_update()
            .iter()
            .map(|path| (path.clone(), stamp(path)))
            .collect();
        let changed = now
            .iter()
            .any(|(path, stamp)| known.get(path).is_some_and(|before| before != stamp));
        known = now;
        if changed && wakes.send(Wake::Reload).await.is_err() {
            return;
        }
    }
}

fn stamp(path: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::metadata(path).ok()?;
    Some((data.mtime(), data.mtime_nsec(), data.len()))
}
