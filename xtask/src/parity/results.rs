//! The tests that rows name have run and passed, on the very tree that is judged.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::Fault;
use super::junit::{Outcome, Report};
use super::matrix::Row;
use super::test_name::{self, Stage, Test};
use super::tree::{Tree, TreeHash};

/// What there is to show that the tests of a stage passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A report of this very tree.
    Report(Report),
    Missing,
    /// A report of the tree that is named.
    OtherTree(TreeHash),
}

/// A test as a row names it.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    pub(crate) row: &'a str,
    pub(crate) id: &'a str,
    pub(crate) test: Test,
}

/// The tests of rows; those that cannot be resolved are left to the rules.
pub(crate) fn named<'a>(tree: &Tree, rows: impl IntoIterator<Item = &'a Row>) -> Vec<Named<'a>> {
    let mut found = Vec::new();
    for row in rows {
        for id in &row.tests {
            if let Ok(test) = test_name::resolve(tree, &row.id, id) {
                found.push(Named {
                    row: &row.id,
                    id,
                    test,
                });
            }
        }
    }
    found
}

/// The different tests of a stage.
pub(crate) fn of_stage(named: &[Named<'_>], stage: Stage) -> BTreeSet<Test> {
    named
        .iter()
        .filter(|named| named.test.stage() == stage)
        .map(|named| named.test.clone())
        .collect()
}

/// Judges every named test by what there is to show for its stage.
pub(crate) fn check(named: &[Named<'_>], proofs: &BTreeMap<Stage, Proof>) -> Vec<Fault> {
    let mut faults = Vec::new();
    // One line a row and stage when there is no report at all.
    let mut without_report = BTreeSet::new();
    for one in named {
        let stage = one.test.stage();
        let (rule, text) = match proofs.get(&stage) {
            Some(Proof::Report(report)) => match outcome(report, one) {
                Some(fault) => fault,
                None => continue,
            },
            _ if !without_report.insert((one.row, stage)) => continue,
            Some(Proof::OtherTree(tree)) => (
                "report-tree",
                format!(
                    "the report of stage `{stage}` is of another tree, {tree}; run `cargo xtask \
                     test {stage}` on this one"
                ),
            ),
            Some(Proof::Missing) | None => (
                "report-missing",
                format!(
                    "there is no report of stage `{stage}`; make it with `cargo xtask test {stage}`"
                ),
            ),
        };
        faults.push(Fault::new(one.row, rule, text));
    }
    faults
}

fn outcome(report: &Report, named: &Named<'_>) -> Option<(&'static str, String)> {
    let id = named.id;
    match report.outcome(&named.test) {
        Some(Outcome::Passed) => None,
        Some(Outcome::Failed) => Some(("test-passed", format!("test `{id}` failed; mend it"))),
        Some(Outcome::Skipped) => Some((
            "test-passed",
            format!("test `{id}` was skipped, in one of its cases at least; a proof runs"),
        )),
        None => Some((
            "test-ran",
            format!("test `{id}` did not run: filtered out, or not built; a proof runs"),
        )),
    }
}

#[cfg(test)]
mod tests;
