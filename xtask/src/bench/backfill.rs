//! `backfill`: what a million partitions cost: the plan, off the loop, what the loop decides, and what others
//! notice of it; and a thousand partitions through the Python worker.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Case, Setup, Unit};
use crate::shell::Cmd;

mod leases;
mod python;

/// What should be met, by case.
const TARGETS: &[(&str, Unit, f64)] = &[
    ("backfill/plan/1M/total", Unit::Milliseconds, 1_000.0),
    ("backfill/plan/1M/rss_delta", Unit::Megabytes, 200.0),
    ("backfill/create/1M", Unit::Milliseconds, 20.0),
    ("backfill/advance/1M", Unit::Milliseconds, 20.0),
    ("backfill/pause/1M", Unit::Milliseconds, 20.0),
    ("backfill/cancel/1M", Unit::Milliseconds, 20.0),
];

#[derive(Deserialize)]
struct Line {
    case: String,
    value: f64,
}

pub(super) fn run(setup: &Setup) -> Result<Vec<Case>> {
    let text = Cmd::cargo(&["run", "--release", "--quiet", "--locked"])
        .args(&["--package", "arco-flow", "--example", "backfill_bench"])
        .capture_stdout()?;
    let lines: Vec<Line> = text
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("a figure is JSON: {line}")))
        .collect::<Result<_>>()?;
    let mut cases: Vec<Case> = TARGETS
        .iter()
        .map(|(id, unit, target)| {
            let line = lines.iter().find(|line| line.case == *id);
            let line = line.with_context(|| format!("`{id}` was not measured"))?;
            Ok(Case {
                id,
                value: line.value,
                unit: *unit,
                target: Some(*target),
            })
        })
        .collect::<Result<_>>()?;
    cases.extend(leases::while_planning(setup)?);
    cases.push(python::total(setup)?);
    Ok(cases)
}
