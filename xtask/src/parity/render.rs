//! The pages made from the data: the matrix for people and the matrix for spreadsheets.
//!
//! The same data gives the same bytes, so a page that was edited by hand or not made again differs.

mod csv;
mod markdown;

use super::cards::Card;
use super::matrix::Row;

/// The matrix with links to code and tests.
pub(crate) const MARKDOWN: &str = "docs/parity/dagster-parity-matrix.md";
/// The matrix as RFC 4180 has it.
pub(crate) const CSV: &str = "docs/parity/dagster-parity-matrix.csv";

/// Each page and its text.
pub(crate) fn pages(rows: &[Row], cards: &[Card]) -> [(&'static str, String); 2] {
    [
        (MARKDOWN, markdown::page(rows, cards)),
        (CSV, csv::page(rows)),
    ]
}

#[cfg(test)]
mod tests;
