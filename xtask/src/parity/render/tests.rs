use super::{csv, markdown};
use crate::parity::{cards, matrix};

const ROWS: &str = r#"
[[row]]
id = "SCH-01"
section = "scheduling"
capability = "A `a|b` cron, \"quoted\""
feature = "`a::cron`"
status = "implemented"
level = "unit"
code = ["crates/a/src/lib.rs#Cron", "crates/a/src/b.rs"]
tests = ["crates/a/src/lib.rs::holds"]
job = "rust"
statements = ["S-1", "S-2"]
dagster = [1, 2]
exception = "EX-01"
owner = "core"
uncheatable = true

[[row]]
id = "SEN-01"
section = "sensors"
capability = "Sensors."
status = "planned"
owner = "flow"
"#;

#[test]
fn page_counts_by_status_and_links_to_proof() {
    let rows = matrix::parse(ROWS).unwrap();
    let cards = cards::parse("### EX-01 No seconds\n");
    let page = markdown::page(&rows, &cards);
    for line in [
        "| Section | Rows | Implemented | Partial | Designed | Planned | Exception |",
        "| [Scheduling](#scheduling) | 1 | 1 | 0 | 0 | 0 | 0 |",
        "| [Sensors](#sensors) | 1 | 0 | 0 | 0 | 1 | 0 |",
        "| **All** | 2 | 1 | 0 | 0 | 1 | 0 |",
        "| SCH-01 | A `a\\|b` cron, \"quoted\" | `a::cron` | implemented, unit, uncheatable \
         | [`Cron`](../../crates/a/src/lib.rs)<br>[`crates/a/src/b.rs`](../../crates/a/src/b.rs) \
         | [`holds`](../../crates/a/src/lib.rs) | rust | S-1, S-2 | 1, 2 \
         | [EX-01](../audits/arco-flow-dagster-exception-planning.md#ex-01-no-seconds) | core | |",
        "| SEN-01 | Sensors. | | planned | | | | | | | flow | |",
    ] {
        assert!(page.lines().any(|own| own == line), "{line}\n\n{page}");
    }
}

#[test]
fn csv_is_quoted_where_it_must_be_and_ends_lines_as_rfc_4180_says() {
    let page = csv::page(&matrix::parse(ROWS).unwrap());
    let records: Vec<&str> = page.split("\r\n").collect();
    assert_eq!(
        records.len(),
        4,
        "header, two rows, nothing behind the last"
    );
    assert_eq!(
        records[1],
        "SCH-01,scheduling,\"A `a|b` cron, \"\"quoted\"\"\",`a::cron`,implemented,unit,\
         crates/a/src/lib.rs#Cron; crates/a/src/b.rs,crates/a/src/lib.rs::holds,rust,S-1; S-2,1; 2,\
         EX-01,core,true,"
    );
    assert_eq!(
        records[2],
        "SEN-01,sensors,Sensors.,,planned,,,,,,,,flow,false,"
    );
}
