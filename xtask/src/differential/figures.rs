//! Figures of comparisons, added up over rounds.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Of a hundred answers to an operation at most this many may differ on purpose, as in the tests (ADR 0022).
fn deviations_percent_max(op: &str) -> usize {
    match op {
        "backfill" => 12,
        "backfill_target" => 4,
        _ => 2,
    }
}
/// A smaller sample says nothing about shares.
const SAMPLE_MIN: usize = 500;

/// By operation.
#[derive(Debug, Default)]
pub(super) struct Figures {
    ops: BTreeMap<String, Op>,
}

#[derive(Debug, Default, Deserialize)]
struct Op {
    cases: usize,
    equal: usize,
    unexplained: usize,
    /// By card.
    deviations: BTreeMap<String, usize>,
}

impl Op {
    fn deviating(&self) -> usize {
        self.deviations.values().sum()
    }
}

impl Figures {
    /// Adds what a comparison left in a file.
    pub(super) fn add(&mut self, file: &Path) -> Result<()> {
        let text = fs::read_to_string(file).with_context(|| {
            format!("read the figures {}: was nothing compared?", file.display())
        })?;
        self.add_text(&text)
            .with_context(|| format!("parse the figures {}", file.display()))
    }

    pub(super) fn add_text(&mut self, text: &str) -> Result<()> {
        let ops: BTreeMap<String, Op> = serde_json::from_str(text)?;
        if ops.is_empty() {
            bail!("nothing was compared");
        }
        for (name, op) in ops {
            let sum = self.ops.entry(name).or_default();
            sum.cases += op.cases;
            sum.equal += op.equal;
            sum.unexplained += op.unexplained;
            for (card, count) in op.deviations {
                *sum.deviations.entry(card).or_default() += count;
            }
        }
        Ok(())
    }

    pub(super) fn cases(&self) -> usize {
        self.ops.values().map(|op| op.cases).sum()
    }

    pub(super) fn cases_of(&self, ops: &[&str]) -> usize {
        ops.iter()
            .filter_map(|op| self.ops.get(*op))
            .map(|op| op.cases)
            .sum()
    }

    /// Says which operation has an unexplained difference, or too many that are meant.
    pub(super) fn judge(&self) -> Result<()> {
        for (name, op) in &self.ops {
            if op.unexplained > 0 {
                bail!("{name}: {} answers differ without a card", op.unexplained);
            }
            let deviating = op.deviating();
            let most = deviations_percent_max(name);
            if op.cases >= SAMPLE_MIN && deviating * 100 > op.cases * most {
                bail!(
                    "{name}: {deviating} of {} answers differ on purpose, more than {most} of a \
                     hundred; mend Arco, or ask rarer about what is meant",
                    op.cases
                );
            }
        }
        Ok(())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<24}{:>8}{:>8}{:>9}  deviations by card",
            "operation", "cases", "equal", "share"
        )?;
        for (name, op) in &self.ops {
            let share = 100.0 * op.deviating() as f64 / op.cases.max(1) as f64;
            let cards: Vec<String> = op
                .deviations
                .iter()
                .map(|(card, count)| format!("{card} {count}"))
                .collect();
            write!(f, "{name:<24}{:>8}{:>8}{share:>8.2}%", op.cases, op.equal)?;
            if !cards.is_empty() {
                write!(f, "  {}", cards.join(", "))?;
            }
            if op.unexplained > 0 {
                write!(f, "  UNEXPLAINED {}", op.unexplained)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
