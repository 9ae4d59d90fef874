//! Arco's answers beside those of Dagster 1.13.27 (`golden/oracle/README.md`).
//!
//! A difference is either a fault of Arco or deliberate. Deliberate ones cite their card in
//! `docs/audits/arco-flow-dagster-exception-planning.md` and the statements they rest on; one that no
//! line of the committed corpus needs is a failure too, so that the list stays true. How many answers to
//! an operation may differ on purpose: ADR 0022.

mod compare;
mod corpus;
mod cron;
mod keys;
mod mappings;
mod schedules;
mod selections;
mod specs;
mod tally;

use arco_core::Timestamp;
use serde_json::Value;

use compare::{Case, Exception, compare_all};
use corpus::{Line, corpus, is_fresh};
use specs::{definition, mapping, now, strings};

/// P-6: whether `end` comes before the end of the first window, which Dagster counts nevertheless.
fn ends_before_the_first(spec: &Value) -> bool {
    let def = definition(spec).and_then(Result::ok);
    spec["end"].is_string() && def.is_some_and(|def| def.key_at(0).is_none())
}

/// P-4, P-5: whether `end_offset` adds windows at a time when the first has not begun, where Dagster
/// adds one too many.
fn adds_before_the_first(spec: &Value, now: Timestamp) -> bool {
    let def = definition(spec).and_then(Result::ok);
    let first = def.and_then(|def| def.window(&def.key_at(0)?));
    spec["end_offset"].as_i64() > Some(0) && first.is_some_and(|(begin, _)| now < begin)
}
