//! What a row claims by: its code, its tests and its job are there and belong together.

use crate::parity::fault::Fault;
use crate::parity::links::{NORMATIVE, is_normative};
use crate::parity::matrix::Row;
use crate::parity::test_name::{self, Test};
use crate::parity::tree::Tree;
use crate::parity::workflow::{self, Workflow};
use crate::parity::{python_source, rust_source};

pub(super) fn check(tree: &Tree, workflow: &Workflow, row: &Row, faults: &mut Vec<Fault>) {
    if row.claims() {
        for (field, is_empty, rule) in [
            ("code", row.code.is_empty(), "proof-code"),
            ("tests", row.tests.is_empty(), "proof-test"),
            ("job", row.jobs().next().is_none(), "proof-job"),
        ] {
            if is_empty {
                let text = format!(
                    "is {}, but `{field}` is empty; done is code, a test and the job that runs it",
                    row.status
                );
                faults.push(Fault::new(&row.id, rule, text));
            }
        }
    }
    for code in &row.code {
        if let Err((rule, text)) = place(tree, code) {
            faults.push(Fault::new(&row.id, rule, text));
        }
    }
    let mut tests = Vec::new();
    for id in &row.tests {
        match test_name::resolve(tree, &row.id, id) {
            Ok(test) => tests.push((id, test)),
            Err(fault) => faults.push(fault),
        }
    }
    jobs(workflow, row, &tests, faults);
}

/// `path` or `path#Symbol` is there.
fn place(tree: &Tree, code: &str) -> Result<(), (&'static str, String)> {
    let (path, symbol) = code.split_once('#').unwrap_or((code, ""));
    if !tree.has(path) {
        let text = format!("`{path}` is not there; name the file the code is in now");
        return Err(("path-exists", text));
    }
    if !is_normative(path) {
        let text = format!(
            "`{path}` cannot stand as proof, which lies in {}",
            NORMATIVE.join(", ")
        );
        return Err(("path-normative", text));
    }
    if symbol.is_empty() {
        return Ok(());
    }
    let text = tree.text(path).unwrap_or_default();
    let is_there = match path.rsplit_once('.') {
        Some((_, "rs")) => rust_source::items(text)
            .iter()
            .any(|item| item.is_named(symbol)),
        Some((_, "py")) => python_source::items(text)
            .iter()
            .any(|item| item.is_named(symbol)),
        _ => text
            .split(|character: char| !(character.is_alphanumeric() || "_-.".contains(character)))
            .any(|word| word == symbol),
    };
    if !is_there {
        let text = format!("`{path}` defines no `{symbol}`; name the item the code is in now");
        return Err(("symbol-exists", text));
    }
    Ok(())
}

/// The jobs are there, each test is run by one of them, and each of them runs a test.
fn jobs(workflow: &Workflow, row: &Row, tests: &[(&String, Test)], faults: &mut Vec<Fault>) {
    let mut there = Vec::new();
    for key in row.jobs() {
        let Some(job) = workflow.job(key) else {
            let known: Vec<&str> = workflow.keys().collect();
            let text = format!(
                "{} has no job `{key}`; its jobs are {}",
                workflow::FILE,
                known.join(", ")
            );
            faults.push(Fault::new(&row.id, "job-exists", text));
            return;
        };
        there.push((key, job));
    }
    if there.is_empty() {
        return;
    }
    for (id, test) in tests {
        if !there.iter().any(|(_, job)| job.runs(test)) {
            let text = format!(
                "job `{}` does not run test `{id}`; name the job that runs stage `{}` or its binary",
                row.job,
                test.stage()
            );
            faults.push(Fault::new(&row.id, "job-runs-test", text));
        }
    }
    for (key, job) in there {
        if !tests.is_empty() && !tests.iter().any(|(_, test)| job.runs(test)) {
            let text = format!("job `{key}` runs no test of the row; leave it out");
            faults.push(Fault::new(&row.id, "job-runs-test", text));
        }
    }
}
