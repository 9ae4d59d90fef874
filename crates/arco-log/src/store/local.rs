//! What only a local folder needs: one more sync, and a broom.

use std::fs::File;
use std::path::Path as FilePath;

use object_store::path::Path;

use super::LogStore;
use crate::error::LogError;
use crate::lock::FolderLock;
use crate::paths::WorkspacePaths;

impl LogStore {
    /// Makes an object that was *seen* also durable. A reader can see the name of a file before its
    /// writer has synced the folder; acting on it and then losing power would leave an effect
    /// without its cause. Stores other than a folder show only what is durable.
    pub(crate) async fn settle(&self, path: &Path) -> Result<(), LogError> {
        let Some(folder) = self.local_folder() else {
            return Ok(());
        };
        let object = folder.join(path.as_ref());
        let synced = tokio::task::spawn_blocking(move || {
            object
                .ancestors()
                .skip(1)
                .take(2)
                .try_for_each(|folder| File::open(folder)?.sync_all())
        })
        .await
        .map_err(std::io::Error::other)
        .and_then(|done| done);
        synced.map_err(|e| LogError::unavailable("sync the folder of", path, e))
    }

    /// Removes the `name#1` files that a crash in the middle of a put leaves behind; they are
    /// invisible to everyone, and nobody else collects them. Looks where a crash leaves them: at the
    /// top, among snapshots and in the last two blocks of the log. Only with the folder locked is
    /// nobody in the middle of a put. Returns how many went.
    ///
    /// # Errors
    /// `Unavailable` when a folder cannot be read.
    pub fn sweep_staged(&self, lock: &FolderLock, paths: &WorkspacePaths) -> Result<u64, LogError> {
        let Some(folder) = self.local_folder() else {
            return Ok(0);
        };
        if !folder.starts_with(lock.folder()) && !lock.folder().starts_with(folder) {
            return Err(LogError::invalid(
                format!(
                    "the lock is for `{}` and the store is `{}`",
                    lock.folder().display(),
                    folder.display()
                ),
                "lock the folder that holds the state",
            ));
        }
        let root = folder.join(paths.root().as_ref());
        let unreadable = |at: &FilePath, e| LogError::unavailable("sweep folder", at.display(), e);
        let mut blocks = folders_in(&root.join("log")).map_err(|e| unreadable(&root, e))?;
        blocks.sort();
        let recent = blocks.into_iter().rev().take(2);
        let mut swept = 0;
        for at in [root.clone(), root.join("snap")].into_iter().chain(recent) {
            swept += sweep_folder(&at).map_err(|e| unreadable(&at, e))?;
        }
        Ok(swept)
    }
}

fn folders_in(at: &FilePath) -> std::io::Result<Vec<std::path::PathBuf>> {
    if !at.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(at)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn sweep_folder(at: &FilePath) -> std::io::Result<u64> {
    if !at.is_dir() {
        return Ok(0);
    }
    let mut swept = 0;
    for entry in std::fs::read_dir(at)? {
        let entry = entry?;
        let name = entry.file_name();
        let staged = name.to_str().is_some_and(|name| {
            name.rsplit_once('#').is_some_and(|(_, k)| {
                !k.is_empty() && k.bytes().all(|digit| digit.is_ascii_digit())
            })
        });
        if staged && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
            swept += 1;
        }
    }
    Ok(swept)
}
