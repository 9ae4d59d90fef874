//! Whether a folder is still the one that was opened.
//!
//! A path is looked up anew by every put. When the folder is moved away under a running server, its
//! next segment would make a new folder at the old path and begin half a log there, acknowledged and
//! never found again. So an open log keeps one file of the folder open, and before a put, after a put
//! and before "there is no such object" is believed it asks whether the path still leads to that file.
//! The file stays open so that its inode cannot be given to another one.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path as FilePath, PathBuf};

use object_store::path::Path;

use crate::error::LogError;

#[cfg(test)]
mod tests;

/// One file of an opened folder.
#[derive(Debug)]
pub(crate) struct Anchor {
    folder: PathBuf,
    object: PathBuf,
    open: File,
    id: (u64, u64),
}

/// The path leads elsewhere now.
#[derive(Debug, Clone, thiserror::Error)]
#[error("folder `{folder}` is no longer the one that this process opened: {what}; {mend}")]
pub(crate) struct Moved {
    folder: String,
    what: &'static str,
    mend: String,
}

impl Anchor {
    pub(super) fn new(folder: &FilePath, object: &Path) -> std::io::Result<Self> {
        // As the store does: a link that is turned elsewhere later changes nothing for either.
        let folder = std::fs::canonicalize(folder)?;
        let path = folder.join(object.as_ref());
        let open = File::open(&path)?;
        let meta = open.metadata()?;
        Ok(Self {
            folder,
            object: path,
            id: (meta.dev(), meta.ino()),
            open,
        })
    }

    pub(super) fn check(&self) -> Result<(), Moved> {
        let found = std::fs::metadata(&self.object).map(|meta| (meta.dev(), meta.ino()));
        if found.is_ok_and(|id| id == self.id) {
            return Ok(());
        }
        let folder = self.folder.display().to_string();
        Err(match self.now_at() {
            Some(now) => Moved {
                what: "it was moved",
                mend: format!(
                    "stop arco, move `{}` back to `{folder}` and start it again",
                    now.display()
                ),
                folder,
            },
            None => Moved {
                folder,
                what: "it was moved, removed or replaced",
                mend: "stop arco, put the folder back and start it again".into(),
            },
        })
    }

    /// Removes the folder that a put has made where the opened one was: when the object is all that
    /// is in it, nobody has begun a log there, and the old folder can be put back.
    pub(super) fn take_back(&self, object: &Path) {
        let mut folder = self.folder.join(object.as_ref());
        if !folder.pop() || std::fs::exists(&self.object).unwrap_or(true) {
            return;
        }
        let mut made = vec![folder.clone()];
        while folder != self.folder && folder.pop() {
            made.push(folder.clone());
        }
        let entries = |folder: &PathBuf| std::fs::read_dir(folder).map(Iterator::count);
        if made
            .iter()
            .all(|folder| entries(folder).is_ok_and(|n| n == 1))
        {
            // What fails leaves something behind, and the error that is told says enough.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    /// Where the folder is now, when the system can say.
    fn now_at(&self) -> Option<PathBuf> {
        let link = format!("/proc/self/fd/{}", self.open.as_raw_fd());
        let now = std::fs::read_link(link).ok()?;
        let below = self.object.strip_prefix(&self.folder).ok()?;
        let there = std::fs::metadata(&now).ok()?;
        if (there.dev(), there.ino()) != self.id || !now.ends_with(below) {
            return None;
        }
        now.ancestors()
            .nth(below.components().count())
            .map(FilePath::to_path_buf)
    }
}

impl From<Moved> for LogError {
    fn from(moved: Moved) -> Self {
        Self::Moved {
            folder: moved.folder,
            what: moved.what,
            mend: moved.mend,
        }
    }
}

impl From<Moved> for object_store::Error {
    fn from(moved: Moved) -> Self {
        Self::Generic {
            store: "LogStore",
            source: Box::new(moved),
        }
    }
}

/// Whether that is why the store failed.
pub(super) fn moved(error: &object_store::Error) -> Option<&Moved> {
    match error {
        object_store::Error::Generic { source, .. } => source.downcast_ref(),
        _ => None,
    }
}
