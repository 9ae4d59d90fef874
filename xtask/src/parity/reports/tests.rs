use std::fs;
use std::path::Path;

use super::{Recording, read};
use crate::parity::results::Proof;
use crate::parity::test_name::Stage;
use crate::parity::tree;
use crate::shell::Cmd;

const REPORT: &str = "<testsuites><testcase classname='a' name='b'/></testsuites>";

/// A checkout with one file; reports lie in a folder that git ignores.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Cmd::new("git")
        .dir(folder.path())
        .args(&["init", "--quiet"])
        .capture()
        .unwrap();
    fs::write(folder.path().join(".gitignore"), "/kept\n").unwrap();
    fs::write(folder.path().join("code"), "1").unwrap();
    folder
}

fn begin(root: &Path) -> Recording {
    Recording::begin(root, root.join("kept"), Stage::Rust).unwrap()
}

fn record(root: &Path) {
    let recording = begin(root);
    let draft = recording.draft();
    fs::write(&draft, REPORT).unwrap();
    recording.keep(&draft).unwrap();
}

fn proof(root: &Path) -> Proof {
    read(&root.join("kept"), Stage::Rust, &tree::hash(root).unwrap()).unwrap()
}

#[test]
fn report_proves_the_tree_it_is_about() {
    let checkout = checkout();
    assert!(matches!(proof(checkout.path()), Proof::Missing));
    record(checkout.path());
    assert!(matches!(proof(checkout.path()), Proof::Report(_)));
}

#[test]
fn report_of_another_tree_is_no_proof() {
    let checkout = checkout();
    record(checkout.path());
    let then = tree::hash(checkout.path()).unwrap();
    fs::write(checkout.path().join("code"), "2").unwrap();
    assert!(matches!(proof(checkout.path()), Proof::OtherTree(kept) if kept == then));
    fs::write(checkout.path().join("code"), "1").unwrap();
    assert!(
        matches!(proof(checkout.path()), Proof::Report(_)),
        "the very tree again"
    );
}

#[test]
fn stage_that_did_not_pass_leaves_no_report_of_before() {
    let checkout = checkout();
    record(checkout.path());
    // Begun, and never kept: its tests failed.
    drop(begin(checkout.path()));
    assert!(matches!(proof(checkout.path()), Proof::Missing));
}

#[test]
fn tree_that_changes_while_tests_run_keeps_no_report() {
    let checkout = checkout();
    let recording = begin(checkout.path());
    let draft = recording.draft();
    fs::write(&draft, REPORT).unwrap();
    fs::write(checkout.path().join("code"), "2").unwrap();
    recording.keep(&draft).unwrap();
    assert!(matches!(proof(checkout.path()), Proof::Missing));
}

#[test]
fn report_that_cannot_be_read_is_not_kept() {
    let checkout = checkout();
    let recording = begin(checkout.path());
    let draft = recording.draft();
    fs::write(&draft, "no report").unwrap();
    assert!(recording.keep(&draft).is_err());
    assert!(matches!(proof(checkout.path()), Proof::Missing));
}

#[test]
fn outside_a_checkout_tests_run_and_prove_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let recording = begin(folder.path());
    recording.keep(Path::new("nowhere")).unwrap();
    assert!(!folder.path().join("kept/rust.tree").exists());
}
