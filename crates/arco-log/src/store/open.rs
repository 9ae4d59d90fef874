//! From what a user types to a store.

use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::local::LocalFileSystem;

use super::LogStore;
use crate::error::LogError;

impl LogStore {
    /// Opens the store at `url`: `memory:`, `file:/path` or a path. A folder is made if need be.
    ///
    /// # Errors
    /// `Invalid` for a scheme this build has no store for; `Unavailable` when the folder cannot be
    /// made.
    pub fn open(url: &str) -> Result<Self, LogError> {
        Self::parse(url, true)
    }

    /// As [`Self::open`], but the folder must be there: for commands that only read.
    ///
    /// # Errors
    /// As [`Self::open`], and `Invalid` when there is no such folder.
    pub fn open_existing(url: &str) -> Result<Self, LogError> {
        Self::parse(url, false)
    }

    fn parse(url: &str, make: bool) -> Result<Self, LogError> {
        let supported = "this build supports `memory:`, `file:/path` and a plain path";
        let path = match url.split_once(':') {
            Some(("memory", rest)) if rest.trim_matches('/').is_empty() => {
                return Ok(Self::memory());
            }
            Some(("file", rest)) => rest.strip_prefix("//").unwrap_or(rest),
            // One letter would be a drive, not a scheme; a slash before the colon is a path.
            Some((scheme, _)) if scheme.len() > 1 && !scheme.contains(['/', '.']) => {
                return Err(LogError::invalid(
                    format!("store `{url}` has the unknown scheme `{scheme}:`"),
                    supported,
                ));
            }
            _ => url,
        };
        if path.is_empty() {
            return Err(LogError::invalid(
                format!("store `{url}` names no folder"),
                supported,
            ));
        }
        Self::local(FilePath::new(path), make)
    }

    fn local(folder: &FilePath, make: bool) -> Result<Self, LogError> {
        if make {
            make_durably(folder)
                .map_err(|e| LogError::unavailable("make folder", folder.display(), e))?;
        } else if !folder.is_dir() {
            return Err(LogError::invalid(
                format!("there is no folder `{}`", folder.display()),
                "name the folder that holds the state, such as `./.arco`",
            ));
        }
        // Without fsync a segment that was acknowledged can be a file of zeros after power loss.
        let inner = LocalFileSystem::new_with_prefix(folder)
            .map_err(|e| LogError::unavailable("open folder", folder.display(), e))?
            .with_fsync(true);
        let mut store = Self::new(Arc::new(inner));
        store.name = format!("file:{}", folder.display()).into();
        store.folder = Some(Arc::new(folder.to_path_buf()));
        Ok(store)
    }
}

/// A folder whose own name would be lost with the power keeps nothing.
fn make_durably(folder: &FilePath) -> std::io::Result<()> {
    let missing: Vec<_> = folder.ancestors().take_while(|at| !at.exists()).collect();
    std::fs::create_dir_all(folder)?;
    for made in missing {
        let parent = match made.parent() {
            Some(parent) if parent.as_os_str().is_empty() => FilePath::new("."),
            Some(parent) => parent,
            None => continue,
        };
        std::fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}
