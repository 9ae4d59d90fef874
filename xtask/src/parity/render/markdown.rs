//! The matrix as a page: counts by status, then one table a section.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::parity::cards::{self, Card};
use crate::parity::links::slug;
use crate::parity::matrix::{Row, SECTIONS, Status};
use crate::parity::test_name;

/// From `docs/parity` to the root.
const UP: &str = "../../";

pub(super) fn page(rows: &[Row], cards: &[Card]) -> String {
    let mut text = String::from(
        "# Dagster parity matrix\n\n\
         Made from [`matrix.toml`](matrix.toml) by `cargo xtask parity --write`: edit the data, not \
         this page. What the columns mean is told in the \
         [template](dagster-parity-matrix-template.md).\n\n",
    );
    text.push_str(&counts(rows));
    for section in SECTIONS {
        let _ = write!(
            text,
            "\n## {}\n\n\
             | Row | Capability | Arco | Status | Code | Tests | Job | Statements | Features | Exception | Owner | Notes |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|\n",
            section.title
        );
        for row in rows.iter().filter(|row| row.section == section.key) {
            text.push_str(&line(row, cards));
        }
    }
    text
}

fn counts(rows: &[Row]) -> String {
    let mut text = String::from("| Section | Rows |");
    for status in Status::ALL {
        let word = status.to_string();
        let (first, rest) = word.split_at(1);
        let _ = write!(text, " {}{rest} |", first.to_uppercase());
    }
    text.push_str("\n|---|---:|---:|---:|---:|---:|---:|\n");
    for section in SECTIONS {
        let own: Vec<&Row> = rows
            .iter()
            .filter(|row| row.section == section.key)
            .collect();
        let name = format!("[{}](#{})", section.title, slug(section.title));
        text.push_str(&count(&name, &own));
    }
    text.push_str(&count("**All**", &rows.iter().collect::<Vec<_>>()));
    text
}

fn count(name: &str, rows: &[&Row]) -> String {
    let mut of = BTreeMap::<Status, usize>::new();
    for status in rows.iter().filter_map(|row| row.status()) {
        *of.entry(status).or_default() += 1;
    }
    let mut text = format!("| {name} | {} |", rows.len());
    for status in Status::ALL {
        let _ = write!(text, " {} |", of.get(&status).copied().unwrap_or(0));
    }
    text.push('\n');
    text
}

fn line(row: &Row, cards: &[Card]) -> String {
    let code: Vec<String> = row.code.iter().map(|code| code_link(code)).collect();
    let tests: Vec<String> = row.tests.iter().map(|test| test_link(test)).collect();
    let features: Vec<String> = row.dagster.iter().map(u32::to_string).collect();
    let mut status = row.status.clone();
    if !row.level.is_empty() {
        let _ = write!(status, ", {}", row.level);
    }
    if row.uncheatable {
        status.push_str(", uncheatable");
    }
    let columns = [
        row.id.clone(),
        cell(&row.capability),
        cell(&row.feature),
        cell(&status),
        code.join("<br>"),
        tests.join("<br>"),
        cell(&row.job),
        cell(&row.statements.join(", ")),
        features.join(", "),
        card_link(&row.exception, cards),
        cell(&row.owner),
        cell(&row.notes),
    ];
    // An empty column is one space, not two.
    let columns = columns.map(|column| {
        if column.is_empty() {
            " ".to_owned()
        } else {
            format!(" {column} ")
        }
    });
    format!("|{}|\n", columns.join("|"))
}

fn code_link(code: &str) -> String {
    let (path, symbol) = code.split_once('#').unwrap_or((code, ""));
    let shown = if symbol.is_empty() { path } else { symbol };
    link(shown, path)
}

fn test_link(id: &str) -> String {
    match test_name::split(id) {
        Some((path, name)) => link(name, path),
        None => cell(id),
    }
}

fn link(shown: &str, path: &str) -> String {
    format!("[`{}`]({UP}{path})", cell(shown))
}

fn card_link(id: &str, cards: &[Card]) -> String {
    let page = cards::FILE.trim_start_matches("docs/");
    match cards.iter().find(|card| card.id == id) {
        Some(card) => format!("[{id}](../{page}#{})", card.anchor),
        None => cell(id),
    }
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
