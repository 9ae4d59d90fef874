//! The matrix as comma-separated values, RFC 4180: a header, quotes where needed, CRLF.

use crate::parity::matrix::Row;

const HEADER: &[&str] = &[
    "id",
    "section",
    "capability",
    "feature",
    "status",
    "level",
    "code",
    "tests",
    "job",
    "statements",
    "dagster",
    "exception",
    "owner",
    "uncheatable",
    "notes",
];

/// One record a row. Lists are one field, with `; ` between their parts.
pub(super) fn page(rows: &[Row]) -> String {
    let mut text = record(HEADER);
    for row in rows {
        let numbers: Vec<String> = row.dagster.iter().map(u32::to_string).collect();
        text.push_str(&record(&[
            &row.id,
            &row.section,
            &row.capability,
            &row.feature,
            &row.status,
            &row.level,
            &row.code.join("; "),
            &row.tests.join("; "),
            &row.job,
            &row.statements.join("; "),
            &numbers.join("; "),
            &row.exception,
            &row.owner,
            if row.uncheatable { "true" } else { "false" },
            &row.notes,
        ]));
    }
    text
}

fn record(fields: &[&str]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    fields.join(",") + "\r\n"
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
