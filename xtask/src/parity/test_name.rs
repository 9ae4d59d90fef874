//! From the id of a test in the matrix to the names its runner knows it by.
//!
//! ```text
//! crates/arco-api/tests/it/runs.rs::paged           nextest: arco-api::it  runs::paged
//! crates/arco-core/src/a/tests.rs::holds            nextest: arco-core     a::tests::holds
//! crates/arco-cli/src/a.rs::parses                  nextest: arco-cli::bin/arco  a::parses
//! python/arco/tests/io/test_x.py::TestA::test_b     pytest in python/arco: tests/io/test_x.py::TestA::test_b
//! ```

use std::fmt;

use serde::Deserialize;

use super::fault::Fault;
use super::python_source;
use super::rust_source;
use super::tree::Tree;

/// The stage of `cargo xtask test` that runs a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Rust,
    Python,
    Example,
}

impl Stage {
    pub(crate) const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::Example];
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Example => "example",
        })
    }
}

/// A program of tests that cargo builds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Lib,
    Bin(String),
    Integration(String),
}

impl Target {
    /// What tells cargo to build it and nothing else.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &str> {
        let (flag, name) = match self {
            Self::Lib => ("--lib", None),
            Self::Bin(name) => ("--bin", Some(name)),
            Self::Integration(name) => ("--test", Some(name)),
        };
        std::iter::once(flag).chain(name.map(String::as_str))
    }
}

/// A test and where it runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Test {
    Rust {
        package: String,
        target: Target,
        /// As the harness prints it.
        name: String,
    },
    Python {
        /// Folder pytest starts in.
        root: String,
        /// File below it.
        file: String,
        classes: Vec<String>,
        name: String,
    },
}

impl Test {
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::Rust { .. } => Stage::Rust,
            Self::Python { root, .. } if root.starts_with("examples/") => Stage::Example,
            Self::Python { .. } => Stage::Python,
        }
    }
}

/// The name nextest gives a program of tests.
pub(crate) fn binary_id(package: &str, target: &Target) -> String {
    match target {
        Target::Lib => package.to_owned(),
        Target::Bin(name) => format!("{package}::bin/{name}"),
        Target::Integration(name) => format!("{package}::{name}"),
    }
}

/// Splits `path::function`: the path ends with the extension.
pub(crate) fn split(id: &str) -> Option<(&str, &str)> {
    [".rs::", ".py::"].iter().find_map(|end| {
        let at = id.find(end)?;
        Some((&id[..at + 3], &id[at + end.len()..]))
    })
}

/// Finds the test of a row, or says by which rule it cannot be one.
pub(crate) fn resolve(tree: &Tree, row: &str, id: &str) -> Result<Test, Fault> {
    let fault = |rule, text: String| Err(Fault::new(row, rule, text));
    let Some((path, inner)) = split(id) else {
        return fault(
            "test-exists",
            format!("test `{id}` is not of the form `path.rs::name` or `path.py::name`"),
        );
    };
    let Some(text) = tree.text(path) else {
        return fault(
            "path-exists",
            format!("`{path}` of test `{id}` is not there; name the file the test is in now"),
        );
    };
    let (name, skipped) = if path.ends_with(".rs") {
        match find_rust(text, inner) {
            Ok(found) => found,
            Err(why) => return fault("test-exists", format!("test `{id}` {why}")),
        }
    } else {
        match find_python(text, inner) {
            Ok(skipped) => (inner.to_owned(), skipped),
            Err(why) => return fault("test-exists", format!("test `{id}` {why}")),
        }
    };
    if skipped {
        return fault(
            "test-ignored",
            format!(
                "test `{id}` is marked to be ignored, skipped or to fail; a proof runs and passes"
            ),
        );
    }
    let test = if path.ends_with(".rs") {
        rust(tree, path, &name)
    } else {
        python(tree, path, &name)
    };
    test.or_else(|why| fault("test-exists", format!("test `{id}` {why}")))
}

const GONE: &str = "is not defined there; name the test that proves the row now";

/// The path below the module of the file, and whether it is ignored.
fn find_rust(text: &str, inner: &str) -> Result<(String, bool), String> {
    let items = rust_source::items(text);
    let named: Vec<_> = items
        .iter()
        .filter(|item| item.is_named(inner) && item.kind != rust_source::Kind::Other)
        .collect();
    let tests: Vec<_> = named
        .iter()
        .filter_map(|item| match item.kind {
            rust_source::Kind::Test { ignored } => Some((item.module_path(), ignored)),
            _ => None,
        })
        .collect();
    match tests.as_slice() {
        [one] => Ok(one.clone()),
        [] if named.is_empty() => Err(GONE.to_owned()),
        [] => Err("is a function without a test attribute".to_owned()),
        _ => Err(format!(
            "is the name of {} tests of the file; put the module before it",
            tests.len()
        )),
    }
}

/// Whether it is marked to be skipped.
fn find_python(text: &str, inner: &str) -> Result<bool, String> {
    let last = inner.rsplit("::").next().unwrap_or(inner);
    let items = python_source::items(text);
    let found = items.iter().find_map(|item| match item.kind {
        python_source::Kind::Function { skipped } if item.is_named(inner) => Some(skipped),
        _ => None,
    });
    match found {
        Some(_) if !last.starts_with("test") => {
            Err("does not begin with `test`, so pytest does not collect it".to_owned())
        }
        Some(skipped) => Ok(skipped),
        None => Err(GONE.to_owned()),
    }
}

#[derive(Deserialize)]
struct Manifest {
    package: Option<Package>,
    #[serde(default)]
    bin: Vec<Bin>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

#[derive(Deserialize)]
struct Bin {
    name: Option<String>,
}

fn rust(tree: &Tree, path: &str, inner: &str) -> Result<Test, String> {
    let (folder, manifest) =
        above(path, |folder| manifest(tree, folder)).ok_or("lies in no crate")?;
    let package = manifest.package.ok_or("lies in no crate")?.name;
    let below = &path[folder.len() + 1..];
    let parts: Vec<&str> = below.trim_end_matches(".rs").split('/').collect();
    let (target, modules) = match parts.as_slice() {
        ["src", "bin", name] => (Target::Bin((*name).to_owned()), &parts[3..]),
        ["src", modules @ ..] => {
            let target = if tree.has_file(&format!("{folder}/src/lib.rs")) {
                Target::Lib
            } else {
                let name = manifest.bin.into_iter().find_map(|bin| bin.name);
                Target::Bin(name.unwrap_or_else(|| package.clone()))
            };
            (target, modules)
        }
        ["tests", name, modules @ ..] => (Target::Integration((*name).to_owned()), modules),
        _ => return Err("lies neither in `src` nor in `tests` of its crate".to_owned()),
    };
    let mut modules = modules.to_vec();
    if matches!(modules.last(), Some(&"main" | &"lib" | &"mod")) {
        modules.pop();
    }
    modules.push(inner);
    Ok(Test::Rust {
        package,
        target,
        name: modules.join("::"),
    })
}

/// The manifest of the crate whose folder this is.
fn manifest(tree: &Tree, folder: &str) -> Option<Manifest> {
    let text = tree.text(&format!("{folder}/Cargo.toml"))?;
    let manifest: Manifest = toml::from_str(text).ok()?;
    manifest.package.is_some().then_some(manifest)
}

fn python(tree: &Tree, path: &str, inner: &str) -> Result<Test, String> {
    let (root, ()) = above(path, |folder| {
        let text = tree.text(&format!("{folder}/pyproject.toml"))?;
        text.contains("[tool.pytest").then_some(())
    })
    .ok_or("lies below no pyproject.toml that configures pytest")?;
    let mut names: Vec<String> = inner.split("::").map(str::to_owned).collect();
    let name = names.pop().unwrap_or_default();
    Ok(Test::Python {
        root: root.to_owned(),
        file: path[root.len() + 1..].to_owned(),
        classes: names,
        name,
    })
}

/// The nearest folder above `path` of which `is` says something.
fn above<T>(path: &str, is: impl Fn(&str) -> Option<T>) -> Option<(&str, T)> {
    let mut folder = path;
    while let Some((next, _)) = folder.rsplit_once('/') {
        folder = next;
        if let Some(found) = is(folder) {
            return Some((folder, found));
        }
    }
    None
}

#[cfg(test)]
mod tests;
