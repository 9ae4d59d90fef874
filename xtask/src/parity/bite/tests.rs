use std::fs;

use anyhow::anyhow;

use super::{Reports, apply, changed, choose, judge, not_green, prepare};
use crate::parity::fixture::{self, MATRIX};
use crate::parity::junit::Report;
use crate::parity::matrix::{self, Row};
use crate::parity::results;
use crate::parity::test_name::Stage;
use crate::parity::tree::Tree;
use crate::shell::Cmd;

const PATCH: &str = "\
--- a/crates/a/src/cron.rs
+++ b/crates/a/src/cron.rs
@@ -1 +1 @@
-pub struct Cron;
+pub struct Cron {}
";

fn rows() -> Vec<Row> {
    matrix::parse(MATRIX).unwrap()
}

fn tree_with(patch: Option<&str>) -> Tree {
    let mut tree = fixture::tree(&[
        ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
        (fixture::RUST_TEST, "#[test]\nfn ticks() {}\n"),
    ]);
    if let Some(patch) = patch {
        tree.insert("docs/parity/bite/SCH-01.patch", Some(patch.to_owned()));
    }
    tree
}

fn prepared(patch: Option<&str>) -> Result<(), String> {
    let rows = rows();
    prepare(&tree_with(patch), &rows[0], &rows).map_err(|fault| fault.to_string())
}

/// The reports of a run in which the one test of SCH-01 ended so.
fn reports(ending: &str) -> Reports {
    let xml = format!("<testcase classname='a::it' name='cron::ticks'>{ending}</testcase>");
    Reports::from([(Stage::Rust, Report::parse(&xml).unwrap())])
}

#[test]
fn uncheatable_rows_are_bitten_unless_some_are_named() {
    let rows = rows();
    let ids = |wanted: &[&str]| {
        let wanted: Vec<String> = wanted.iter().map(|&id| id.to_owned()).collect();
        let chosen = choose(&rows, &wanted).map_err(|error| error.to_string())?;
        Ok::<_, String>(chosen.iter().map(|row| row.id.clone()).collect::<Vec<_>>())
    };
    assert_eq!(ids(&[]).unwrap(), ["SCH-01"]);
    assert_eq!(ids(&["SCH-01"]).unwrap(), ["SCH-01"]);
    let error = ids(&["SCH-02"]).unwrap_err();
    assert_eq!(
        error,
        "there is no uncheatable row `SCH-02`; there are SCH-01"
    );
}

#[test]
fn patch_must_be_there_and_change_code_only() {
    assert_eq!(prepared(Some(PATCH)), Ok(()));
    assert!(
        prepared(None)
            .unwrap_err()
            .starts_with("SCH-01: bite-patch: ")
    );
    assert!(prepared(Some("")).unwrap_err().ends_with("changes no file"));
    let of_test = PATCH.replace("crates/a/src/cron.rs", fixture::RUST_TEST);
    let told = prepared(Some(&of_test)).unwrap_err();
    assert!(told.contains("changes the tests in"), "{told}");
}

#[test]
fn files_of_a_patch_are_read() {
    let found: Vec<&str> = changed("+++ b/a/b.rs\t2020\n+ ++\n+++ b/c.py\n").collect();
    assert_eq!(found, ["a/b.rs", "c.py"]);
}

#[test]
fn tests_must_pass_without_the_mutation() {
    let (rows, tree) = (rows(), tree_with(None));
    let named = results::named(&tree, [&rows[0]]);
    assert_eq!(not_green(&rows[0], &named, &reports("")), None);
    for ending in ["<failure/>", "<skipped/>"] {
        let fault = not_green(&rows[0], &named, &reports(ending)).unwrap();
        assert_eq!((fault.place.as_str(), fault.rule), ("SCH-01", "bite-green"));
    }
    assert!(
        not_green(&rows[0], &named, &Reports::new()).is_some(),
        "it did not run"
    );
}

#[test]
fn only_a_failing_test_is_red() {
    let (rows, tree) = (rows(), tree_with(None));
    let named = results::named(&tree, [&rows[0]]);
    let rule = |result| judge(&rows[0], &named, result).map_err(|fault| fault.rule);
    assert_eq!(
        rule(Ok(reports("<failure/>"))),
        Ok(format!("{}::ticks", fixture::RUST_TEST))
    );
    assert_eq!(rule(Ok(reports(""))), Err("bite-red"));
    assert_eq!(rule(Ok(reports("<skipped/>"))), Err("bite-red"));
    assert_eq!(rule(Ok(Reports::new())), Err("bite-red"));
    assert_eq!(rule(Err(anyhow!("did not build"))), Err("bite-builds"));
}

#[test]
fn patch_is_applied_and_taken_back_in_a_folder_inside_a_checkout() {
    let checkout = tempfile::tempdir().unwrap();
    Cmd::new("git")
        .dir(checkout.path())
        .args(&["init", "--quiet"])
        .capture()
        .unwrap();
    let copy = checkout.path().join("target/bite");
    let code = copy.join("crates/a/src/cron.rs");
    fs::create_dir_all(code.parent().unwrap()).unwrap();
    fs::write(&code, "pub struct Cron;\n").unwrap();
    fs::write(copy.join("x.patch"), PATCH).unwrap();

    apply(&copy, "x.patch", &[]).unwrap();
    assert_eq!(fs::read_to_string(&code).unwrap(), "pub struct Cron {}\n");
    assert!(
        apply(&copy, "x.patch", &[]).is_err(),
        "twice does not apply"
    );
    apply(&copy, "x.patch", &["--reverse"]).unwrap();
    assert_eq!(fs::read_to_string(&code).unwrap(), "pub struct Cron;\n");
}
