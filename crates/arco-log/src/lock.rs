//! The lock of a local folder: one `arco dev` per folder, the second is told who has it.
//!
//! Safety never rests on it (the conditional put decides who wins); it spares two servers on one
//! folder the fight. The kernel holds it for the open file, so it ends with the process, however
//! that dies; Rust opens files close-on-exec, so children do not keep it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

/// An exclusive lock on a folder, held until dropped.
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
    _file: Flock<File>,
}

/// Why a folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "folder `{folder}` is in use by {}; stop that arco, or use another folder",
        match pid { Some(pid) => format!("process {pid}"), None => "another process".into() }
    )]
    Held {
        /// The folder.
        folder: String,
        /// The process that has it, when it wrote so.
        pid: Option<u32>,
    },
    /// The lock file could not be used.
    #[error("could not lock folder `{folder}`; it must be a writable folder on a local disk")]
    Io {
        /// The folder.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl FolderLock {
    /// Locks `folder`, making it if need be.
    ///
    /// # Errors
    /// `Held` with the owner's process id when another process has it.
    pub fn acquire(folder: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io {
            folder: folder.display().to_string(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(io)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join("lock"))
            .map_err(io)?;
        let mut file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => file,
            Err((mut file, nix::errno::Errno::EWOULDBLOCK)) => {
                let mut text = String::new();
                // The owner may not have written its number yet: better an unknown owner than a
                // wrong error.
                let _ = file.read_to_string(&mut text);
                return Err(LockError::Held {
                    folder: folder.display().to_string(),
                    pid: text.trim().parse().ok(),
                });
            }
            Err((_, errno)) => return Err(io(errno.into())),
        };
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(io)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            _file: file,
        })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(test)]
mod tests;
