//! Python environments of the repository, made once and made again when what they hold changes.
//!
//! A stamp inside the environment is the digest of everything it was made from. It is written last:
//! an interrupted installation leaves none, and the next run starts it over.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::repo;
use crate::shell::Cmd;
use crate::timing::Stopwatch;
use crate::toolchain;

/// What an environment holds.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// Folder of the environment.
    pub(crate) folder: PathBuf,
    /// Arguments of `pip install`, one call after the other.
    pub(crate) installs: Vec<Vec<String>>,
    /// Files whose content decides what is installed.
    pub(crate) inputs: Vec<PathBuf>,
}

impl Recipe {
    /// `.venv`: the SDK from its sources and what the example needs.
    pub(crate) fn project() -> Self {
        let requirements = repo::path("examples/flights/requirements.txt");
        let data = repo::path("examples/flights/requirements-data.txt");
        Self {
            folder: repo::path(".venv"),
            installs: vec![
                strings(&["--editable", "python/arco[polars]"]),
                strings(&["--requirement", &requirements.to_string_lossy()]),
                // Its declared dependencies are for its import, which nobody does.
                strings(&["--no-deps", "--requirement", &data.to_string_lossy()]),
            ],
            inputs: vec![requirements, data, repo::path("python/arco/pyproject.toml")],
        }
    }

    /// The tools that check and test, on top of [`Recipe::project`].
    fn tools() -> Self {
        let tools = repo::path("python/requirements-dev.txt");
        Self {
            folder: repo::path(".venv"),
            installs: vec![strings(&["--requirement", &tools.to_string_lossy()])],
            inputs: vec![tools],
        }
    }

    /// Makes the environment unless it is there already.
    pub(crate) fn ensure(&self) -> Result<PythonEnv> {
        let (python, version) = toolchain::python()?;
        let stamp_file = self.folder.join("arco-stamps");
        let stamp = self.stamp(&version)?;
        let stamps = fs::read_to_string(&stamp_file).unwrap_or_default();
        let environment = PythonEnv {
            folder: self.folder.clone(),
        };
        if stamps.lines().any(|line| line == stamp) {
            return Ok(environment);
        }
        let watch = Stopwatch::start();
        let shown = self
            .folder
            .strip_prefix(repo::root())
            .unwrap_or(&self.folder);
        eprintln!(
            "making the Python environment {} with Python {version}",
            shown.display()
        );
        let base = format!("python {version}");
        if !stamps.lines().any(|line| line == base) {
            // Left by another interpreter, or half made.
            Cmd::new(python)
                .args(&["-m", "venv", "--clear"])
                .args(&[&self.folder])
                .run()?;
        }
        for install in &self.installs {
            Cmd::new(environment.python())
                .args(&["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(install)
                .run()
                .context("install Python packages; this needs the package index once, and is safe to repeat")?;
        }
        // Several recipes may share an environment.
        let kept = stamps
            .lines()
            .filter(|line| line.starts_with("recipe "))
            .map(str::to_owned);
        let mut lines: Vec<String> = std::iter::once(base).chain(kept).collect();
        lines.push(stamp);
        fs::write(&stamp_file, lines.join("\n") + "\n")
            .with_context(|| format!("write {}", stamp_file.display()))?;
        eprintln!(
            "Python environment made in {:.0} s",
            watch.elapsed().as_secs_f64()
        );
        Ok(environment)
    }

    fn stamp(&self, version: &str) -> Result<String> {
        let mut digest = Sha256::new();
        digest.update(version);
        for install in &self.installs {
            digest.update(install.join(" "));
            digest.update("\n");
        }
        for input in &self.inputs {
            let content = fs::read(input).with_context(|| format!("read {}", input.display()))?;
            digest.update(content);
        }
        let digest: String = digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(format!("recipe {digest}"))
    }
}

/// `.venv` with the tools that check and test.
pub(crate) fn for_development() -> Result<PythonEnv> {
    Recipe::project().ensure()?;
    Recipe::tools().ensure()
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// An environment that is ready.
#[derive(Debug, Clone)]
pub(crate) struct PythonEnv {
    folder: PathBuf,
}

impl PythonEnv {
    /// An environment another command has made; `None` when it has not.
    pub(crate) fn existing(folder: &Path) -> Option<Self> {
        let environment = Self {
            folder: folder.to_owned(),
        };
        (folder.join("arco-stamps").is_file() && environment.python().is_file())
            .then_some(environment)
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// Runs a module in it, `python -m module`.
    pub(crate) fn module(&self, module: &str) -> Cmd {
        self.activate(Cmd::new(self.python()).args(&["-m", module]))
    }

    /// Runs a script in it.
    pub(crate) fn script(&self, file: &Path) -> Cmd {
        self.activate(Cmd::new(self.python()).args(&[file]))
    }

    /// Puts it first on the path of a program, as activating it in a shell does.
    pub(crate) fn activate(&self, command: Cmd) -> Cmd {
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let mut path = self.folder.join("bin").into_os_string();
        path.push(":");
        path.push(rest);
        command.env("VIRTUAL_ENV", &self.folder).env("PATH", path)
    }
}

#[cfg(test)]
mod tests;
