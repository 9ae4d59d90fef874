//! Comparison with a real Dagster on fresh questions.
//!
//! A round asks each corpus some questions (`golden/oracle/ask.py`), in an environment of its own, and
//! lets the test that compares the committed answers compare these (`crates/arco-core/tests/golden`).
//! Rounds differ in their seed. A default run is one round and ends within its time; a deep one goes on
//! until each operation has been asked often enough, and for as long as it was told to.

mod corpus;
mod figures;

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::bench::peer;
use crate::python_env::{PythonEnv, Recipe};
use crate::repo;
use crate::shell::Cmd;
use crate::timing::Stopwatch;
use crate::toolchain;

pub(crate) use corpus::Corpus;
use figures::Figures;

/// What to do.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What is compared.
    pub(crate) corpora: Vec<Corpus>,
    /// Where the questions come from.
    pub(crate) seed: String,
    /// When to begin no further round, and the most that asking takes.
    pub(crate) patience: Option<Duration>,
    /// As many questions as a full comparison needs.
    pub(crate) deep: bool,
}

/// A seed that nobody has seen.
pub(crate) fn new_seed() -> String {
    // Each `RandomState` has keys of its own.
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// Asks and compares until the plan is met. A difference that no card explains is an error.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let environment = recipe().ensure()?;
    let watch = Stopwatch::start();
    let names: Vec<&str> = plan.corpora.iter().map(|corpus| corpus.name()).collect();
    println!(
        "seed {0}; to repeat: cargo xtask differential {1}--seed {0} {2}",
        plan.seed,
        if plan.deep { "--deep " } else { "" },
        names.join(" ")
    );
    let mut figures = Figures::default();
    for round in 0.. {
        let asked = plan.still_to_ask(&figures, watch.elapsed());
        if asked.is_empty() {
            break;
        }
        let seed = seed_of_round(&plan.seed, round);
        let folder = repo::path("target/differential").join(&seed);
        ask(&environment, plan, &asked, &seed, &folder)?;
        let compared = compare(&folder);
        for corpus in &asked {
            figures.add(&folder.join(format!("{}.json", corpus.name())))?;
        }
        if let Err(error) = compared {
            print!("{figures}");
            bail!(
                "{error:#}: Arco and Dagster differ, see above. The questions and answers are in {}; \
                 `cargo xtask differential --seed {seed}` asks them again",
                folder.display()
            );
        }
        // What agreed need not be kept: the seed gives it again.
        fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
        println!(
            "round {round} of seed {}: {} cases so far, {:.0} s",
            plan.seed,
            figures.cases(),
            watch.elapsed().as_secs_f64()
        );
    }
    print!("{figures}");
    figures.judge()
}

impl Plan {
    /// What the next round asks about.
    fn still_to_ask(&self, figures: &Figures, elapsed: Duration) -> Vec<Corpus> {
        let is_first = figures.cases() == 0;
        let has_time = self.patience.is_some_and(|patience| elapsed < patience);
        let is_short = |corpus: &&Corpus| figures.cases_of(corpus.deep_ops()) < corpus.deep_cases();
        match self.deep {
            false if is_first => self.corpora.clone(),
            false => Vec::new(),
            true if has_time => self.corpora.clone(),
            true => self.corpora.iter().filter(is_short).copied().collect(),
        }
    }
}

/// The first round has the seed that was given, so that a printed seed of any round can be given again.
fn seed_of_round(seed: &str, round: usize) -> String {
    match round {
        0 => seed.to_owned(),
        later => format!("{seed}.{later}"),
    }
}

/// The environment that measures Dagster beside us, with what the oracle needs.
fn recipe() -> Recipe {
    let requirements = repo::path("golden/oracle/requirements.txt");
    Recipe {
        folder: peer::recipe().folder,
        installs: vec![vec![
            "--requirement".to_owned(),
            requirements.to_string_lossy().into_owned(),
        ]],
        inputs: vec![requirements],
    }
}

/// Writes the questions and Dagster's answers into a folder.
fn ask(
    environment: &PythonEnv,
    plan: &Plan,
    corpora: &[Corpus],
    seed: &str,
    folder: &Path,
) -> Result<()> {
    for corpus in corpora {
        let cases = corpus.cases_of_round().to_string();
        let mut ask = environment
            .script(&repo::path("golden/oracle/ask.py"))
            .args(&["--seed", seed, "--cases", &cases])
            .args(&[Path::new("--out"), folder]);
        if let (Some(patience), false) = (plan.patience, plan.deep) {
            // Half of the time is for building and comparing.
            let share = patience.as_secs_f64() / 2.0 / plan.corpora.len() as f64;
            ask = ask.args(&["--seconds", &share.to_string()]);
        }
        ask.args(&[corpus.name()]).run()?;
    }
    Ok(())
}

/// Runs the comparison on a folder; it leaves its figures there.
fn compare(folder: &Path) -> Result<()> {
    let tests: &[&str] = if toolchain::has_nextest() {
        &["nextest", "run", "--no-fail-fast", "--locked"]
    } else {
        &["test", "--no-fail-fast", "--locked"]
    };
    Cmd::cargo(tests)
        .args(&[
            "--package",
            "arco-core",
            "--package",
            "arco-flow",
            "--test",
            "golden",
            "oracle::",
        ])
        // The lines that differ say it all.
        .env("RUST_BACKTRACE", "0")
        .env("ARCO_ORACLE_CORPUS", folder)
        .env("ARCO_ORACLE_REPORT", folder)
        .run()
}

#[cfg(test)]
mod tests;
