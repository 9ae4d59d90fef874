//! What became of the cases of each operation, and the bound on deliberate differences.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

/// A folder for the figures of a comparison, when it is set.
const REPORT: &str = "ARCO_ORACLE_REPORT";

/// Of a hundred answers to an operation at most this many may differ on purpose (ADR 0022): which assets of a backfill
/// go together, and when, is in Dagster a matter of what is ready at the same time.
fn deviations_percent_max(op: &str) -> usize {
    match op {
        "backfill" => 12,
        "backfill_target" => 4,
        _ => 2,
    }
}

/// A fresh sample smaller than this says nothing about shares; `cargo xtask differential` adds samples
/// up and looks again. Committed corpora are always looked at.
const SAMPLE_MIN: usize = 500;

#[derive(Default)]
pub(crate) struct Tally {
    ops: BTreeMap<String, Op>,
}

#[derive(Default)]
struct Op {
    cases: usize,
    equal: usize,
    unexplained: usize,
    /// By card.
    deviations: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(crate) fn equal(&mut self, op: &str) {
        let op = self.case(op);
        op.equal += 1;
    }

    pub(crate) fn unexplained(&mut self, op: &str) {
        self.case(op).unexplained += 1;
    }

    pub(crate) fn deviation(&mut self, op: &str, card: &'static str) {
        *self.case(op).deviations.entry(card).or_default() += 1;
    }

    fn case(&mut self, op: &str) -> &mut Op {
        let op = self.ops.entry(op.to_owned()).or_default();
        op.cases += 1;
        op
    }

    /// The operations with too many deliberate differences.
    pub(crate) fn too_different(&self, is_fresh: bool) -> Vec<String> {
        self.ops
            .iter()
            .filter(|(_, op)| !is_fresh || op.cases >= SAMPLE_MIN)
            .filter_map(|(name, op)| {
                let deviations: usize = op.deviations.values().sum();
                (deviations * 100 > op.cases * deviations_percent_max(name))
                    .then(|| format!("{name}: {deviations} of {}: {:?}", op.cases, op.deviations))
            })
            .collect()
    }

    /// Writes the figures down where they are asked for.
    pub(crate) fn report(&self, corpus: &str) {
        let Some(folder) = std::env::var_os(REPORT) else {
            return;
        };
        let ops: BTreeMap<&String, Value> = self
            .ops
            .iter()
            .map(|(name, op)| {
                let figures = json!({
                    "cases": op.cases,
                    "equal": op.equal,
                    "unexplained": op.unexplained,
                    "deviations": op.deviations,
                });
                (name, figures)
            })
            .collect();
        let file = PathBuf::from(folder).join(format!("{corpus}.json"));
        std::fs::write(&file, json!(ops).to_string()).expect("write the report");
    }
}

#[test]
fn more_than_two_of_a_hundred_deviations_are_too_many() {
    let mut tally = Tally::default();
    (0..98).for_each(|_| tally.equal("op"));
    (0..2).for_each(|_| tally.deviation("op", "EX-1"));
    assert!(tally.too_different(false).is_empty());
    tally.deviation("op", "EX-2");
    assert_eq!(
        tally.too_different(false),
        [r#"op: 3 of 101: {"EX-1": 2, "EX-2": 1}"#]
    );
    assert!(tally.too_different(true).is_empty(), "too small a sample");
}
