//! The folder of an `arco dev`.
//!
//! ```text
//! .arco/
//!   lock               held by the arco dev that owns the folder
//!   .gitignore         none of it belongs into a repository
//!   attempt-secret     what tokens of attempts are made with; readable by the owner alone
//!   store/             the event log: this, and nothing else, is the state
//!   storage/           values of the default IO manager
//!   hosts/LOCATION/    lock and description of the worker host
//! ```
//!
//! The secret stands beside the store and never in it: who may read the log may not act as a host.

use std::fs;
use std::path::{Path, PathBuf};

use arco_api::AttemptSecret;
use arco_engine::ids::{Ids, RandomIds};
use arco_log::{FolderLock, LockError};

use crate::failure::{Attempt, Failure, Outcome};

/// A folder that is ours as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: FolderLock,
}

impl Folder {
    /// Makes the folder if need be and locks it.
    pub(super) fn take(path: &Path) -> Outcome<Self> {
        let lock = FolderLock::acquire(path).map_err(|error| {
            let held = matches!(error, LockError::Held { .. });
            Failure::from(error).hint(if held {
                "`--dir FOLDER --port PORT` starts a second arco beside it".to_owned()
            } else {
                "`--dir FOLDER` names a folder for the state".to_owned()
            })
        })?;
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        let ignore = path.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "*\n")
                .attempt(|| format!("could not write `{}`", ignore.display()))?;
        }
        for part in [store_folder(path), path.join("storage")] {
            fs::create_dir_all(&part)
                .attempt(|| format!("could not make the folder `{}`", part.display()))?;
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn store_url(&self) -> String {
        format!("file:{}", store_folder(&self.path).display())
    }

    pub(super) fn storage(&self) -> PathBuf {
        self.path.join("storage")
    }

    pub(super) fn host(&self, location: &str) -> PathBuf {
        self.path.join("hosts").join(location)
    }

    /// The same after a restart, so that hosts that survived it can still upload.
    pub(super) fn secret(&self) -> Outcome<AttemptSecret> {
        let file = self.path.join("attempt-secret");
        Ok(AttemptSecret::load_or_create(
            &file,
            RandomIds.random(),
            RandomIds.random(),
        )?)
    }
}

/// Where the event log is in the folder of an `arco dev`.
pub(crate) fn store_folder(folder: &Path) -> PathBuf {
    folder.join("store")
}
