//! How much of the semantics reference is proven, carded or open, section by section.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::cards::Card;
use super::matrix::{Row, Status};
use super::statements::Section;

/// One line of the table. A statement counts once, in the first column that holds it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    total: usize,
    /// In an implemented row.
    proven: usize,
    /// In a partial row.
    partial: usize,
    /// In a card, or in a row that is an exception.
    carded: usize,
    open: usize,
}

/// The table.
pub(crate) fn table(sections: &[Section], rows: &[Row], cards: &[Card]) -> String {
    let of_status = |status: Status| -> BTreeSet<&str> {
        rows.iter()
            .filter(|row| row.status() == Some(status))
            .flat_map(|row| &row.statements)
            .map(String::as_str)
            .collect()
    };
    let proven = of_status(Status::Implemented);
    let partial = of_status(Status::Partial);
    let mut carded = of_status(Status::Exception);
    carded.extend(
        cards
            .iter()
            .flat_map(|card| &card.statements)
            .map(String::as_str),
    );

    let mut whole = Count::default();
    let mut text = line("section", ["total", "proven", "partial", "carded", "open"]);
    for section in sections {
        let mut count = Count::default();
        for id in section.ids.iter().map(String::as_str) {
            count.total += 1;
            let column = if proven.contains(id) {
                &mut count.proven
            } else if partial.contains(id) {
                &mut count.partial
            } else if carded.contains(id) {
                &mut count.carded
            } else {
                &mut count.open
            };
            *column += 1;
        }
        let name = format!("{} {}", section.prefix, section.title);
        text.push_str(&numbers(&name, &count));
        whole.total += count.total;
        whole.proven += count.proven;
        whole.partial += count.partial;
        whole.carded += count.carded;
        whole.open += count.open;
    }
    text.push_str(&numbers("all", &whole));
    text
}

fn numbers(name: &str, count: &Count) -> String {
    let columns = [
        count.total,
        count.proven,
        count.partial,
        count.carded,
        count.open,
    ];
    line(name, columns.map(|number| number.to_string()))
}

fn line<S: AsRef<str>>(name: &str, columns: [S; 5]) -> String {
    let mut text = format!("{name:<44}");
    for column in columns {
        let _ = write!(text, " {:>8}", column.as_ref());
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
