use std::collections::BTreeMap;

use super::{Proof, check, named};
use crate::parity::fixture;
use crate::parity::junit::Report;
use crate::parity::matrix;
use crate::parity::test_name::Stage;
use crate::parity::tree::TreeHash;

const RUST: &str = "<testsuite><testcase classname='a::it' name='cron::ticks'/></testsuite>";
const PYTHON: &str =
    "<testsuite><testcase classname='tests.test_cron' name='test_schedule[1]'/></testsuite>";

fn report(xml: &str) -> Proof {
    Proof::Report(Report::parse(xml).unwrap())
}

/// The faults of the good matrix with these proofs of its two stages.
fn faults(rust: Proof, python: Proof) -> Vec<String> {
    let rows = matrix::parse(fixture::MATRIX).unwrap();
    let tree = fixture::good();
    let proofs = BTreeMap::from([(Stage::Rust, rust), (Stage::Python, python)]);
    check(&named(&tree, &rows), &proofs)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn tests_that_passed_are_proof() {
    assert_eq!(faults(report(RUST), report(PYTHON)), Vec::<String>::new());
}

#[test]
fn test_that_failed_or_was_skipped_is_told() {
    for (ending, told) in [
        ("<failure/>", "failed; mend it"),
        (
            "<skipped/>",
            "was skipped, in one of its cases at least; a proof runs",
        ),
    ] {
        let xml = RUST.replace(
            "/></testsuite>",
            &format!(">{ending}</testcase></testsuite>"),
        );
        assert_eq!(
            faults(report(&xml), report(PYTHON)),
            [format!(
                "SCH-01: test-passed: test `{}::ticks` {told}",
                fixture::RUST_TEST
            )]
        );
    }
}

#[test]
fn test_that_is_not_in_the_report_is_told() {
    let faults = faults(report("<testsuite/>"), report(PYTHON));
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0]
            .starts_with("SCH-01: test-ran: test `crates/a/tests/it/cron.rs::ticks` did not run")
    );
}

#[test]
fn report_of_another_tree_is_told_with_the_row() {
    let other = Proof::OtherTree(TreeHash("c0ffee".into()));
    assert_eq!(
        faults(report(RUST), other),
        [
            "SCH-02: report-tree: the report of stage `python` is of another tree, c0ffee; run \
          `cargo xtask test python` on this one"
        ]
    );
}

#[test]
fn missing_report_is_told_with_the_row() {
    assert_eq!(
        faults(Proof::Missing, report(PYTHON)),
        [
            "SCH-01: report-missing: there is no report of stage `rust`; make it with `cargo xtask \
          test rust`"
        ]
    );
}
