//! `cargo xtask parity`: every claim of the parity matrix has proof, or the command fails.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::parity::fault::Fault;
use crate::parity::results::{self, Named, Proof};
use crate::parity::rules::{self, Data};
use crate::parity::run::Place;
use crate::parity::test_name::Stage;
use crate::parity::tree::{self, Tree, TreeHash};
use crate::parity::{bite, coverage, render, reports};
use crate::{python_env, repo};

/// What to do with the matrix; without an option, prove it.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Make the generated pages again from the data.
    #[arg(long, group = "what")]
    write: bool,
    /// Print how many statements are proven, carded and open, section by section.
    #[arg(long, group = "what")]
    coverage: bool,
    /// Apply the mutation of each uncheatable row, or of the rows named, and expect red.
    #[arg(long, group = "what", value_name = "ID", num_args = 0..)]
    bite: Option<Vec<String>>,
    /// Judge the data alone: neither run tests nor read reports.
    #[arg(long = "static", group = "what")]
    data_alone: bool,
    /// Run no tests: without a report of this very tree, fail.
    #[arg(long, group = "what")]
    report_only: bool,
}

/// Where proof that tests passed may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// From nowhere: the data alone is judged.
    None,
    /// From reports of this very tree.
    Reports,
    /// From those, and from running the named tests where there is none.
    ReportsOrRuns,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.write {
        return write();
    }
    if options.coverage {
        print!("{}", covered()?);
        return Ok(());
    }
    if let Some(ids) = &options.bite {
        let environment = python_env::for_development()?;
        return verdict(&bite::run(repo::root(), &environment, ids)?);
    }
    judge(if options.data_alone {
        Source::None
    } else if options.report_only {
        Source::Reports
    } else {
        Source::ReportsOrRuns
    })
}

/// Judges the matrix against the working tree.
pub(crate) fn judge(source: Source) -> Result<()> {
    let root = repo::root();
    let now = tree::hash(root)?;
    let tree = Tree::read(root)?;
    // Tests prove nothing for rows that are wrong in themselves.
    verdict(&rules::check(&tree))?;
    let data = read(&tree)?;
    if source == Source::None {
        println!(
            "  {} rows hold against the files of the tree",
            data.rows.len()
        );
        return Ok(());
    }
    let named = results::named(&tree, &data.rows);
    let proofs = proofs(&named, &now, source)?;
    verdict(&results::check(&named, &proofs))?;
    if tree::hash(root)? != now {
        bail!("the tree changed while its tests ran, so they prove nothing; repeat the command");
    }
    println!(
        "  {} rows hold; the {} tests they name passed on tree {now}",
        data.rows.len(),
        named.len()
    );
    Ok(())
}

fn proofs(named: &[Named<'_>], now: &TreeHash, source: Source) -> Result<BTreeMap<Stage, Proof>> {
    let folder = reports::folder()?;
    let mut proofs = BTreeMap::new();
    for stage in Stage::ALL {
        let tests = results::of_stage(named, stage);
        if tests.is_empty() {
            continue;
        }
        let mut proof = reports::read(&folder, stage, now)?;
        if source == Source::ReportsOrRuns && !matches!(proof, Proof::Report(_)) {
            let why = match &proof {
                Proof::OtherTree(tree) => format!("the report is of another tree, {tree}"),
                _ => "there is no report".to_owned(),
            };
            println!("  {stage}: {why}; running its {} named tests", tests.len());
            fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
            let place = Place {
                root: repo::root(),
                environment: &python_env::for_development()?,
            };
            proof = Proof::Report(place.run(stage, &tests)?);
        }
        proofs.insert(stage, proof);
    }
    Ok(proofs)
}

fn verdict(faults: &[Fault]) -> Result<()> {
    for fault in faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => Ok(()),
        1 => bail!("the parity matrix has a fault"),
        many => bail!("the parity matrix has {many} faults"),
    }
}

fn read(tree: &Tree) -> Result<Data> {
    Data::read(tree).or_else(|faults| {
        verdict(&faults)?;
        bail!("the data of the parity matrix cannot be read")
    })
}

fn write() -> Result<()> {
    let tree = Tree::read(repo::root())?;
    let data = read(&tree)?;
    for (page, text) in render::pages(&data.rows, &data.cards) {
        if tree.text(page) == Some(&text) {
            println!("  {page}: as it was");
        } else {
            let file = repo::path(page);
            fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
            println!("  {page}: written");
        }
    }
    Ok(())
}

fn covered() -> Result<String> {
    let data = read(&Tree::read(repo::root())?)?;
    Ok(coverage::table(&data.sections, &data.rows, &data.cards))
}
