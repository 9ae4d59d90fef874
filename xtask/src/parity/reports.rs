//! Reports of the stages of `cargo xtask test`, kept with the hash of the tree they are about.
//!
//! ```text
//! <target>/parity/rust.xml    what the runner wrote
//! <target>/parity/rust.tree   the tree it was run on; written last, and only when all passed
//! ```
//!
//! A report proves something about one tree: the hash is taken before the tests run, and a tree that
//! changed while they ran keeps no report, because nobody can say what they saw.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::junit::Report;
use super::results::Proof;
use super::test_name::Stage;
use super::tree::{self, TreeHash};
use crate::repo;

/// The folder of what parity keeps between commands.
pub(crate) fn folder() -> Result<PathBuf> {
    Ok(repo::cargo_target()?.join("parity"))
}

/// What the kept report of a stage proves about the tree `now`.
pub(crate) fn read(folder: &Path, stage: Stage, now: &TreeHash) -> Result<Proof> {
    let Ok(kept) = fs::read_to_string(tree_file(folder, stage)) else {
        return Ok(Proof::Missing);
    };
    let kept = TreeHash(kept.trim().to_owned());
    if kept != *now {
        return Ok(Proof::OtherTree(kept));
    }
    Report::read(&xml_file(folder, stage)).map(Proof::Report)
}

fn tree_file(folder: &Path, stage: Stage) -> PathBuf {
    folder.join(format!("{stage}.tree"))
}

fn xml_file(folder: &Path, stage: Stage) -> PathBuf {
    folder.join(format!("{stage}.xml"))
}

/// A stage that is about to run, and the tree it will run on.
#[derive(Debug)]
pub(crate) struct Recording {
    root: PathBuf,
    folder: PathBuf,
    stage: Stage,
    before: Option<TreeHash>,
}

impl Recording {
    /// Takes the hash of the tree; what an earlier run proved is over.
    pub(crate) fn begin(root: &Path, folder: PathBuf, stage: Stage) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        for file in [tree_file(&folder, stage), xml_file(&folder, stage)] {
            forget(&file)?;
        }
        let before = tree::hash(root)
            .inspect_err(|error| {
                println!("  no report is kept for `cargo xtask parity`: {error:#}");
            })
            .ok();
        Ok(Self {
            root: root.to_owned(),
            folder,
            stage,
            before,
        })
    }

    /// Where the runner may write its report.
    pub(crate) fn draft(&self) -> PathBuf {
        self.folder.join(format!("{}.draft.xml", self.stage))
    }

    /// Keeps the report of tests that have all passed.
    pub(crate) fn keep(self, report: &Path) -> Result<()> {
        let Some(before) = &self.before else {
            return Ok(());
        };
        if tree::hash(&self.root)? != *before {
            println!("  the tree changed while the tests ran: no report is kept");
            return Ok(());
        }
        Report::read(report)?;
        let xml = xml_file(&self.folder, self.stage);
        fs::copy(report, &xml).with_context(|| format!("keep the report {}", xml.display()))?;
        let file = tree_file(&self.folder, self.stage);
        fs::write(&file, format!("{before}\n")).with_context(|| format!("write {}", file.display()))
    }
}

/// Removes a file, so that what is found later is new.
pub(crate) fn forget(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
