use super::check;
use crate::parity::fixture::{
    CARDS, CODE, PYTHON_TEST, RUST_TEST, good, matrix_of_all_features, matrix_with, with_matrix,
};
use crate::parity::tree::Tree;
use crate::parity::{cards, render};

/// The faults as `<place> <rule>`.
fn faults(tree: &Tree) -> Vec<String> {
    check(tree)
        .iter()
        .map(|fault| format!("{} {}", fault.place, fault.rule))
        .collect()
}

/// The faults after one change of the matrix.
fn spoiled(from: &str, to: &str) -> Vec<String> {
    faults(&with_matrix(&matrix_with(from, to)))
}

/// The faults after a file has another text, or is gone.
fn with_file(path: &str, text: Option<&str>) -> Vec<String> {
    let good = good();
    let mut tree = Tree::default();
    for own in good.paths().filter(|own| *own != path) {
        tree.insert(own, good.text(own).map(str::to_owned));
    }
    if let Some(text) = text {
        tree.insert(path, Some(text.to_owned()));
    }
    faults(&tree)
}

#[test]
fn good_matrix_has_no_fault() {
    assert_eq!(check(&good()), []);
}

#[test]
fn fault_is_printed_with_row_rule_and_mend() {
    let fault = &check(&with_matrix(&matrix_with("EX-01", "EX-77")))[0];
    assert_eq!(
        fault.to_string(),
        "SEN-01: exception-known: there is no card `EX-77` in \
         docs/audits/arco-flow-dagster-exception-planning.md"
    );
}

#[test]
fn data_that_is_missing_or_unreadable_is_a_fault() {
    assert_eq!(
        with_file(cards::FILE, None),
        [format!("{} data-exists", cards::FILE)]
    );
    let matrix = super::matrix::FILE;
    assert_eq!(
        with_file(matrix, Some("[[row]")),
        [format!("{matrix} data-readable")]
    );
    let unknown = matrix_with("owner = \"core\"", "owner = \"core\"\nproven = true");
    assert_eq!(
        with_file(matrix, Some(&unknown)),
        [format!("{matrix} data-readable")],
        "a field that is not of the format"
    );
}

#[test]
fn words_of_a_row_are_those_of_the_format() {
    for (from, to, told) in [
        ("status = \"implemented\"", "", "SCH-01 status"),
        ("status = \"planned\"", "status = \"soon\"", "API-01 status"),
        ("owner = \"core\"", "", "SCH-01 owner"),
        ("owner = \"core\"", "owner = \"nobody\"", "SCH-01 owner"),
        ("level = \"unit\"", "", "SCH-02 level"),
        ("level = \"unit\"", "level = \"hope\"", "SCH-02 level"),
        (
            "status = \"planned\"",
            "status = \"planned\"\nlevel = \"unit\"",
            "API-01 level",
        ),
        ("capability = \"The rest.\"", "", "API-01 capability"),
        ("notes = \"lists of crons are missing\"", "", "SCH-02 notes"),
        (
            "section = \"sensors\"",
            "section = \"mail\"",
            "SEN-01 section",
        ),
    ] {
        let faults = spoiled(from, to);
        assert!(faults.contains(&told.to_owned()), "{to}: {faults:?}");
    }
}

#[test]
fn ids_are_unique_formed_and_in_order() {
    assert_eq!(
        spoiled("id = \"SCH-02\"", "id = \"SCH-01\""),
        ["SCH-01 id-unique"]
    );
    assert_eq!(
        spoiled("id = \"API-01\"", "id = \"SCH-09\""),
        ["SCH-09 id-form"]
    );
    assert_eq!(
        spoiled("id = \"API-01\"", "id = \"API-1\""),
        ["API-1 id-form"]
    );
    assert_eq!(
        spoiled("id = \"SCH-02\"", "id = \"SCH-00\""),
        ["SCH-00 row-order"]
    );
}

#[test]
fn what_a_row_refers_to_by_number_exists() {
    assert_eq!(spoiled("\"S-1\"", "\"S-99\""), ["SCH-01 statement-known"]);
    assert_eq!(
        spoiled("dagster = [1, 2]", "dagster = [1, 2, 131]"),
        ["SCH-01 dagster-known"]
    );
    assert_eq!(
        spoiled("dagster = [1, 2]", "dagster = [1]"),
        ["dagster 2 dagster-covered"]
    );
}

#[test]
fn row_that_claims_has_code_test_and_job() {
    assert_eq!(
        spoiled("code = [\"crates/a/src/cron.rs#Cron\"]", ""),
        ["SCH-01 proof-code"]
    );
    assert_eq!(
        spoiled("tests = [\"crates/a/tests/it/cron.rs::ticks\"]", ""),
        ["SCH-01 proof-test"]
    );
    assert_eq!(spoiled("job = \"rust\"", ""), ["SCH-01 proof-job"]);
    assert_eq!(
        spoiled("job = \"python\"", ""),
        ["SCH-02 proof-job"],
        "partial too"
    );
}

#[test]
fn code_is_there_by_path_and_symbol() {
    // A renamed file takes both the code and the test of it away.
    assert_eq!(with_file(CODE, None), ["SCH-01 path-exists"]);
    assert_eq!(with_file(RUST_TEST, None), ["SCH-01 path-exists"]);
    assert_eq!(
        with_file(CODE, Some("// struct Cron;\n")),
        ["SCH-01 symbol-exists"],
        "only mentioned"
    );
    assert_eq!(
        with_file("python/arco/src/cron.py", Some("")),
        ["SCH-02 symbol-exists"]
    );
    let guide = matrix_with("crates/a/src/cron.rs#Cron", "docs/guide/api.md");
    let mut tree = with_matrix(&guide);
    tree.insert("docs/guide/api.md", Some(String::new()));
    assert!(faults(&tree).contains(&"SCH-01 path-normative".to_owned()));
}

#[test]
fn deleted_test_is_told() {
    assert_eq!(
        with_file(RUST_TEST, Some("#[test]\nfn other() {}\n")),
        ["SCH-01 test-exists"]
    );
    assert_eq!(
        with_file(PYTHON_TEST, Some("def other(): ...\n")),
        ["SCH-02 test-exists"]
    );
}

#[test]
fn function_that_is_no_test_is_told() {
    assert_eq!(
        with_file(RUST_TEST, Some("fn ticks() {}\n")),
        ["SCH-01 test-exists"]
    );
}

#[test]
fn ignored_test_is_told() {
    let ignored = "#[test]\n#[ignore]\nfn ticks() {}\n";
    assert_eq!(with_file(RUST_TEST, Some(ignored)), ["SCH-01 test-ignored"]);
    let skipped = "@pytest.mark.skip(reason=\"\")\ndef test_schedule(): ...\n";
    assert_eq!(
        with_file(PYTHON_TEST, Some(skipped)),
        ["SCH-02 test-ignored"]
    );
    let expected = "pytestmark = pytest.mark.xfail\ndef test_schedule(): ...\n";
    assert_eq!(
        with_file(PYTHON_TEST, Some(expected)),
        ["SCH-02 test-ignored"]
    );
}

#[test]
fn job_exists_and_runs_the_tests_of_the_row() {
    assert_eq!(
        spoiled("job = \"rust\"", "job = \"nightly\""),
        ["SCH-01 job-exists"]
    );
    // The job neither runs the test nor anything else of the row.
    assert_eq!(
        spoiled("job = \"rust\"", "job = \"python\""),
        ["SCH-01 job-runs-test", "SCH-01 job-runs-test"]
    );
    assert_eq!(
        spoiled("job = \"rust\"", "job = \"rust, python\""),
        ["SCH-01 job-runs-test"]
    );
}

#[test]
fn two_jobs_may_share_the_tests_of_a_row() {
    let both = matrix_with(
        "tests = [\"crates/a/tests/it/cron.rs::ticks\"]\njob = \"rust\"",
        "tests = [\"crates/a/tests/it/cron.rs::ticks\", \
         \"python/arco/tests/test_cron.py::test_schedule\"]\njob = \"rust, python\"",
    );
    assert_eq!(faults(&with_matrix(&both)), Vec::<String>::new());
}

#[test]
fn exception_names_a_card_that_is_there() {
    assert_eq!(
        spoiled("exception = \"EX-01\"", ""),
        ["SEN-01 exception-named"]
    );
    assert_eq!(
        spoiled("exception = \"EX-01\"", "exception = \"EX-77\""),
        ["SEN-01 exception-known"]
    );
    assert_eq!(
        spoiled("exception = \"EX-02\"", "exception = \"EX-77\""),
        ["SCH-02 exception-known"]
    );
}

#[test]
fn implemented_row_has_no_permanent_exception() {
    let permanent = |card: &str| {
        spoiled(
            "owner = \"core\"",
            &format!("exception = \"{card}\"\nowner = \"core\""),
        )
    };
    assert_eq!(permanent("EX-01"), ["SCH-01 exception-permanent"]);
    assert_eq!(
        permanent("EX-02"),
        Vec::<String>::new(),
        "less, on purpose, is no contradiction"
    );
}

#[test]
fn cards_are_judged() {
    let cards = CARDS.replace("- type: permanent", "- type: never");
    // The pages are made from the cards' ids and headings, so they stay fresh.
    assert_eq!(with_file(cards::FILE, Some(&cards)), ["EX-01 card-type"]);
}

#[test]
fn uncheatable_row_has_its_mutation_and_a_mutation_its_row() {
    assert_eq!(
        with_file("docs/parity/bite/SCH-01.patch", None),
        ["SCH-01 bite-patch"]
    );
    assert_eq!(
        with_file("docs/parity/bite/SCH-02.patch", Some("")),
        ["docs/parity/bite/SCH-02.patch bite-patch"]
    );
}

#[test]
fn page_edited_by_hand_is_told_with_its_row() {
    let good = good();
    for (page, from, to) in [
        (render::MARKDOWN, "partial, unit", "implemented, unit"),
        (render::CSV, "partial,unit", "implemented,unit"),
    ] {
        let edited = good.text(page).unwrap().replacen(from, to, 1);
        assert_eq!(with_file(page, Some(&edited)), ["SCH-02 page-stale"]);
    }
    let longer = format!("{}\nMore.\n", good.text(render::MARKDOWN).unwrap());
    assert_eq!(
        with_file(render::MARKDOWN, Some(&longer)),
        [format!("{} page-stale", render::MARKDOWN)]
    );
}

#[test]
fn page_not_made_again_is_told() {
    let changed = matrix_of_all_features().replacen("The rest.", "All the rest.", 1);
    let faults = with_file(super::matrix::FILE, Some(&changed));
    assert_eq!(faults, ["API-01 page-stale", "API-01 page-stale"]);
    let gone = with_file(render::CSV, None);
    assert_eq!(gone, [format!("{} page-stale", render::CSV)]);
}

#[test]
fn links_of_the_pages_are_judged() {
    assert_eq!(
        with_file("docs/parity/charter.md", Some("[a](gone.md)")),
        ["docs/parity/charter.md link-exists"]
    );
}
