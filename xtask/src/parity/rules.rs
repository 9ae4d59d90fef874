//! What must hold of the matrix, judged by the files of the tree alone.
//!
//! Each rule has a name, which its faults carry; a test beside shows each of them on a bad matrix.

mod proof;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::cards::{self, Card, CardType};
use super::fault::Fault;
use super::matrix::{self, FEATURES, Row, SECTIONS, Status};
use super::statements::{self, Section};
use super::tree::Tree;
use super::workflow::{self, Workflow};
use super::{links, render, test_name};

/// The data of the matrix, read.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) rows: Vec<Row>,
    pub(crate) sections: Vec<Section>,
    pub(crate) cards: Vec<Card>,
    pub(crate) workflow: Workflow,
}

impl Data {
    /// Reads the data; what cannot be read is a fault.
    pub(crate) fn read(tree: &Tree) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut text = |file: &str| match tree.text(file) {
            Some(text) => text,
            None => {
                let text = "the file is not there; the matrix cannot be judged without it";
                faults.push(Fault::new(file, "data-exists", text));
                ""
            }
        };
        let rows = text(matrix::FILE);
        let sections = text(statements::FILE);
        let cards = text(cards::FILE);
        let workflow = text(workflow::FILE);
        if !faults.is_empty() {
            return Err(faults);
        }
        let rows = matrix::parse(rows)
            .map_err(|error| faults.push(unreadable(matrix::FILE, &error)))
            .unwrap_or_default();
        let sections = statements::parse(sections)
            .map_err(|error| faults.push(unreadable(statements::FILE, &error)))
            .unwrap_or_default();
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            rows,
            sections,
            cards: cards::parse(cards),
            workflow: Workflow::parse(workflow),
        })
    }
}

fn unreadable(file: &str, error: &anyhow::Error) -> Fault {
    Fault::new(file, "data-readable", format!("{error:#}"))
}

/// Every fault of the data against the tree.
pub(crate) fn check(tree: &Tree) -> Vec<Fault> {
    let data = match Data::read(tree) {
        Ok(data) => data,
        Err(faults) => return faults,
    };
    let mut faults = Vec::new();
    let known = statements::ids(&data.sections);
    ids(&data.rows, &mut faults);
    for row in &data.rows {
        words::check(row, &mut faults);
        references(row, &known, &mut faults);
        exception(row, &data.cards, &mut faults);
        proof::check(tree, &data.workflow, row, &mut faults);
    }
    features(&data.rows, &mut faults);
    patches(tree, &data.rows, &mut faults);
    cards::check(&data.cards, &known, &mut faults);
    pages(tree, &data, &mut faults);
    links::check(tree, &named_paths(&data.rows), &mut faults);
    faults
}

/// The files that rows name.
fn named_paths(rows: &[Row]) -> BTreeSet<&str> {
    let code = rows.iter().flat_map(|row| &row.code);
    let tests = rows.iter().flat_map(|row| &row.tests);
    code.map(|code| code.split('#').next().unwrap_or(code))
        .chain(tests.filter_map(|id| Some(test_name::split(id)?.0)))
        .collect()
}

/// Ids are unique and stand in the order of the sections, then of their numbers.
fn ids(rows: &[Row], faults: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    let mut before: Option<(usize, u32)> = None;
    for row in rows {
        if !seen.insert(&row.id) {
            let text = "two rows have this id; give the newer one the next free number";
            faults.push(Fault::new(&row.id, "id-unique", text));
        }
        let (prefix, number) = row.id.split_once('-').unwrap_or((&row.id, ""));
        let section = SECTIONS
            .iter()
            .position(|section| section.key == row.section && section.prefix == prefix);
        let digits = number.len() >= 2 && number.bytes().all(|byte| byte.is_ascii_digit());
        let (Some(section), Ok(number), true) = (section, number.parse(), digits) else {
            let text = format!(
                "the id is not that of a row of section `{}`; it is the section's prefix and two \
                 digits or more: {}",
                row.section,
                SECTIONS
                    .iter()
                    .map(|section| format!("{} {}-01", section.key, section.prefix))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            faults.push(Fault::new(&row.id, "id-form", text));
            continue;
        };
        if before.is_some_and(|before| before > (section, number)) {
            let text = "stands behind a later row; rows go by section, then by number";
            faults.push(Fault::new(&row.id, "row-order", text));
        }
        before = Some((section, number));
    }
}

/// What a row refers to by number exists.
fn references(row: &Row, statements: &BTreeSet<&str>, faults: &mut Vec<Fault>) {
    for id in &row.statements {
        if !statements.contains(id.as_str()) {
            let text = format!(
                "statement `{id}` is not in {}; name one that is",
                statements::FILE
            );
            faults.push(Fault::new(&row.id, "statement-known", text));
        }
    }
    for number in &row.dagster {
        if !(1..=FEATURES).contains(number) {
            let text = format!("the feature table has no row {number}, only 1 to {FEATURES}");
            faults.push(Fault::new(&row.id, "dagster-known", text));
        }
    }
}

/// Every row of the feature table has a row here, at its honest status.
fn features(rows: &[Row], faults: &mut Vec<Fault>) {
    let named: BTreeSet<u32> = rows.iter().flat_map(|row| &row.dagster).copied().collect();
    for number in (1..=FEATURES).filter(|number| !named.contains(number)) {
        let text =
            "no row stands for this row of the feature table; add it to the `dagster` of one";
        faults.push(Fault::new(
            format!("dagster {number}"),
            "dagster-covered",
            text,
        ));
    }
}

fn exception(row: &Row, cards: &[Card], faults: &mut Vec<Fault>) {
    let status = row.status();
    if row.exception.is_empty() {
        if status == Some(Status::Exception) {
            let text = format!("an exception names its card; write one in {}", cards::FILE);
            faults.push(Fault::new(&row.id, "exception-named", text));
        }
        return;
    }
    let Some(card) = cards.iter().find(|card| card.id == row.exception) else {
        let text = format!("there is no card `{}` in {}", row.exception, cards::FILE);
        faults.push(Fault::new(&row.id, "exception-known", text));
        return;
    };
    if status == Some(Status::Implemented) && card.kind() == Some(CardType::Permanent) {
        let text = format!(
            "is implemented, but `{}` says it will never be; change the status or the card",
            card.id
        );
        faults.push(Fault::new(&row.id, "exception-permanent", text));
    }
}

/// An uncheatable row has a mutation that must be noticed; a mutation has its row.
fn patches(tree: &Tree, rows: &[Row], faults: &mut Vec<Fault>) {
    let mut wanted: BTreeMap<String, &Row> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.uncheatable) {
        let patch = row.bite_patch();
        if !tree.has_file(&patch) {
            let text = format!(
                "is uncheatable, but `{patch}` is not there; write a small mutation of its code \
                 that a test of it must notice"
            );
            faults.push(Fault::new(&row.id, "bite-patch", text));
        }
        if !row.claims() {
            let text = "is uncheatable, but claims nothing that a test could notice";
            faults.push(Fault::new(&row.id, "bite-patch", text));
        }
        wanted.insert(patch, row);
    }
    let there = tree
        .paths()
        .filter(|path| path.starts_with("docs/parity/bite/") && path.ends_with(".patch"));
    for patch in there.filter(|path| !wanted.contains_key(*path)) {
        let text =
            "belongs to no uncheatable row; set `uncheatable = true` in its row or delete it";
        faults.push(Fault::new(patch, "bite-patch", text));
    }
}

/// The generated pages say what the data says.
fn pages(tree: &Tree, data: &Data, faults: &mut Vec<Fault>) {
    for (file, text) in render::pages(&data.rows, &data.cards) {
        let rule = "page-stale";
        match tree.text(file) {
            None => faults.push(Fault::new(
                file,
                rule,
                "is not there; make it with `cargo xtask parity --write`",
            )),
            Some(there) if there != text => {
                let line = there
                    .lines()
                    .zip(text.lines())
                    .take_while(|(there, made)| there == made)
                    .count()
                    + 1;
                let row = row_of_line(&data.rows, there, line);
                let told = format!(
                    "differs from the data at line {line} of {file}; edit {}, never the page, then \
                     `cargo xtask parity --write`",
                    matrix::FILE
                );
                faults.push(Fault::new(row.unwrap_or(file), rule, told));
            }
            Some(_) => {}
        }
    }
}

/// The row that a line of a generated page shows, if it shows one.
fn row_of_line<'a>(rows: &'a [Row], page: &str, line: usize) -> Option<&'a str> {
    let text = page.lines().nth(line.checked_sub(1)?)?;
    let start = text.trim_start_matches(['|', ' ', '[', '"']);
    rows.iter().map(|row| row.id.as_str()).find(|id| {
        start
            .strip_prefix(id)
            .is_some_and(|rest| !rest.starts_with(|character: char| character.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests;
