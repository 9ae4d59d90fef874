//! A row uses the words of the format, and says all that its status asks for.

use crate::parity::fault::Fault;
use crate::parity::matrix::{LEVELS, OWNERS, Row, SECTIONS, Status};

pub(super) fn check(row: &Row, faults: &mut Vec<Fault>) {
    let mut fault = |rule, text: String| faults.push(Fault::new(&row.id, rule, text));
    if !SECTIONS.iter().any(|section| section.key == row.section) {
        let known: Vec<&str> = SECTIONS.iter().map(|section| section.key).collect();
        fault("section", unknown("section", &row.section, &known));
    }
    if row.capability.is_empty() {
        fault(
            "capability",
            missing("capability", "one testable statement"),
        );
    }
    if row.status.is_empty() {
        fault("status", missing("status", "its honest state"));
    } else if row.status().is_none() {
        let known = Status::ALL.map(|status| status.to_string());
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        fault("status", unknown("status", &row.status, &known));
    }
    if row.owner.is_empty() {
        fault("owner", missing("owner", "who keeps it true"));
    } else if !OWNERS.contains(&row.owner.as_str()) {
        fault("owner", unknown("owner", &row.owner, OWNERS));
    }
    if !row.level.is_empty() && !LEVELS.contains(&row.level.as_str()) {
        fault("level", unknown("level", &row.level, LEVELS));
    } else if row.claims() && row.level.is_empty() {
        fault("level", missing("level", &LEVELS.join(", ")));
    } else if row.status().is_some() && !row.claims() && !row.level.is_empty() {
        let text = format!(
            "is {}, so it has no level of proof; empty `level`",
            row.status
        );
        fault("level", text);
    }
    if row.status() == Some(Status::Partial) && row.notes.is_empty() {
        fault(
            "notes",
            missing("notes", "what of the statement does not hold yet"),
        );
    }
}

fn missing(field: &str, what: &str) -> String {
    format!("`{field}` is missing; write {what}")
}

fn unknown(field: &str, word: &str, known: &[&str]) -> String {
    format!("{field} `{word}` is not one of {}", known.join(", "))
}
