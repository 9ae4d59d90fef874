//! Mutations that must be noticed: the proof that a test of an uncheatable row can fail.
//!
//! Each patch is applied alone to a copy of the working tree, and a test of its row must fail there.
//! A patch that does not apply, code that does not build and tests that fail without any patch are
//! faults of their own: red for a wrong reason proves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::fault::Fault;
use super::junit::{Outcome, Report};
use super::matrix::Row;
use super::reports;
use super::results::{self, Named};
use super::run::Place;
use super::test_name::{self, Stage};
use super::tree::{Copy, Tree};
use crate::python_env::PythonEnv;
use crate::shell::Cmd;
use crate::timing::Stopwatch;

type Reports = BTreeMap<Stage, Report>;

/// Bites every uncheatable row, or those with the given ids.
pub(crate) fn run(root: &Path, environment: &PythonEnv, ids: &[String]) -> Result<Vec<Fault>> {
    let tree = Tree::read(root)?;
    let data = match super::rules::Data::read(&tree) {
        Ok(data) => data,
        Err(faults) => return Ok(faults),
    };
    let rows = choose(&data.rows, ids)?;
    let mut faults = Vec::new();
    let mut ready = Vec::new();
    for row in rows {
        match prepare(&tree, row, &data.rows) {
            Ok(()) => ready.push(row),
            Err(fault) => faults.push(fault),
        }
    }
    if ready.is_empty() {
        return Ok(faults);
    }
    let copy = Copy::make(root, reports::folder()?.join("bite"))?;
    let place = Place {
        root: copy.folder(),
        environment,
    };
    println!("  the tests of {} rows without any patch", ready.len());
    let all = results::named(&tree, ready.iter().copied());
    let green = tests(&place, &all).context("run the tests without any patch")?;
    for row in ready {
        let named = results::named(&tree, [row]);
        if let Some(fault) = not_green(row, &named, &green) {
            faults.push(fault);
            continue;
        }
        let watch = Stopwatch::start();
        println!("  {}: {}", row.id, row.bite_patch());
        match bite(&place, row, &named)? {
            Ok(by) => println!(
                "  {}: red by {by}, {:.0} s",
                row.id,
                watch.elapsed().as_secs_f64()
            ),
            Err(fault) => {
                println!("  {fault}");
                faults.push(fault);
            }
        }
    }
    Ok(faults)
}

fn choose<'a>(rows: &'a [Row], ids: &[String]) -> Result<Vec<&'a Row>> {
    let uncheatable: Vec<&Row> = rows.iter().filter(|row| row.uncheatable).collect();
    for id in ids {
        if !uncheatable.iter().any(|row| row.id == *id) {
            let known: Vec<&str> = uncheatable.iter().map(|row| row.id.as_str()).collect();
            bail!(
                "there is no uncheatable row `{id}`; there are {}",
                known.join(", ")
            );
        }
    }
    Ok(uncheatable
        .into_iter()
        .filter(|row| ids.is_empty() || ids.contains(&row.id))
        .collect())
}

/// The patch is there and mutates code, and the row has tests that may notice.
fn prepare(tree: &Tree, row: &Row, rows: &[Row]) -> Result<(), Fault> {
    let patch = row.bite_patch();
    let Some(text) = tree.text(&patch) else {
        let text = format!("`{patch}` is not there; write the mutation that must be noticed");
        return Err(Fault::new(&row.id, "bite-patch", text));
    };
    if row.tests.is_empty() {
        let text = "has no test that could notice a mutation";
        return Err(Fault::new(&row.id, "bite-patch", text));
    }
    for id in &row.tests {
        test_name::resolve(tree, &row.id, id)?;
    }
    let tests: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| &row.tests)
        .filter_map(|id| test_name::split(id))
        .map(|(path, _)| path)
        .collect();
    let changed: Vec<&str> = changed(text).collect();
    if let Some(path) = changed.iter().find(|path| tests.contains(*path)) {
        let text = format!("`{patch}` changes the tests in `{path}`; mutate the code they judge");
        return Err(Fault::new(&row.id, "bite-patch", text));
    }
    if changed.is_empty() {
        let text = format!("`{patch}` changes no file");
        return Err(Fault::new(&row.id, "bite-patch", text));
    }
    Ok(())
}

/// The files a patch changes.
fn changed(patch: &str) -> impl Iterator<Item = &str> {
    patch
        .lines()
        .filter_map(|line| line.strip_prefix("+++ b/"))
        .map(|path| path.split('\t').next().unwrap_or(path))
}

fn tests(place: &Place<'_>, named: &[Named<'_>]) -> Result<Reports> {
    let mut reports = Reports::new();
    for stage in Stage::ALL {
        let tests = results::of_stage(named, stage);
        reports.insert(stage, place.run(stage, &tests)?);
    }
    Ok(reports)
}

fn outcome(reports: &Reports, named: &Named<'_>) -> Option<Outcome> {
    reports.get(&named.test.stage())?.outcome(&named.test)
}

fn not_green(row: &Row, named: &[Named<'_>], reports: &Reports) -> Option<Fault> {
    let failing = named
        .iter()
        .find(|named| outcome(reports, named) != Some(Outcome::Passed))?;
    let text = format!(
        "test `{}` does not pass without the mutation, so red would prove nothing; mend it first",
        failing.id
    );
    Some(Fault::new(&row.id, "bite-green", text))
}

/// The test that noticed, or why none did. An error means that the copy cannot be used any more.
fn bite(place: &Place<'_>, row: &Row, named: &[Named<'_>]) -> Result<Result<String, Fault>> {
    let patch = row.bite_patch();
    if let Err(error) = apply(place.root, &patch, &[]) {
        let text =
            format!("`{patch}` does not apply; make it again on the code of now ({error:#})");
        return Ok(Err(Fault::new(&row.id, "bite-applies", text)));
    }
    let result = tests(place, named);
    apply(place.root, &patch, &["--reverse"]).context("take the mutation back")?;
    Ok(judge(row, named, result))
}

fn judge(row: &Row, named: &[Named<'_>], result: Result<Reports>) -> Result<String, Fault> {
    let patch = row.bite_patch();
    let reports = result.map_err(|error| {
        let text = format!("with `{patch}`: {error:#}; a mutation builds, and behaves otherwise");
        Fault::new(&row.id, "bite-builds", text)
    })?;
    let red = named
        .iter()
        .find(|named| outcome(&reports, named) == Some(Outcome::Failed));
    red.map(|named| named.id.to_owned()).ok_or_else(|| {
        let text = format!(
            "no test of the row notices `{patch}`; make the tests stronger, or the mutation one \
             that breaks the statement"
        );
        Fault::new(&row.id, "bite-red", text)
    })
}

fn apply(folder: &Path, patch: &str, arguments: &[&str]) -> Result<()> {
    // Without the ceiling git would take the copy for a folder of the checkout it may lie in, and
    // skip every file of the patch without a word.
    let ceiling = folder.parent().unwrap_or(folder);
    Cmd::new("git")
        .dir(folder)
        .env("GIT_CEILING_DIRECTORIES", ceiling)
        .args(&["apply"])
        .args(arguments)
        .args(&[patch])
        .capture()
        .map(drop)
}

#[cfg(test)]
mod tests;
