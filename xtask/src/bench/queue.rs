//! `queue`: what admission and planning cost, measured on the decisions alone.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Case, Setup, Unit};
use crate::shell::Cmd;

/// What should be met, by case.
const TARGETS: &[(&str, f64)] = &[
    ("queue/admit/10k_runs/per_run", 1.0),
    ("queue/plan/10k_assets", 50.0),
];

#[derive(Deserialize)]
struct Line {
    case: String,
    value: f64,
}

pub(super) fn run(_: &Setup) -> Result<Vec<Case>> {
    let text = Cmd::cargo(&["run", "--release", "--quiet", "--locked"])
        .args(&["--package", "arco-flow", "--example", "queue_bench"])
        .capture_stdout()?;
    let lines: Vec<Line> = text
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("a figure is JSON: {line}")))
        .collect::<Result<_>>()?;
    TARGETS
        .iter()
        .map(|(id, target)| {
            let line = lines.iter().find(|line| line.case == *id);
            let line = line.with_context(|| format!("`{id}` was not measured"))?;
            Ok(Case {
                id,
                value: line.value,
                unit: Unit::Milliseconds,
                target: Some(*target),
            })
        })
        .collect()
}
