//! The working tree: what its files say, the hash it would be committed under, copies of it.
//!
//! The hash names the tree as it lies there, with what is not yet committed or added: it is git's
//! own tree hash, made in an index of our own, so the index of the person at work stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell::Cmd;

/// The files of the working tree that are not ignored. A file that is not text has no content here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, Option<String>>,
    folders: BTreeSet<String>,
}

impl Tree {
    /// Reads the tree below `root`, the top of a checkout.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let listing = git(root)
            .args(&[
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .capture()
            .context("list the files of the working tree")?;
        let mut tree = Self::default();
        for path in listing.split('\0').filter(|path| !path.is_empty()) {
            let file = root.join(path);
            // A file that is deleted and not yet committed is still listed.
            if file.is_file() {
                let content =
                    fs::read(&file).with_context(|| format!("read {}", file.display()))?;
                tree.insert(path, String::from_utf8(content).ok());
            }
        }
        Ok(tree)
    }

    /// Adds a file.
    pub(crate) fn insert(&mut self, path: &str, content: Option<String>) {
        let mut folder = path;
        while let Some((above, _)) = folder.rsplit_once('/') {
            self.folders.insert(above.to_owned());
            folder = above;
        }
        self.files.insert(path.to_owned(), content);
    }

    /// The text of a file; `None` when it is not there or not text.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    pub(crate) fn has_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Whether a file or a folder is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.has_file(path) || self.folders.contains(path)
    }

    /// The paths of the files, in order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}

/// The name of a tree: git's hash of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeHash(pub(crate) String);

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Hashes the working tree of the checkout at `root`.
pub(crate) fn hash(root: &Path) -> Result<TreeHash> {
    OwnIndex::of(root)?.hash()
}

/// A copy of the tree, deleted when dropped.
#[derive(Debug)]
pub(crate) struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// Writes the working tree of the checkout at `root` to `folder`, which is emptied first.
    pub(crate) fn make(root: &Path, folder: PathBuf) -> Result<Self> {
        let index = OwnIndex::of(root)?;
        let copy = Self { folder };
        copy.remove()?;
        fs::create_dir_all(&copy.folder)
            .with_context(|| format!("create {}", copy.folder.display()))?;
        index
            .git()
            .args(&["checkout-index", "--all"])
            .args(&[format!("--prefix={}/", copy.folder.display())])
            .capture()
            .context("copy the working tree")?;
        Ok(copy)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("remove {}", self.folder.display()))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("warning: {error:#}");
        }
    }
}

/// An index that holds the working tree, beside the one of the checkout.
struct OwnIndex<'a> {
    root: &'a Path,
    file: PathBuf,
}

impl<'a> OwnIndex<'a> {
    fn of(root: &'a Path) -> Result<Self> {
        let theirs = git(root)
            .args(&["rev-parse", "--git-path", "index"])
            .capture()
            .context("find the index of the checkout")?;
        // Relative to where git ran.
        let theirs = root.join(theirs.trim_end());
        let file = theirs.with_file_name(format!("index.parity.{}", std::process::id()));
        let index = Self { root, file };
        // What is unchanged since is not read again: the copy carries the times of the files.
        if theirs.is_file() {
            fs::copy(&theirs, &index.file).with_context(|| format!("copy {}", theirs.display()))?;
        }
        index
            .git()
            .args(&["add", "--all"])
            .capture()
            .context("read the working tree")?;
        Ok(index)
    }

    fn git(&self) -> Cmd {
        git(self.root).env("GIT_INDEX_FILE", &self.file)
    }

    fn hash(&self) -> Result<TreeHash> {
        let hash = self
            .git()
            .args(&["write-tree"])
            .capture()
            .context("hash the working tree")?;
        Ok(TreeHash(hash.trim_end().to_owned()))
    }
}

impl Drop for OwnIndex<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_file(
            self.file
                .with_extension(format!("{}.lock", std::process::id())),
        );
    }
}

fn git(root: &Path) -> Cmd {
    Cmd::new("git").dir(root)
}

#[cfg(test)]
mod tests;
