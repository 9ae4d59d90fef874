//! `cargo xtask test`: every check and every test of the repository, stage by stage.
//!
//! The stages stand in one table. Continuous integration calls the same command with the names of
//! some stages; a person calls it without any.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::command::demo;
use crate::command::parity::{self, Source};
use crate::parity::reports::{self, Recording};
use crate::parity::run::nextest_report;
use crate::parity::test_name::Stage as Proving;
use crate::python_env::{self, PythonEnv};
use crate::shell::Cmd;
use crate::timing::Stopwatch;
use crate::{crate_edges, dependencies, repo, toolchain};

/// Which stages.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Stages to run, in the order of the table; all of them when none is named.
    #[arg(value_name = "STAGE")]
    stages: Vec<String>,
    /// Print the stages and end.
    #[arg(long)]
    list: bool,
}

/// One step of the test: a name to call it by, what it shows, and how.
struct Stage {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<()>,
}

#[rustfmt::skip] // A table reads as rows.
const STAGES: &[Stage] = &[
    Stage { name: "tools",        about: "cargo, rustfmt, clippy, a C compiler and Python are there", run: tools },
    Stage { name: "format",       about: "Rust sources are formatted",                                run: format },
    Stage { name: "clippy",       about: "no lint of Rust speaks",                                    run: clippy },
    Stage { name: "edges",        about: "no forbidden crate edge exists",                            run: crate_edges::check },
    Stage { name: "dependencies", about: "licences are allowed, duplicates have a reason",            run: dependencies::check },
    Stage { name: "build",        about: "everything builds",                                         run: build },
    Stage { name: "python-env",   about: "a Python environment with the SDK and its tools",           run: environment },
    Stage { name: "rust",         about: "Rust tests, those of real processes among them",            run: rust },
    Stage { name: "doctests",     about: "Rust examples in documentation compile and run",            run: doctests },
    Stage { name: "python",       about: "Python lints, types and tests",                             run: python },
    Stage { name: "example",      about: "the flights example, in process",                           run: example },
    Stage { name: "parity",       about: "each claim of the parity matrix has proof on this tree",    run: parity_proof },
    Stage { name: "demo",         about: "the demo on a real server, its figures against the CSV",    run: demo_and_figures },
];

/// Runs the stages.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.list {
        for stage in STAGES {
            println!("{:<13} {}", stage.name, stage.about);
        }
        return Ok(());
    }
    let chosen = choose(&options.stages)?;
    let whole = Stopwatch::start();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let mut result = Ok(());
    for stage in chosen {
        println!("\n== {}: {}", stage.name, stage.about);
        let watch = Stopwatch::start();
        result = (stage.run)().with_context(|| {
            format!(
                "stage `{0}` failed; repeat it alone with `cargo xtask test {0}`",
                stage.name
            )
        });
        times.push((stage.name, watch.elapsed()));
        println!(
            "== {}: {} {:.1} s",
            stage.name,
            verdict(&result),
            watch.elapsed().as_secs_f64()
        );
        if result.is_err() {
            break;
        }
    }
    println!("\nstage times");
    for (name, time) in &times {
        println!("  {name:<13} {:>7.1} s", time.as_secs_f64());
    }
    println!("  {:<13} {:>7.1} s", "all", whole.elapsed().as_secs_f64());
    result
}

fn verdict(result: &Result<()>) -> &'static str {
    if result.is_ok() {
        "passed in"
    } else {
        "FAILED after"
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static Stage>> {
    for name in names {
        if !STAGES.iter().any(|stage| stage.name == name) {
            let known: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
            bail!(
                "there is no stage `{name}`; the stages are {}",
                known.join(", ")
            );
        }
    }
    let chosen = STAGES
        .iter()
        .filter(|stage| names.is_empty() || names.iter().any(|n| n == stage.name));
    Ok(chosen.collect())
}

fn tools() -> Result<()> {
    for tool in [
        ["--version"].as_slice(),
        &["fmt", "--version"],
        &["clippy", "--version"],
    ] {
        print!(
            "  {}",
            Cmd::cargo(tool)
                .capture()
                .context("hint: rustup component add rustfmt clippy")?
        );
    }
    toolchain::require_c_compiler()?;
    let (python, version) = toolchain::python()?;
    println!("  Python {version}, {}", python.display());
    Ok(())
}

fn format() -> Result<()> {
    Cmd::cargo(&["fmt", "--all", "--check"]).run()
}

fn clippy() -> Result<()> {
    Cmd::cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])
    .run()
}

fn build() -> Result<()> {
    Cmd::cargo(&["build", "--locked", "--workspace", "--all-targets"]).run()
}

fn environment() -> Result<()> {
    python_env::for_development().map(drop)
}

/// Tests of real processes need a Python with the SDK: they run inside the environment.
fn rust() -> Result<()> {
    let environment = python_env::for_development()?;
    if !toolchain::has_nextest() {
        println!(
            "  cargo-nextest is not installed (cargo install cargo-nextest --locked): using cargo test"
        );
        let tests = Cmd::cargo(&["test", "--locked", "--workspace", "--all-targets"]);
        return environment.activate(tests).run();
    }
    let recording = recording(Proving::Rust)?;
    let report = nextest_report(repo::root());
    reports::forget(&report)?;
    let tests = Cmd::cargo(&["nextest", "run", "--locked", "--workspace"]);
    environment
        .activate(tests)
        .args(&["--profile", "default"])
        .run()?;
    recording.keep(&report)
}

/// A stage that passes is proof for the rows of the parity matrix that name its tests.
fn recording(stage: Proving) -> Result<Recording> {
    Recording::begin(repo::root(), reports::folder()?, stage)
}

fn parity_proof() -> Result<()> {
    parity::judge(Source::ReportsOrRuns)
}

fn doctests() -> Result<()> {
    Cmd::cargo(&["test", "--locked", "--workspace", "--doc", "--quiet"]).run()
}

fn python() -> Result<()> {
    let environment = python_env::for_development()?;
    let sdk = repo::path("python/arco");
    environment
        .module("ruff")
        .args(&["check", "."])
        .dir(&sdk)
        .run()?;
    environment
        .module("ruff")
        .args(&["format", "--check", "."])
        .dir(&sdk)
        .run()?;
    environment.module("mypy").dir(&sdk).run()?;
    // Tests of the whole product run the binary of this very tree, not one that lies about.
    let arco = repo::build_arco(repo::Profile::Dev)?;
    let tests = environment.module("pytest").env("ARCO_BIN", arco);
    recorded_pytest(Proving::Python, tests.dir(&sdk))?;
    let example = repo::path("examples/flights");
    environment
        .module("ruff")
        .args(&["check", "."])
        .dir(&example)
        .run()?;
    environment
        .module("ruff")
        .args(&["format", "--check", "."])
        .dir(&example)
        .run()?;
    environment.module("mypy").dir(&example).run()
}

fn example() -> Result<()> {
    let environment = python_env::for_development()?;
    recorded_pytest(Proving::Example, flights_tests(&environment, &[]))
}

fn recorded_pytest(stage: Proving, pytest: Cmd) -> Result<()> {
    let recording = recording(stage)?;
    let draft = recording.draft();
    pytest
        .args(&["--junitxml".as_ref(), draft.as_os_str()])
        .run()?;
    recording.keep(&draft)
}

fn demo_and_figures() -> Result<()> {
    let outcome = demo::run_once()?;
    flights_tests(
        &python_env::for_development()?,
        &[
            "tests/test_figures.py",
            "--storage",
            &outcome.storage.to_string_lossy(),
        ],
    )
    .run()
}

fn flights_tests(environment: &PythonEnv, arguments: &[&str]) -> Cmd {
    let folder = repo::path("examples/flights");
    environment.module("pytest").args(arguments).dir(&folder)
}

#[cfg(test)]
mod tests;
