//! Forbidden crate edges: what a crate must never reach, however indirectly.
//!
//! The core stays free of async runtime, IO, clock and randomness; hosts and clients pull in no
//! server. One line a rule; test dependencies do not count.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::shell::Cmd;

/// (crate, what it must not reach)
const FORBIDDEN: &[(&str, &str)] = &[
    ("arco-core", "tokio"),
    ("arco-core", "object_store"),
    ("arco-core", "rand"),
    ("arco-core", "reqwest"),
    ("arco-core", "axum"),
    ("arco-flow", "tokio"),
    ("arco-flow", "object_store"),
    ("arco-flow", "rand"),
    ("arco-flow", "reqwest"),
    ("arco-flow", "axum"),
    ("arco-log", "arco-flow"),
    ("arco-wire", "arco-flow"),
    ("arco-wire", "arco-log"),
    ("arco-wire", "arco-engine"),
    ("arco-wire", "arco-api"),
    ("arco-ingest", "arco-engine"),
    ("arco-ingest", "axum"),
    ("arco-api", "async-nats"),
    ("arco-worker", "arco-flow"),
    ("arco-worker", "arco-log"),
    ("arco-worker", "arco-engine"),
    ("arco-worker", "arco-api"),
];

/// Checks every rule and prints one line for each.
pub(crate) fn check() -> Result<()> {
    let mut broken = 0;
    let mut reached_by: Option<(&str, BTreeSet<String>)> = None;
    for &(from, to) in FORBIDDEN {
        if reached_by.as_ref().is_none_or(|(name, _)| *name != from) {
            reached_by = Some((from, reachable(from)?));
        }
        let reaches = reached_by
            .as_ref()
            .is_some_and(|(_, crates)| crates.contains(to));
        if reaches {
            broken += 1;
            println!(
                "  {from} !→ {to}: BROKEN, see `cargo tree -p {from} -e normal,build -i {to}`"
            );
        } else {
            println!("  {from} !→ {to}: holds");
        }
    }
    if broken > 0 {
        bail!("{broken} forbidden crate edges exist; a new edge is a change of the design");
    }
    Ok(())
}

fn reachable(package: &str) -> Result<BTreeSet<String>> {
    let tree = Cmd::cargo(&["tree", "--locked", "--package", package])
        .args(&[
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .capture()?;
    Ok(names(&tree))
}

/// First word of each line: `serde v1.0.2 (*)` is `serde`.
fn names(tree: &str) -> BTreeSet<String> {
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
