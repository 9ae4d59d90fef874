//! What the commands need from the machine, and how to get it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::shell::Cmd;

/// Oldest Python the SDK runs on.
const PYTHON_MINOR_MIN: u32 = 11;

/// Interpreters to try, in this order: what a person would get first.
const PYTHONS: [&str; 5] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
];

/// Checks for a C compiler: some Rust dependencies (zstd, ring) bring C code.
pub(crate) fn require_c_compiler() -> Result<()> {
    let name = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let runs = Command::new(&name)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if runs {
        return Ok(());
    }
    bail!(
        "no C compiler: `{name}` does not run, and some Rust dependencies bring C code\n\
         hint: Debian, Ubuntu: apt-get install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install"
    )
}

/// Finds a Python that is new enough and can make environments: its path and version.
pub(crate) fn python() -> Result<(PathBuf, String)> {
    let mut seen = Vec::new();
    let asked = std::env::var("ARCO_PYTHON").ok();
    let candidates = asked.iter().map(String::as_str).chain(PYTHONS);
    for name in candidates {
        let Ok(answer) = Cmd::new(name)
            .args(&[
                "-c",
                "import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])",
            ])
            .capture()
        else {
            continue;
        };
        let mut lines = answer.lines();
        let (Some(path), Some(version)) = (lines.next(), lines.next()) else {
            continue;
        };
        if !is_new_enough(version) {
            seen.push(format!("{name} is {version}"));
            continue;
        }
        if Cmd::new(path)
            .args(&["-c", "import venv, ensurepip"])
            .capture()
            .is_err()
        {
            seen.push(format!("{name} {version} lacks the venv module"));
            continue;
        }
        return Ok((PathBuf::from(path), version.to_owned()));
    }
    let seen = if seen.is_empty() {
        "none found".to_owned()
    } else {
        seen.join(", ")
    };
    bail!(
        "no Python 3.{PYTHON_MINOR_MIN} or newer with the venv module ({seen})\n\
         hint: Debian, Ubuntu: apt-get install python3 python3-venv; Fedora: dnf install python3; \
         or name an interpreter in ARCO_PYTHON"
    )
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    match (parts.next(), parts.next()) {
        (Some(3), Some(minor)) => minor >= PYTHON_MINOR_MIN,
        (Some(major), _) => major > 3,
        _ => false,
    }
}

/// Whether `cargo nextest` can be used.
pub(crate) fn has_nextest() -> bool {
    Cmd::cargo(&["nextest", "--version"]).capture().is_ok()
}

#[cfg(test)]
mod tests;
