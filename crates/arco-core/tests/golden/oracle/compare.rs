//! Answers beside answers, line by line.

use std::collections::BTreeSet;

use serde_json::Value;

use super::corpus::{Corpus, Line, corpus, is_fresh};
use super::tally::Tally;

/// One deliberate difference: what Arco does and why, and whether it explains a line.
pub(crate) struct Exception {
    /// Its card.
    pub(crate) card: &'static str,
    /// Statement numbers, then the difference in a sentence.
    pub(crate) name: &'static str,
    pub(crate) explains: fn(&Case<'_>) -> bool,
}

/// A line on which Arco's answer is another one than Dagster's; null stands for a refusal.
pub(crate) struct Case<'a> {
    pub(crate) line: &'a Line,
    pub(crate) ours: Value,
    pub(crate) theirs: Value,
}

/// Compares line by line; `answers` gives Arco's and Dagster's answer in one shape.
pub(crate) fn compare_all(
    name: &str,
    exceptions: &[Exception],
    answers: impl Fn(&Line) -> Option<(Value, Value)>,
) {
    let Corpus { seed, lines } = corpus(name);
    let mut unused: BTreeSet<&str> = exceptions.iter().map(|e| e.name).collect();
    let mut faults = Vec::new();
    let mut tally = Tally::default();
    for (index, line) in lines.iter().enumerate() {
        let Some((ours, theirs)) = answers(line) else {
            continue;
        };
        if ours == theirs {
            tally.equal(&line.op);
            continue;
        }
        let case = Case { line, ours, theirs };
        if let Some(exception) = exceptions.iter().find(|e| (e.explains)(&case)) {
            tally.deviation(&line.op, exception.card);
            unused.remove(exception.name);
            continue;
        }
        tally.unexplained(&line.op);
        // After the header, which is the first line of the file.
        let number = index + 2;
        faults.push(format!(
            "{name}:{number} {} {}\n  dagster {} {}\n  arco    {}",
            line.op, line.args, case.theirs, line.error, case.ours,
        ));
    }
    tally.report(name);
    let count = faults.len();
    assert!(
        faults.is_empty(),
        "{count} differences, seed `{seed}`\n{}",
        faults.join("\n")
    );
    let too_different = tally.too_different(is_fresh());
    assert!(
        too_different.is_empty(),
        "more answers differ on purpose than may (ADR 0022): {too_different:?}"
    );
    assert!(
        unused.is_empty() || is_fresh(),
        "exceptions without a case: {unused:?}"
    );
}
