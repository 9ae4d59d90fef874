//! Other programs, run from the root of the repository, with errors that say what was tried.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::ChildGuard;
use crate::repo;

/// Variables that would change what a program under test does, or hand it a credential.
fn is_scrubbed(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("ARCO_")
        || matches!(
            name.as_ref(),
            // Compiles every module again in every process.
            "PYTHONDONTWRITEBYTECODE"
                | "PYTHONPATH"
                | "PYTHONHOME"
                | "PYTHONUNBUFFERED"
                | "VIRTUAL_ENV"
                | "POLARS_MAX_THREADS"
        )
}

/// A program with its arguments, to be run once.
#[derive(Debug)]
pub(crate) struct Cmd {
    inner: Command,
    text: String,
}

impl Cmd {
    /// A program with a clean environment, started in the root of the repository.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut inner = Command::new(&program);
        inner.current_dir(repo::root());
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_scrubbed(name)) {
            inner.env_remove(name);
        }
        let shown = Path::new(program.as_ref());
        let shown = shown.strip_prefix(repo::root()).unwrap_or(shown);
        Self {
            inner,
            text: shown.display().to_string(),
        }
    }

    /// The cargo that runs us.
    pub(crate) fn cargo(arguments: &[&str]) -> Self {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut cargo = Self::new(program);
        cargo.text = "cargo".to_owned();
        cargo.args(arguments)
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: &[S]) -> Self {
        for argument in arguments {
            self.text.push(' ');
            self.text.push_str(&argument.as_ref().to_string_lossy());
            self.inner.arg(argument);
        }
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(name, value);
        self
    }

    /// Starts in another folder.
    pub(crate) fn dir(mut self, folder: &Path) -> Self {
        self.inner.current_dir(folder);
        self
    }

    /// Sends output and errors to a fresh file.
    pub(crate) fn log_to(mut self, file: &Path) -> Result<Self> {
        let out = File::create(file)
            .with_context(|| format!("create the log file {}", file.display()))?;
        let err = out.try_clone().context("share the log file")?;
        self.inner.stdin(Stdio::null()).stdout(out).stderr(err);
        Ok(self)
    }

    /// Runs it with our own output and waits; anything but success is an error.
    pub(crate) fn run(self) -> Result<()> {
        let text = self.text.clone();
        let status = self.status()?;
        if !status.success() {
            bail!("`{text}` failed ({status})");
        }
        Ok(())
    }

    /// Runs it with our own output and waits.
    pub(crate) fn status(self) -> Result<ExitStatus> {
        self.start()?.wait()
    }

    /// Runs it and gives what it printed; its errors are shown only when it fails.
    pub(crate) fn capture(mut self) -> Result<String> {
        let output = self
            .inner
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("start `{}`", self.text))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!(
                "`{}` failed ({}):\n{}",
                self.text,
                output.status,
                errors.trim_end()
            );
        }
        String::from_utf8(output.stdout).with_context(|| format!("read output of `{}`", self.text))
    }

    /// Runs it with errors (progress) on our terminal and gives what it printed.
    pub(crate) fn capture_stdout(self) -> Result<String> {
        let text = self.text.clone();
        let (status, out) = self.status_and_stdout()?;
        if !status.success() {
            bail!("`{text}` failed ({status})\n{}", out.trim_end());
        }
        Ok(out)
    }

    /// Runs it with errors on our terminal and gives how it ended and what it printed.
    pub(crate) fn status_and_stdout(mut self) -> Result<(ExitStatus, String)> {
        self.inner.stdin(Stdio::null()).stdout(Stdio::piped());
        self.start()?.wait_with_stdout()
    }

    /// Starts it as the leader of its own process group, which ends when the guard is dropped.
    pub(crate) fn start(self) -> Result<ChildGuard> {
        ChildGuard::start(self.inner, &self.text)
    }
}
