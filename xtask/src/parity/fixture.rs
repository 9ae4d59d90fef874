//! A small repository without faults, for tests to spoil.

use super::tree::Tree;
use super::{cards, matrix, render, statements, workflow};

/// A tree with these files.
pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, text) in files {
        tree.insert(path, Some((*text).to_owned()));
    }
    tree
}

pub(crate) const RUST_TEST: &str = "crates/a/tests/it/cron.rs";
pub(crate) const PYTHON_TEST: &str = "python/arco/tests/test_cron.py";
pub(crate) const CODE: &str = "crates/a/src/cron.rs";

/// An implemented row, a partial one, an exception, and a planned one that stands for the rest.
pub(crate) const MATRIX: &str = r#"
[[row]]
id = "SCH-01"
section = "scheduling"
capability = "Cron instants are those of the reference."
feature = "`a::cron`"
status = "implemented"
level = "integration"
code = ["crates/a/src/cron.rs#Cron"]
tests = ["crates/a/tests/it/cron.rs::ticks"]
job = "rust"
statements = ["S-1"]
dagster = [1, 2]
owner = "core"
uncheatable = true

[[row]]
id = "SCH-02"
section = "scheduling"
capability = "Schedules are written in Python."
status = "partial"
level = "unit"
code = ["python/arco/src/cron.py#Schedule"]
tests = ["python/arco/tests/test_cron.py::test_schedule"]
job = "python"
statements = ["S-2"]
dagster = [3]
exception = "EX-02"
owner = "sdk"
notes = "lists of crons are missing"

[[row]]
id = "SEN-01"
section = "sensors"
capability = "Sensors by mail."
status = "exception"
exception = "EX-01"
statements = ["N-1"]
owner = "platform"
"#;

pub(crate) const CARDS: &str = "\
# Exceptions

### EX-01 No mail
- decision: no mail is read
- type: permanent
- reason: nobody has asked
- statements: N-1
- revisit: somebody asks

### EX-02 One cron
- decision: one cron a schedule
- type: simplified
- reason: unions are rare
- statements: S-2
- revisit: somebody asks
";

const STATEMENTS: &str = r#"
[[section]]
title = "Schedules"
prefix = "S"
ids = ["S-1", "S-2"]

[[section]]
title = "Sensors"
prefix = "N"
ids = ["N-1"]
"#;

const WORKFLOW: &str = "\
jobs:
  rust:
    steps:
      - run: .ci/run rust
  python:
    steps:
      - run: .ci/run python
";

/// A repository without faults, its generated pages fresh.
pub(crate) fn good() -> Tree {
    with_matrix(&matrix_of_all_features())
}

/// The good repository with another matrix; its generated pages are those of that matrix.
pub(crate) fn with_matrix(text: &str) -> Tree {
    let mut tree = tree(&[
        (matrix::FILE, text),
        (statements::FILE, STATEMENTS),
        (cards::FILE, CARDS),
        (workflow::FILE, WORKFLOW),
        ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
        (CODE, "pub struct Cron;\n"),
        (RUST_TEST, "#[test]\nfn ticks() {}\n"),
        ("python/arco/pyproject.toml", "[tool.pytest.ini_options]\n"),
        ("python/arco/src/cron.py", "class Schedule: ...\n"),
        (PYTHON_TEST, "def test_schedule(): ...\n"),
        ("docs/parity/bite/SCH-01.patch", "--- a\n+++ b\n"),
        (
            "docs/parity/dagster-parity-matrix-template.md",
            "# Template\n",
        ),
        (
            "docs/parity/charter.md",
            "[the matrix](dagster-parity-matrix.md)\n",
        ),
    ]);
    if let Ok(rows) = matrix::parse(text) {
        for (page, text) in render::pages(&rows, &cards::parse(CARDS)) {
            tree.insert(page, Some(text));
        }
    }
    tree
}

/// [`MATRIX`] with a planned row for every feature it does not name.
pub(crate) fn matrix_of_all_features() -> String {
    let rest: Vec<String> = (4..=matrix::FEATURES).map(|n| n.to_string()).collect();
    format!(
        "{MATRIX}\n[[row]]\nid = \"API-01\"\nsection = \"surface\"\ncapability = \"The rest.\"\n\
         status = \"planned\"\nowner = \"ui\"\ndagster = [{}]\n",
        rest.join(", ")
    )
}

/// The good matrix with one text changed in it, which must be there.
pub(crate) fn matrix_with(from: &str, to: &str) -> String {
    let matrix = matrix_of_all_features();
    assert!(matrix.contains(from), "the fixture has no `{from}`");
    matrix.replacen(from, to, 1)
}
