//! Jobs by real processes: declared in Python, listed, run by name, judged by what the bodies wrote down.

use serde_json::Value;

use crate::assert_run;
use crate::support::{Dev, Project};

const DEFINITIONS: &str = r#"
import os
from pathlib import Path

import arco_flow as dg

journal = Path(os.environ["TEST_FOLDER"]) / "journal"


class Rows(dg.Config):
    rows: int = 1


def note(text):
    with open(journal, "a") as file:
        file.write(text + "\n")


@dg.asset
def numbers(config: Rows):
    note(f"numbers {config.rows}")
    return config.rows


@dg.asset(group_name="reports")
def report(numbers):
    note(f"report of {numbers}")


@dg.asset
def flaky(context: dg.AssetExecutionContext):
    note(f"flaky {context.retry_number}")
    raise ValueError("not today")


defs = dg.Definitions(
    assets=[numbers, report, flaky],
    jobs=[
        dg.define_asset_job(
            "nightly",
            dg.AssetSelection.groups("reports").upstream(),
            config=dg.RunConfig(ops={"numbers": Rows(rows=3)}),
            tags={"team": "core"},
            description="All that the reports need.",
        ),
        dg.define_asset_job("stubborn", [flaky], op_retry_policy=dg.RetryPolicy(max_retries=1)),
    ],
)
"#;

#[test]
fn a_job_is_run_by_name_with_its_configuration_tags_and_retries() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let said = || {
        let journal = project.folder().join("journal");
        let text = std::fs::read_to_string(&journal).unwrap();
        std::fs::remove_file(&journal).unwrap();
        text
    };
    assert_run!(dev.arco(&["jobs"]), "jobs");
    assert_run!(dev.arco(&["jobs", "show", "nightly"]), "job");
    assert_run!(dev.arco(&["run", "--job", "nightly"]), "job_run");
    insta::assert_snapshot!(said(), @r"
    numbers 3
    report of 3
    ");
    let shown = dev
        .arco(&["runs", "show", "latest", "--json"])
        .good()
        .json();
    assert_eq!(shown["job"]["name"], "nightly");
    assert_eq!(shown["tags"]["team"], "core");

    // Narrowed to one asset, with another configuration.
    let config = r#"{"ops": {"numbers": {"config": {"rows": 5}}}}"#;
    dev.arco(&["run", "--job", "nightly", "numbers", "--config", config])
        .good();
    insta::assert_snapshot!(said(), @"numbers 5");

    // The policy of the job tries again what has none of its own.
    let failed = dev.arco(&["run", "--job", "stubborn"]);
    assert_eq!(failed.code, 1, "{failed}");
    insta::assert_snapshot!(said(), @r"
    flaky 0
    flaky 1
    ");
    let count = |job: &str| {
        let listed = dev.arco(&["runs", "list", "--job", job, "--json"]).good();
        listed.json()["items"].as_array().map(Vec::len)
    };
    assert_eq!(count("nightly"), Some(2));
    assert_eq!(count("__ASSET_JOB"), Some(0));
    let jobs = dev.arco(&["jobs", "list", "--json"]).good().json();
    let last = |at: usize| -> &Value { &jobs["items"][at]["latest_run"]["status"] };
    assert_eq!(
        (last(0).as_str(), last(1).as_str()),
        (Some("success"), Some("failure"))
    );
    assert_run!(dev.arco(&["run", "--job", "nigthly"]), "unknown_job");
    assert_run!(
        dev.arco(&["run", "--job", "nightly", "flaky"]),
        "not_of_job"
    );
}
