use super::table;
use crate::parity::cards;
use crate::parity::matrix::Row;
use crate::parity::statements::Section;

fn row(status: &str, statements: &[&str]) -> Row {
    Row {
        status: status.to_owned(),
        statements: statements.iter().map(|&id| id.to_owned()).collect(),
        ..Row::default()
    }
}

#[test]
fn statement_counts_once_in_the_strongest_column() {
    let ids = ["S-1", "S-2", "S-3", "S-4", "S-5", "S-6"];
    let section = Section {
        title: "Schedules".into(),
        prefix: "S".into(),
        ids: ids.iter().map(|&id| id.to_owned()).collect(),
    };
    let rows = [
        row("implemented", &["S-1", "S-2"]),
        row("partial", &["S-2", "S-3"]),
        row("exception", &["S-4"]),
        row("planned", &["S-6"]),
    ];
    let cards = cards::parse("### EX-01 Card\n- statements: S-1, S-5\n");
    let table = table(&[section], &rows, &cards);
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines[0],
        ["section", "total", "proven", "partial", "carded", "open"]
    );
    assert_eq!(lines[1], ["S", "Schedules", "6", "2", "1", "2", "1"]);
    assert_eq!(lines[2], ["all", "6", "2", "1", "2", "1"]);
}
