//! Runs named tests, exactly those, and gives their report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::junit::{Outcome, Report};
use super::reports::{self, forget};
use super::test_name::{Stage, Target, Test, binary_id};
use crate::python_env::PythonEnv;
use crate::repo;
use crate::shell::Cmd;
use crate::toolchain;

/// Where nextest's default profile writes its report: below the root of the workspace, whatever
/// folder cargo builds into.
pub(crate) fn nextest_report(root: &Path) -> PathBuf {
    root.join("target/nextest/default/junit.xml")
}

/// A checkout, or a copy of one, whose tests are run.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) root: &'a Path,
    pub(crate) environment: &'a PythonEnv,
}

impl Place<'_> {
    /// Runs the tests of one stage. A test that fails is told by the report; what does not build or
    /// does not start is an error.
    pub(crate) fn run(&self, stage: Stage, tests: &BTreeSet<Test>) -> Result<Report> {
        if tests.is_empty() {
            return Ok(Report::default());
        }
        match stage {
            Stage::Rust if toolchain::has_nextest() => self.nextest(tests),
            Stage::Rust => self.cargo_test(tests),
            Stage::Python | Stage::Example => self.pytest(stage, tests),
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Cmd> {
        let cargo = Cmd::cargo(arguments)
            .dir(self.root)
            .env("CARGO_TARGET_DIR", self.target()?)
            .env("INSTA_UPDATE", "no");
        Ok(self.with_own_sdk(self.environment.activate(cargo)))
    }

    /// Where cargo builds. A copy has a folder of its own, kept from bite to bite: cargo knows the
    /// crates of a workspace by their place in it, so in a shared folder it would take a mutated
    /// crate that was built later than the checkout was edited for the checkout's own.
    fn target(&self) -> Result<PathBuf> {
        if self.root == repo::root() {
            repo::cargo_target()
        } else {
            Ok(reports::folder()?.join("bite-target"))
        }
    }

    /// The environment holds the SDK of the checkout; a copy has its own.
    fn with_own_sdk(&self, command: Cmd) -> Cmd {
        if self.root == repo::root() {
            return command;
        }
        command.env("PYTHONPATH", self.root.join("python/arco/src"))
    }

    fn nextest(&self, tests: &BTreeSet<Test>) -> Result<Report> {
        let report = nextest_report(self.root);
        forget(&report)?;
        let arguments = ["nextest", "run", "--locked", "--profile", "default"];
        let filter = filter(tests);
        let status = self
            .cargo(&arguments)?
            .args(&builds(tests))
            .args(&["--filterset", &filter])
            .status()?;
        if !report.is_file() {
            bail!("the tests did not build or did not start ({status})");
        }
        Report::read(&report)
    }

    fn cargo_test(&self, tests: &BTreeSet<Test>) -> Result<Report> {
        let mut report = Report::default();
        for ((package, target), names) in binaries(tests) {
            let (status, printed) = self
                .cargo(&["test", "--locked", "--no-fail-fast", "--package", package])?
                .args(&target.flags().collect::<Vec<_>>())
                .args(&["--", "--exact"])
                .args(&names)
                .status_and_stdout()?;
            if !printed.contains("\ntest result: ") {
                bail!("the tests of {package} did not build or did not start ({status})");
            }
            for (name, outcome) in harness_lines(&printed) {
                report.push(&binary_id(package, target), name, outcome);
            }
        }
        Ok(report)
    }

    fn pytest(&self, stage: Stage, tests: &BTreeSet<Test>) -> Result<Report> {
        let mut roots = BTreeMap::<&str, Vec<String>>::new();
        for test in tests {
            if let Test::Python {
                root,
                file,
                classes,
                name,
            } = test
            {
                let mut id = vec![file.as_str()];
                id.extend(classes.iter().map(String::as_str));
                id.push(name);
                roots.entry(root).or_default().push(id.join("::"));
            }
        }
        let arco = match stage {
            Stage::Python => Some(self.build_arco()?),
            _ => None,
        };
        let mut report = Report::default();
        for (root, ids) in roots {
            let file = reports::folder()?.join(format!("{stage}.named.xml"));
            forget(&file)?;
            let mut pytest = self.environment.module("pytest").dir(&self.root.join(root));
            if let Some(arco) = &arco {
                pytest = pytest.env("ARCO_BIN", arco);
            }
            let status = self
                .with_own_sdk(pytest)
                .args(&["--junitxml".as_ref(), file.as_os_str()])
                .args(&ids)
                .status()?;
            if !file.is_file() {
                bail!("pytest did not start in {root} ({status})");
            }
            report.extend(Report::read(&file).context("read what pytest reported")?);
        }
        Ok(report)
    }

    /// Tests of the whole product run the binary of this very place.
    fn build_arco(&self) -> Result<PathBuf> {
        self.cargo(&[
            "build",
            "--locked",
            "--package",
            "arco-cli",
            "--bin",
            "arco",
        ])?
        .run()?;
        Ok(self.target()?.join("debug/arco"))
    }
}

/// The programs that hold tests, each by its package and target, and the names of those tests.
fn binaries(tests: &BTreeSet<Test>) -> BTreeMap<(&str, &Target), Vec<&str>> {
    let mut binaries = BTreeMap::<(&str, &Target), Vec<&str>>::new();
    for test in tests {
        if let Test::Rust {
            package,
            target,
            name,
        } = test
        {
            binaries.entry((package, target)).or_default().push(name);
        }
    }
    binaries
}

/// What to build: only what holds a named test.
fn builds(tests: &BTreeSet<Test>) -> Vec<&str> {
    // A flag stands once, however many packages it is for.
    let mut flags = BTreeSet::new();
    for (package, target) in binaries(tests).into_keys() {
        flags.insert(vec!["--package", package]);
        flags.insert(target.flags().collect());
    }
    flags.into_iter().flatten().collect()
}

/// `(binary_id(=a::it) & (test(=b) | test(=c))) | …`
fn filter(tests: &BTreeSet<Test>) -> String {
    binaries(tests)
        .into_iter()
        .map(|((package, target), names)| {
            let binary = binary_id(package, target);
            let names: Vec<String> = names.iter().map(|name| format!("test(={name})")).collect();
            format!("(binary_id(={binary}) & ({}))", names.join(" | "))
        })
        .collect::<Vec<_>>()
        .join(" | ")
}

/// `test a::b ... ok`, as the harness prints without nextest.
fn harness_lines(printed: &str) -> impl Iterator<Item = (&str, Outcome)> {
    printed.lines().filter_map(|line| {
        let (name, ending) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let outcome = match ending.split([',', ' ']).next()? {
            "ok" => Outcome::Passed,
            "ignored" => Outcome::Skipped,
            _ => Outcome::Failed,
        };
        Some((name, outcome))
    })
}

#[cfg(test)]
mod tests;
