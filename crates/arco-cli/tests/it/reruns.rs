//! Runs done again, by real processes, judged by what the bodies wrote down.

use serde_json::Value;

use crate::assert_run;
use crate::support::{Dev, Project};

/// `b` raises while the file `mended` is not there; every body notes that it ran, and what it read.
const DEFINITIONS: &str = r#"
import os
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])
parts = dg.StaticPartitionsDefinition(["x", "y", "z"])


def note(text):
    with open(folder / "journal", "a") as file:
        file.write(text + "\n")


@dg.asset(partitions_def=parts)
def numbers(context: dg.AssetExecutionContext):
    note(f"numbers {context.partition_key}")
    return context.partition_key * 2


@dg.asset(partitions_def=parts)
def checked(context: dg.AssetExecutionContext, numbers):
    if context.partition_key == "y" and not (folder / "mended").exists():
        note("checked y raises")
        raise ValueError("y is not good")
    note(f"checked {context.partition_key} of {numbers}")
    return numbers


@dg.asset
def total(checked):
    note(f"total of {sorted(checked.values())}")
    return len(checked)


defs = dg.Definitions(assets=[numbers, checked, total])
"#;

#[test]
fn only_what_failed_is_done_again_with_the_stored_results_of_the_rest() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let journal = project.folder().join("journal");
    let said = || {
        let mut lines: Vec<String> = std::fs::read_to_string(&journal)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        lines.sort();
        std::fs::remove_file(&journal).unwrap();
        lines.join("\n")
    };

    assert_run!(dev.arco(&["run", "*total", "--all-partitions"]), "first");
    insta::assert_snapshot!(said(), @r"
    checked x of xx
    checked y raises
    checked z of zz
    numbers x
    numbers y
    numbers z
    ");

    // Still not mended: the failing partition alone is tried.
    assert_run!(dev.arco(&["rerun", "latest", "--from-failure"]), "again");
    insta::assert_snapshot!(said(), @"checked y raises");

    std::fs::write(project.folder().join("mended"), "").unwrap();
    assert_run!(dev.arco(&["rerun", "latest", "--from-failure"]), "mended");
    insta::assert_snapshot!(said(), @r"
    checked y of yy
    total of ['xx', 'yy', 'zz']
    ");
    assert_run!(
        dev.arco(&["runs", "show", "latest", "--tasks"]),
        "shown_with_lineage"
    );
    assert_run!(dev.arco(&["why", "latest"]), "why_rerun");
    let shown = dev
        .arco(&["runs", "show", "latest", "--json"])
        .good()
        .json();
    let lineage: Vec<Value> = shown["lineage"].as_array().unwrap().clone();
    assert_eq!(lineage.len(), 3);
    assert_eq!(shown["rerun"]["root"], lineage[0]["id"]);
    assert_eq!(shown["rerun"]["parent"], lineage[1]["id"]);

    assert_run!(
        dev.arco(&["rerun", "latest", "--from-failure"]),
        "nothing_failed"
    );
    assert_run!(
        dev.arco(&["rerun", "latest", "--select", "numbers"]),
        "not_of_run"
    );

    let root = shown["rerun"]["root"].as_str().unwrap();
    let subset = dev
        .arco(&[
            "rerun",
            root,
            "--select",
            "checked",
            "--with-downstream",
            "--json",
        ])
        .good()
        .json();
    assert_eq!(subset["tasks"]["succeeded"], 4);
    insta::assert_snapshot!(said(), @r"
    checked x of xx
    checked y of yy
    checked z of zz
    total of ['xx', 'yy', 'zz']
    ");
    let whole = dev.arco(&["rerun", root, "--json"]).good().json();
    assert_eq!(whole["tasks"]["succeeded"], 7);
    assert_eq!(said().lines().count(), 7);

    let keyed = |kind: &[&str]| dev.arco(&[&["rerun", root, "--run-key", "once"], kind].concat());
    keyed(&[]).good();
    assert_run!(keyed(&["--from-failure"]), "run_key_conflict");
    let again = dev
        .arco(&["rerun", root, "--run-key", "once", "--json"])
        .good()
        .json();
    assert_eq!(again["created"], false);
}
