//! Observable sources, reports from outside, checks alone and memory limits, by real processes.

use crate::assert_run;
use crate::support::{Dev, Project};

const DEFINITIONS: &str = r#"
import os
import time
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


@dg.observable_source_asset
def lake():
    return dg.ObserveResult(
        data_version=dg.DataVersion((folder / "version").read_text()), metadata={"files": 3}
    )


@dg.asset(deps=[lake])
def table():
    return 1


@dg.asset_check(asset=table)
def good(table):
    with open(folder / "judged", "a") as file:
        file.write("x")
    return dg.AssetCheckResult(passed=table == 1)


@dg.asset(memory_limit="200MiB", retry_policy=dg.RetryPolicy(max_retries=1))
def hungry():
    held = []
    while True:
        held.append(bytearray(16 * 1024 * 1024))
        time.sleep(0.005)


defs = dg.Definitions(assets=[lake, table, hungry, dg.AssetSpec("export")], asset_checks=[good])
"#;

#[test]
fn sources_are_observed_and_facts_are_reported() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let folder = project.folder();
    std::fs::write(folder.join("version"), "v1").unwrap();
    dev.arco(&["run", "lake", "table"]).good();
    assert_run!(dev.arco(&["assets", "show", "lake"]), "observed");
    let made = dev
        .arco(&["assets", "show", "table", "--json"])
        .good()
        .json();
    assert_eq!(
        made["latest_materialization"]["inputs"][0]["data_version"],
        "v1"
    );

    let report = [
        "assets",
        "report-materialization",
        "export",
        "--metadata",
        "rows=7",
        "--data-version",
        "e1",
        "--idempotency-key",
        "one",
    ];
    let first = dev.arco(&report).good();
    assert!(first.stdout.starts_with("reported at "), "{first}");
    let again = dev.arco(&report).good();
    assert!(
        again.stdout.starts_with("was reported before, at "),
        "{again}"
    );
    assert_run!(dev.arco(&["assets", "show", "export"]), "reported");
    dev.arco(&[
        "assets",
        "report-observation",
        "lake",
        "--data-version",
        "v2",
    ])
    .good();
    dev.arco(&["run", "table"]).good();
    let made = dev
        .arco(&["assets", "show", "table", "--json"])
        .good()
        .json();
    assert_eq!(
        made["latest_materialization"]["inputs"][0]["data_version"],
        "v2"
    );
    dev.arco(&[
        "assets",
        "report-check",
        "table",
        "good",
        "--failed",
        "--warn",
        "-m",
        "why=by hand",
    ])
    .good();
    let checks = dev
        .arco(&["assets", "show", "table", "--json"])
        .good()
        .json();
    assert_eq!(checks["asset_checks"][0]["latest"]["passed"], false);
    assert_run!(
        dev.arco(&["assets", "report-materialization", "exprot"]),
        "unknown_reported"
    );
}

#[test]
fn checks_are_judged_alone_and_left_out() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let judged = || {
        std::fs::read_to_string(project.folder().join("judged"))
            .unwrap_or_default()
            .len()
    };
    dev.arco(&["run", "table", "--no-checks"]).good();
    assert_eq!(judged(), 0);
    dev.arco(&["run", "--checks", "table:good"]).good();
    assert_eq!(judged(), 1);
    let shown = dev
        .arco(&["runs", "show", "latest", "--json"])
        .good()
        .json();
    assert_eq!(
        (
            shown["checks_passed"].as_u64(),
            shown["materializations"].as_u64()
        ),
        (Some(1), Some(0))
    );
    dev.arco(&["run", "--checks", "table"]).good();
    assert_eq!(judged(), 2);
    assert_run!(
        dev.arco(&["run", "--checks", "table:goood"]),
        "unknown_check"
    );
    assert_run!(dev.arco(&["runs", "list", "--limit", "1"]), "run_of_checks");
}

#[test]
fn a_task_over_its_memory_limit_fails_with_the_figures_and_is_tried_again() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let failed = dev.arco(&["run", "hungry"]);
    assert_eq!(failed.code, 1, "{failed}");
    let shown = dev
        .arco(&["runs", "show", "latest", "--json"])
        .good()
        .json();
    let failure = &shown["failures"][0];
    assert_eq!(failure["class"], "out_of_memory", "{failure}");
    let message = failure["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("its limit is 200 MiB, and was killed"),
        "{message}"
    );
    let tasks = dev
        .arco(&["runs", "show", "latest", "--tasks", "--json"])
        .good();
    assert!(
        tasks.stdout.contains("\"attempts\": 2") || tasks.stdout.contains("\"attempts\":2"),
        "{tasks}"
    );
}
