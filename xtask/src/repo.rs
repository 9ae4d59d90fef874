//! Where things lie in the repository.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell::Cmd;

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in a folder of the repository")
}

/// A path below the root.
pub(crate) fn path(below_root: &str) -> PathBuf {
    root().join(below_root)
}

/// The folder cargo builds into, wherever the environment or a configuration put it.
pub(crate) fn cargo_target() -> Result<PathBuf> {
    let metadata = cargo_metadata(&["--no-deps"])?;
    let folder = metadata["target_directory"]
        .as_str()
        .context("read `target_directory` of `cargo metadata`")?;
    Ok(PathBuf::from(folder))
}

/// What `cargo metadata` says.
pub(crate) fn cargo_metadata(arguments: &[&str]) -> Result<serde_json::Value> {
    let text = Cmd::cargo(&["metadata", "--format-version", "1", "--locked"])
        .args(arguments)
        .capture()?;
    serde_json::from_str(&text).context("parse the output of `cargo metadata`")
}

/// How a binary is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build; what tests and the demo run on.
    Dev,
    /// What figures are measured on.
    Release,
}

/// Builds the `arco` binary and says where it is.
pub(crate) fn build_arco(profile: Profile) -> Result<PathBuf> {
    let build = Cmd::cargo(&[
        "build",
        "--locked",
        "--package",
        "arco-cli",
        "--bin",
        "arco",
    ]);
    let (build, folder) = match profile {
        Profile::Dev => (build, "debug"),
        Profile::Release => (build.args(&["--release"]), "release"),
    };
    build.run()?;
    Ok(cargo_target()?.join(folder).join("arco"))
}
